#pragma once
// The command line of cafmcpd: flags become sources for the configuration, and nothing is decided here. Not
// thread-safe; for main().

#include <string>

#include "config/loader.hpp"

namespace cafmcp::node {

/// What the user asked for.
struct command_line {
  enum class action { run, check_config, exit };
  action what = action::run;
  int exit_code = 0;        ///< for `exit`
  config::sources sources;  ///< file, environment, flags
};

/// Reads the arguments; prints help, version or usage errors itself.
command_line parse(int argc, const char* const* argv);

}  // namespace cafmcp::node
