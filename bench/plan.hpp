#pragma once
// What one run of the load generator does: where to, how, with what, how long. Filled from the command line,
// then completed (defaults, prebuilt request, address) and from there on read only, by all workers.

#include <chrono>
#include <string>
#include <utility>
#include <vector>

#include "base/result.hpp"
#include "bench/mcp_messages.hpp"
#include "bench/net.hpp"
#include "bench/session_ids.hpp"
#include "bench/url.hpp"

namespace cafmcp::bench {

/// What a connection does over and over.
enum class mode : unsigned char { http_get, http_post, ws_echo, mcp_http, mcp_ws };

/// What an MCP client does with a session.
enum class session_use : unsigned char {
  keep,     ///< calls over and over; over HTTP the session outlives its connection
  churn,    ///< connects, opens a session, calls once, ends the session and the connection; over and over
  abandon,  ///< likewise, but drops the connection while the call is in flight
  open,     ///< mcp-http: opens so many sessions, one after the other, and leaves them
  resume,   ///< mcp-http: calls once in each of the sessions that are given
};

inline constexpr unsigned max_connections = 60'000;
inline constexpr unsigned max_threads = 256;
inline constexpr unsigned max_pipeline = 1024;
inline constexpr unsigned max_sessions = 1'000'000;
inline constexpr std::uint64_t max_count = 100'000'000;

/// A tools/call message of about 150 bytes.
extern const char* const default_body;

struct plan {
  url where;
  mode what = mode::http_post;
  unsigned connections = 1;  ///< 1 to `max_connections`
  unsigned threads = 1;      ///< 1 to `max_threads`
  unsigned pipeline = 1;     ///< messages in flight on a WebSocket, 1 to `max_pipeline`
  std::chrono::nanoseconds duration{5'000'000'000};
  std::chrono::nanoseconds warmup{1'000'000'000};
  std::string body = default_body;  ///< up to `max_body_bytes`
  std::vector<std::pair<std::string, std::string>>
      headers;  ///< added to the request; replace defaults by name

  // For the MCP modes.
  session_use use = session_use::keep;
  unsigned sessions = 0;      ///< mcp-http: in all, at least `connections`; 0: one for each connection
  std::string tool = "echo";  ///< what is called
  std::string arguments = R"({"message":"hello"})";  ///< a JSON object
  std::chrono::nanoseconds timeout{5'000'000'000};   ///< an answer that takes longer is a failure; above 0

  // For the uses `open` and `resume`, which end when all is done; `duration` is the latest end.
  std::uint64_t count = 0;       ///< open: how many, 1 to `max_count`
  std::string ids_file;          ///< open: where ids of sessions are written to; may be empty
  std::size_t sample = 5000;     ///< open: how many of them, 1 to `max_ids`
  std::uint64_t seed = 0;        ///< open: which of them
  std::vector<std::string> ids;  ///< resume: the sessions; keep: used instead of opened, see `sessions`
  std::chrono::nanoseconds patience{30'000'000'000};  ///< nothing done for this and the timeout: give up

  /// How many sessions there are to open or to resume; 0 with other uses.
  std::uint64_t pieces() const {
    return use == session_use::open ? count : use == session_use::resume ? ids.size() : 0;
  }

  // Derived by `complete`.
  tcp::endpoint address;    ///< loopback
  std::string request;      ///< the HTTP request as it goes over the wire
  mcp_messages messages;    ///< of the MCP modes
  std::string post_head;    ///< mcp-http: line and fields without those of session and length
  std::string delete_head;  ///< likewise, to end a session
};

/// The name of a mode, or of a use, as flags and reports show it.
const char* to_string(mode what) noexcept;
const char* to_string(session_use use) noexcept;

/// Whether it opens MCP sessions, ends when its work is done, and whether its connections are WebSockets.
constexpr bool is_mcp(mode what) {
  return what == mode::mcp_http || what == mode::mcp_ws;
}
constexpr bool has_end(session_use use) {
  return use == session_use::open || use == session_use::resume;
}
constexpr bool is_websocket(mode what) {
  return what == mode::ws_echo || what == mode::mcp_ws;
}

/// Parses the name of a mode; empty takes http-post or ws-echo, as suits `scheme`. Errors: `invalid`.
result<mode> parse_mode(const std::string& text, const std::string& scheme);

/// Parses the name of a use. Errors: `invalid`.
result<session_use> parse_session_use(const std::string& text);

/// Parses `K: V`. Errors: `invalid`, also for what would break the request apart.
result<std::pair<std::string, std::string>> parse_header(const std::string& text);

/// Checks `p` against the bounds, resolves its host and prebuilds the request. Errors: `invalid` when out of
/// bounds, when mode and scheme do not fit or when the host is not this machine; `unavailable` when the host
/// has no address.
result<void> complete(plan& p);

}  // namespace cafmcp::bench
