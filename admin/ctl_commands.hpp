#pragma once
// The commands of cafmcpctl: one table that the command line, the console and `help` read. Not thread-safe.

#include <iosfwd>
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

/// A row of the table.
struct ctl_command {
  std::string_view name;
  std::string_view arguments;  ///< as `help` shows them
  std::string_view about;
  std::size_t max_arguments;
  int (*run)(const ctl_session& session, const std::vector<std::string>& arguments, std::ostream& out,
             std::ostream& err);
};

/// All commands.
std::span<const ctl_command> ctl_commands();

/// Runs `words` (a command and its arguments). Answers go to `out`, errors to `err`; returns a `ctl_exit`.
int run_command(const ctl_session& session, const std::vector<std::string>& words, std::ostream& out,
                std::ostream& err);

}  // namespace cafmcp::admin
