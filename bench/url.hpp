#pragma once
// What the command line of the load generator says, as values: a URL taken apart, a duration with its unit.
// Pure and thread-safe; every error names the text and what is wrong with it.

#include <chrono>
#include <string>
#include <string_view>

#include "base/result.hpp"

namespace cafmcp::bench {

/// `scheme://host:port/path`; `host` without brackets, `path` from the first slash on, query included.
struct url {
  std::string scheme;  ///< "http" or "ws"
  std::string host;
  unsigned short port = 80;
  std::string path = "/";

  /// What the Host field holds: brackets around IPv6, always with the port.
  std::string authority() const;
};

/// Parses `http://…` or `ws://…`; port 80 by default. Errors: `invalid` (TLS and user names are refused by
/// name).
result<url> parse_url(std::string_view text);

/// Parses a whole or decimal number with a unit: `250ms`, `5s`, `1.5m`, `1h`; zero is allowed. Errors:
/// `invalid` when malformed or above one hour, the longest that any run may take.
result<std::chrono::nanoseconds> parse_duration(std::string_view text);

}  // namespace cafmcp::bench
