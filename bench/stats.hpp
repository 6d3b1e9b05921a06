#pragma once
// What a run of the load generator counted. Each worker thread counts into its own; they are merged when all
// have ended. Thread-compatible.

#include <array>
#include <chrono>
#include <cstdint>
#include <map>
#include <string>

#include "bench/histogram.hpp"

namespace cafmcp::bench {

/// Why a request, or a connection, failed.
enum class failure : unsigned char {
  connect,    ///< the connection was refused
  handshake,  ///< the WebSocket upgrade was refused
  write,      ///< sending broke
  read,       ///< receiving broke
  closed,     ///< the peer closed before it had answered
  protocol,   ///< the answer is no HTTP, or no WebSocket
  status,     ///< an HTTP status other than 2xx; counted by status as well
  mismatch,   ///< an echo that differs from what was sent; an answer that belongs to no call
  session,    ///< no MCP session was opened
  answer,     ///< a call was answered with an error, or a result with `isError`
  timeout,    ///< no answer within the plan's timeout
};
inline constexpr std::size_t failure_kinds = 11;

/// The name of a kind, as the reports show it.
const char* to_string(failure kind) noexcept;

/// Counted within the measured window, except connects, which count from the start.
/// A request of the uses `churn` and `abandon` is a session from its connection to its end.
struct stats {
  histogram latency;                 ///< of requests that succeeded, ns
  std::uint64_t bytes_sent = 0;      ///< HTTP messages whole, WebSocket payloads
  std::uint64_t bytes_received = 0;  ///< likewise
  std::uint64_t connects = 0;        ///< connections established, reconnects included
  std::uint64_t reconnects = 0;      ///< connections established anew in place of one that ended
  std::uint64_t sessions = 0;        ///< MCP sessions opened within the window
  std::uint64_t unanswered = 0;      ///< MCP connections that waited for an answer when the run ended
  std::chrono::nanoseconds oldest_unanswered{0};  ///< how long the one that waited longest had
  std::array<std::uint64_t, failure_kinds> failures{};
  std::map<int, std::uint64_t> statuses;  ///< HTTP statuses other than 2xx
  std::string first_failure;  ///< of the whole run, warm-up included: where and why; empty when none

  /// Requests that succeeded.
  std::uint64_t requests() const { return latency.count(); }

  /// The sum of all kinds of failures.
  std::uint64_t failed() const;

  void merge(const stats& other);
};

}  // namespace cafmcp::bench
