#pragma once
// What a listener counts: plain atomics that the server adds to and that anyone reads, with no library behind
// them. One object may serve several servers, one after the other, so that counters survive a restart of the
// listener. Thread-safe.

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>

namespace cafmcp::transport {

/// A number that only grows.
class counter {
 public:
  void add(std::uint64_t n = 1) noexcept { value_.fetch_add(n, std::memory_order_relaxed); }
  std::uint64_t get() const noexcept { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<std::uint64_t> value_{0};
};

/// A number that goes up and down.
class gauge {
 public:
  void add(std::int64_t n) noexcept { value_.fetch_add(n, std::memory_order_relaxed); }
  std::int64_t get() const noexcept { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<std::int64_t> value_{0};
};

/// How a WebSocket ended, as an index of `metrics::closes`.
enum class close_class : std::uint8_t {
  normal,    ///< 1000 and 1001, from either side
  violated,  ///< the client broke a rule: 1002, 1003, 1007, 1008, 1009
  overload,  ///< 1013
  lost,      ///< without a good-bye, or no pong in time
};

/// Everything that is counted.
struct metrics {
  counter accepted;         ///< connections taken from the listening socket, the refused ones included
  counter accept_errors;    ///< failures of accept(2), whatever the reason
  counter accept_backoffs;  ///< pauses of the accept loop because of such failures
  gauge open;               ///< connections that are open now, taken-over ones included
  gauge streams;            ///< those of them that a handler has taken over (WebSocket, SSE)

  counter refused_connections;  ///< connections refused: `limits::connections`
  counter refused_address;      ///< connections refused: `limits::connections_per_address`
  counter refused_descriptors;  ///< connections refused: the process is out of file descriptors
  counter refused_draining;     ///< connections refused: the server is going away

  std::array<counter, 6> responses;  ///< by class of status: `responses[2]` counts 2xx; [0] is unused
  counter bad_requests;              ///< requests refused before a handler saw them: syntax and limits
  counter handler_errors;            ///< handlers that threw
  counter bytes_in;                  ///< read by HTTP (not by a handler that took over)
  counter bytes_out;                 ///< written by HTTP (not by a handler that took over)

  gauge websockets;      ///< WebSockets open now
  gauge sse_streams;     ///< event streams open now: of GETs, and answers that became streams
  counter messages_in;   ///< MCP messages (a batch is one) that were given to a session
  counter messages_out;  ///< MCP messages queued for clients
  counter slow_readers;  ///< streams and WebSockets cut because their client did not take what was queued
  std::array<counter, 4> closes;  ///< WebSockets ended: see `close_class`

  counter timeouts_header;   ///< headers that did not arrive in time (408)
  counter timeouts_idle;     ///< idle connections closed
  counter timeouts_body;     ///< bodies that did not arrive in time (408)
  counter timeouts_handler;  ///< handlers that did not answer in time (504)
  counter timeouts_write;    ///< clients that did not take their response in time (reset)
};

}  // namespace cafmcp::transport
