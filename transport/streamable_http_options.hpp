#pragma once
// What `/mcp` lets its clients do, for Streamable HTTP and WebSockets alike. A plain value, fixed when the
// routes are made: thread-compatible.

#include <chrono>
#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "transport/metrics.hpp"

namespace cafmcp::transport {

/// Bounds, times and names. Times are whole milliseconds, and greater than zero.
struct mcp_options {
  /// One message from a client, in bytes; more is answered 413, or closed with 1009. For HTTP
  /// `limits::body_bytes` of the listener must be as large, and refuses first if it is smaller.
  std::size_t message_bytes = 8 * 1024 * 1024;

  /// What may wait for one client that does not read, in bytes and for each of its connections; on more the
  /// connection is cut. Also bounds a single message to it.
  std::size_t backlog_bytes = 16 * 1024 * 1024;

  std::chrono::milliseconds ping_interval{20'000};  ///< WebSocket; cut after twice that without any bytes
  std::chrono::milliseconds close_timeout{2'000};   ///< WebSocket: for the client's half of the good-bye
  std::chrono::milliseconds keepalive_interval{15'000};  ///< SSE: a comment after so long without an event;
                                                         ///< and when an unanswered POST becomes a stream
  std::chrono::milliseconds write_timeout{30'000};       ///< SSE: a client must take something in so long

  /// Names and addresses that clients may use for this server, besides loopback: what it listens on, its
  /// public name. Without port; "*" means any.
  std::vector<std::string> hosts;

  /// Web origins (`https://app.example`) that may call it, besides those of `hosts`; "*" means any.
  std::vector<std::string> origins;

  /// What `MCP-Protocol-Version` may say.
  std::vector<std::string> versions{"2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25"};

  /// Counts what happens; usually the listener's own.
  std::shared_ptr<metrics> counters = std::make_shared<metrics>();
};

}  // namespace cafmcp::transport
