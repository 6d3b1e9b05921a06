#pragma once
// How cafmcpctl reaches a node: one HTTP request at a time to the admin listener, with the token, within a
// time limit. Blocks; not thread-safe.

#include <chrono>
#include <nlohmann/json.hpp>
#include <string>

#include "base/result.hpp"

namespace cafmcp::admin {

/// Where the node is and who asks.
struct ctl_target {
  std::string host;
  std::string port;
  std::string token;
};

/// Reads `http://HOST:PORT` (a trailing slash may follow).
result<ctl_target> parse_node_url(const std::string& url);

/// An answer of the API: any HTTP status, and the JSON document.
struct ctl_answer {
  unsigned status = 0;
  nlohmann::ordered_json body;
};

/// Sends a request. `unavailable` if the node can't be reached or doesn't answer in `timeout`; `invalid` if
/// what answers is no cafmcp node.
result<ctl_answer> send(const ctl_target& target, const std::string& method, const std::string& path,
                        const std::string& body = {},
                        std::chrono::milliseconds timeout = std::chrono::seconds{10});

}  // namespace cafmcp::admin
