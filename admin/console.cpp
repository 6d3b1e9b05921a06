#include "admin/console.hpp"

#include <editline/readline.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>
#include <iostream>
#include <sstream>

namespace cafmcp::admin {

namespace {

constexpr const char* extra_words[] = {"help", "exit", "quit"};
constexpr int history_lines = 1000;

std::string history_file() {
  const char* home = std::getenv("HOME");
  return home == nullptr ? std::string{} : std::string{home} + "/.cafmcpctl_history";
}

// What may stand where the cursor is.
std::vector<std::string>& candidates() {
  static std::vector<std::string> words;
  return words;
}

// libedit's interface is that of readline: each call gives the next match in memory that libedit frees.
char* next_match(const char* start, int state) {
  static std::size_t position;
  if (state == 0)
    position = 0;
  const auto length = std::strlen(start);
  while (position < candidates().size()) {
    const auto& word = candidates()[position++];
    if (word.compare(0, length, start) == 0)
      return ::strdup(word.c_str());
  }
  return nullptr;
}

char** complete(const char* text, int start, int) {
  rl_attempted_completion_over = 1;  // no file names
  candidates() = next_words(split_words(std::string{rl_line_buffer, static_cast<std::size_t>(start)}));
  if (start == 0)
    candidates().insert(candidates().end(), std::begin(extra_words), std::end(extra_words));
  return rl_completion_matches(text, next_match);
}

// One line, without its end. False at the end of input.
bool read_line(bool terminal, std::string& line) {
  if (!terminal)
    return static_cast<bool>(std::getline(std::cin, line));
  char* raw = ::readline("cafmcp> ");
  if (raw == nullptr)
    return false;
  line = raw;
  if (line.find_first_not_of(' ') != std::string::npos)
    ::add_history(raw);
  std::free(raw);
  return true;
}

}  // namespace

std::vector<std::string> split_words(const std::string& text) {
  std::istringstream in{text};
  std::vector<std::string> words;
  for (std::string word; in >> word;)
    words.push_back(word);
  return words;
}

int run_console(const ctl_session& session) {
  const bool terminal = ::isatty(STDIN_FILENO) != 0;
  const auto history = history_file();
  if (terminal) {
    rl_readline_name = const_cast<char*>("cafmcpctl");
    rl_attempted_completion_function = complete;
    ::stifle_history(history_lines);
    if (!history.empty())
      ::read_history(history.c_str());
    std::cout << "cafmcpctl: 'help' lists the commands\n";
  }
  int last = ctl_done;
  for (std::string line; read_line(terminal, line);) {
    const auto words = split_words(line);
    if (words.empty())
      continue;
    if (words.front() == "exit" || words.front() == "quit")
      break;
    if (words.front() == "help")
      std::cout << ctl_help() << "  exit, quit  leave\n";
    else
      last = run_command(session, words, std::cout, std::cerr);
    std::cout.flush();
  }
  if (terminal && !history.empty())
    ::write_history(history.c_str());
  return last;
}

}  // namespace cafmcp::admin
