#pragma once
// Who may talk to `/mcp` from a browser. A page that has its own name resolve to our address (DNS rebinding)
// still sends that name as `Host`, and its own `Origin`: both must be known. Known are the loopback names and
// addresses, the names given, and whole origins given. Ports do not matter for names. Programs send no
// `Origin`, which is fine; `Host` is always checked. Immutable, so thread-safe.

#include <string>
#include <string_view>
#include <vector>

#include "transport/http.hpp"

namespace cafmcp::transport {

/// The check.
class origin_check {
 public:
  /// `hosts`: names or addresses without port (IPv6 without brackets) that clients may use for this server.
  /// `origins`: whole origins, `scheme://host[:port]`, that may call it. "*" in a list means all.
  origin_check(const std::vector<std::string>& hosts, const std::vector<std::string>& origins);

  /// Null if the request may pass, else why not: what to answer with 403.
  const char* refusal_of(const request& req) const;

 private:
  bool knows(const std::string& host) const;
  bool admits(std::string_view origin) const;

  std::vector<std::string> hosts_;
  std::vector<std::string> origins_;
  bool any_host_ = false;
  bool any_origin_ = false;
};

/// The host of an authority (`host[:port]`) in lower case, IPv6 without brackets; empty if it is malformed.
std::string host_of(std::string_view authority);

}  // namespace cafmcp::transport
