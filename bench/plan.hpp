#pragma once
// What one run of the load generator does: where to, how, with what, how long. Filled from the command line,
// then completed (defaults, prebuilt request, address) and from there on read only, by all workers.

#include <chrono>
#include <string>
#include <utility>
#include <vector>

#include "base/result.hpp"
#include "bench/net.hpp"
#include "bench/url.hpp"

namespace cafmcp::bench {

/// What a connection does over and over.
enum class mode : unsigned char { http_get, http_post, ws_echo };

inline constexpr unsigned max_connections = 60'000;
inline constexpr unsigned max_threads = 256;
inline constexpr unsigned max_pipeline = 1024;

/// A tools/call message of about 150 bytes.
extern const char* const default_body;

struct plan {
  url where;
  mode what = mode::http_post;
  unsigned connections = 1;  ///< 1 to `max_connections`
  unsigned threads = 1;      ///< 1 to `max_threads`
  unsigned pipeline = 1;     ///< messages in flight on a WebSocket connection, 1 to `max_pipeline`
  std::chrono::nanoseconds duration{5'000'000'000};
  std::chrono::nanoseconds warmup{1'000'000'000};
  std::string body = default_body;  ///< up to `max_body_bytes`
  std::vector<std::pair<std::string, std::string>>
      headers;  ///< added to the request; replace defaults by name

  // Derived by `complete`.
  tcp::endpoint address;  ///< loopback
  std::string request;    ///< the HTTP request as it goes over the wire
};

/// Parses `http-get`, `http-post` or `ws-echo`; empty takes what suits `scheme`. Errors: `invalid`.
result<mode> parse_mode(const std::string& text, const std::string& scheme);

/// Parses `K: V`. Errors: `invalid`, also for what would break the request apart.
result<std::pair<std::string, std::string>> parse_header(const std::string& text);

/// Checks `p` against the bounds, resolves its host and prebuilds the request. Errors: `invalid` when out of
/// bounds, when mode and scheme do not fit or when the host is not this machine; `unavailable` when the host
/// has no address.
result<void> complete(plan& p);

}  // namespace cafmcp::bench
