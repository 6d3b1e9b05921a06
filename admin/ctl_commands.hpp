#pragma once
// The commands of cafmcpctl: one table that the command line, the console, completion and `help` read. Not
// thread-safe.

#include <iosfwd>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "admin/ctl_client.hpp"

namespace cafmcp::admin {

/// Exit codes of cafmcpctl.
enum ctl_exit : int { ctl_done = 0, ctl_refused = 1, ctl_usage = 2, ctl_unreachable = 3 };

/// What a command works with.
struct ctl_session {
  ctl_target target;
  bool json = false;     ///< one JSON document instead of a drawing
  bool colours = false;  ///< standard output is a terminal
};

/// What a command was given: words, and options by name.
struct ctl_arguments {
  std::vector<std::string> words;
  std::map<std::string, std::string, std::less<>> options;
};

/// An option of a command.
struct ctl_option {
  std::string_view name;   ///< with its two dashes
  std::string_view value;  ///< as `help` shows it; empty: the option has none
};

/// A row of the table.
struct ctl_command {
  std::string_view name;       ///< one word or two
  std::string_view arguments;  ///< as `help` shows them
  std::string_view about;
  std::size_t min_words;
  std::size_t max_words;
  std::span<const ctl_option> options;
  int (*run)(const ctl_session& session, const ctl_arguments& given, std::ostream& out, std::ostream& err);
};

/// All commands.
std::span<const ctl_command> ctl_commands();

/// A line for each command, indented by two spaces.
std::string ctl_help();

/// Runs `words`: a command, its arguments and options, and perhaps `--json` or `--help`. Answers go to `out`,
/// errors to `err`; returns a `ctl_exit`.
int run_command(const ctl_session& session, const std::vector<std::string>& words, std::ostream& out,
                std::ostream& err);

/// What may follow `line`, which ends where a word begins: words of commands, or options of one.
std::vector<std::string> next_words(const std::vector<std::string>& line);

/// Moves the options of cafmcpctl itself to the front, so that they may stand behind the command as well.
/// `--node` is one of them before the command, and behind it if its value is a URL: a command may have a
/// `--node` of its own.
std::vector<std::string> own_options_first(const std::vector<std::string>& arguments);

}  // namespace cafmcp::admin
