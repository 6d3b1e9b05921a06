// Runs a fuzz target without libFuzzer: on given files, or on all seeds of a folder and then on a fixed
// number of mutations of them. An input that breaks the target is written to a file before the program dies.
//   fuzz_NAME FILE…
//   fuzz_NAME --seeds DIR [--words FILE] [--runs N] [--number N] [--max-bytes N] [--broken FILE]
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <stdexcept>
#include <string>

#include "tests/fuzz/fuzz.hpp"
#include "tests/fuzz/mutator.hpp"

/// Of the sanitizers' runtime, if there is one.
extern "C" __attribute__((weak)) void __sanitizer_set_death_callback(void (*callback)());

namespace {

// For the signal handler: what is being run, and where to leave it.
std::string current;
std::string broken_file = "broken-input";

// Only calls that a signal handler may make.
void leave_input() {
  const int fd = ::open(broken_file.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
  if (fd < 0)
    return;
  bool good = ::write(fd, current.data(), current.size()) == static_cast<ssize_t>(current.size());
  ::close(fd);
  constexpr char said[] = "the input is in ";
  good = good && ::write(2, said, sizeof said - 1) > 0 &&
         ::write(2, broken_file.c_str(), broken_file.size()) > 0 && ::write(2, "\n", 1) > 0;
  static_cast<void>(good);
}

void on_signal(int signal) {
  leave_input();
  std::signal(signal, SIG_DFL);
  std::raise(signal);
}

void watch_for_death() {
  std::signal(SIGABRT, on_signal);
  if (__sanitizer_set_death_callback != nullptr) {
    __sanitizer_set_death_callback(leave_input);
    return;
  }
  for (const int signal : {SIGSEGV, SIGBUS, SIGFPE, SIGILL})
    std::signal(signal, on_signal);
}

std::string read_file(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  if (!in)
    throw std::runtime_error("cannot read " + path.string());
  return {std::istreambuf_iterator<char>(in), {}};
}

// An exception ends the program here, with the input left behind.
void run(std::string input) noexcept {
  current = std::move(input);
  LLVMFuzzerTestOneInput(reinterpret_cast<const std::uint8_t*>(current.data()), current.size());
}

/// In the order of their names, so that every machine has the same.
std::vector<std::string> read_seeds(const std::filesystem::path& dir) {
  std::map<std::string, std::string> seeds;
  for (const auto& entry : std::filesystem::directory_iterator(dir))
    seeds[entry.path().filename().string()] = read_file(entry.path());
  if (seeds.empty())
    throw std::runtime_error("no seeds in " + dir.string());
  std::vector<std::string> out;
  for (auto& [name, bytes] : seeds)
    out.push_back(std::move(bytes));
  return out;
}

int run_seeds(std::map<std::string, std::string>& flags) {
  const auto number = [&](const char* name, std::uint64_t otherwise) {
    return flags.contains(name) ? std::stoull(flags[name]) : otherwise;
  };
  auto seeds = read_seeds(flags["--seeds"]);
  for (const auto& seed : seeds)
    run(seed);
  const auto count = seeds.size();
  auto words = flags.contains("--words") ? cafmcp::fuzz::parse_dictionary(read_file(flags["--words"]))
                                         : std::vector<std::string>{};
  cafmcp::fuzz::mutator mutate(std::move(seeds), std::move(words), number("--max-bytes", 4096),
                               number("--number", 1));
  const auto runs = number("--runs", 1000);
  for (std::uint64_t i = 0; i < runs; ++i)
    run(mutate.next());
  std::printf("%zu seeds, %llu mutations: all holds\n", count, static_cast<unsigned long long>(runs));
  return 0;
}

int run_program(int argc, char** argv) {
  std::map<std::string, std::string> flags;
  std::vector<std::string> files;
  for (int i = 1; i < argc; ++i) {
    if (const std::string arg = argv[i]; !arg.starts_with("--"))
      files.push_back(arg);
    else if (++i < argc)
      flags[arg] = argv[i];
  }
  if (flags.contains("--broken"))
    broken_file = flags["--broken"];
  for (const auto& file : files)
    run(read_file(file));
  if (flags.contains("--seeds"))
    return run_seeds(flags);
  if (!files.empty())
    return 0;
  std::fprintf(stderr, "give files, or --seeds DIR\n");
  return 2;
}

}  // namespace

int main(int argc, char** argv) {
  watch_for_death();
  try {
    return run_program(argc, argv);
  } catch (const std::exception& e) {
    std::fprintf(stderr, "%s\n", e.what());
    return 2;
  }
}
