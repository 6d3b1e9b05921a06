#pragma once
// The interactive console: cafmcpctl without a command. Line editing, completion and history by libedit on a
// terminal; plain lines otherwise. Not thread-safe: libedit is global.

#include "admin/ctl_commands.hpp"

namespace cafmcp::admin {

/// Reads commands until end of input, `exit` or `quit`. Returns the exit code of the last command.
int run_console(const ctl_session& session);

/// The words of a line; blanks separate, and quotes are not needed for what the commands take.
std::vector<std::string> split_words(const std::string& text);

}  // namespace cafmcp::admin
