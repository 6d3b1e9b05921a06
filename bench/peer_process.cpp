#include "bench/peer_process.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <fstream>
#include <iostream>
#include <sstream>
#include <stdexcept>
#include <thread>

namespace cafmcp::bench {

namespace {

constexpr int longest_start_ms = 20'000;

// In a new process: nothing that may wait for a thread of the old one.
[[noreturn]] void become_peer(char** arguments, pid_t parent, int out) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != parent)
    ::_exit(1);
  ::dup2(out, STDOUT_FILENO);
  ::execv("/proc/self/exe", arguments);
  ::_exit(127);
}

std::string read_line(int fd) {
  std::string line;
  while (line.empty() || line.back() != '\n') {
    pollfd wanted{fd, POLLIN, 0};
    char c = 0;
    if (::poll(&wanted, 1, longest_start_ms) != 1 || ::read(fd, &c, 1) != 1)
      throw std::runtime_error("the other process did not get ready");
    line.push_back(c);
  }
  return line;
}

// A line of /proc/self/status, in bytes.
std::size_t status(const std::string& key) {
  std::ifstream in{"/proc/self/status"};
  for (std::string line; std::getline(in, line);)
    if (line.starts_with(key + ":"))
      return std::stoull(line.substr(key.size() + 1)) * 1024;
  throw std::runtime_error("no " + key + " in /proc/self/status");
}

}  // namespace

peer_process::peer_process(const std::vector<std::string>& flags) {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0)
    throw std::runtime_error("no pipe");
  std::string program = "peer";
  std::vector<char*> arguments{program.data()};
  for (const auto& flag : flags)
    arguments.push_back(const_cast<char*>(flag.c_str()));
  arguments.push_back(nullptr);
  const auto parent = ::getpid();
  pid_ = ::fork();
  if (pid_ < 0)
    throw std::runtime_error("no process");
  if (pid_ == 0)
    become_peer(arguments.data(), parent, ends[1]);
  ::close(ends[1]);
  std::istringstream line{read_line(ends[0])};
  ::close(ends[0]);
  for (int number = 0; line >> number;)
    said_.push_back(number);
}

peer_process::~peer_process() {
  ::kill(pid_, SIGKILL);
  ::waitpid(pid_, nullptr, 0);
}

void peer_process::freeze() const {
  ::kill(pid_, SIGSTOP);
  // It stops a moment later.
  int status = 0;
  ::waitpid(pid_, &status, WUNTRACED);
}

void serve_as_peer(const std::vector<int>& said) {
  for (const auto number : said)
    std::cout << number << ' ';
  std::cout << std::endl;
  for (;;)
    ::pause();
}

std::size_t resident() {
  return status("VmRSS");
}

std::size_t peak_resident() {
  return status("VmHWM");
}

void forget_peak() {
  std::ofstream{"/proc/self/clear_refs"} << 5;
}

void wait_until_settled() {
  constexpr std::chrono::milliseconds step{100};
  auto peak = peak_resident();
  for (int quiet = 0, steps = 0; quiet < 5 && steps < 300; ++steps) {
    std::this_thread::sleep_for(step);
    const auto now = peak_resident();
    quiet = now == peak ? quiet + 1 : 0;
    peak = now;
  }
}

}  // namespace cafmcp::bench
