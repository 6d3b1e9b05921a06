#pragma once
// What a run of the load generator counted. Each worker thread counts into its own; they are merged when all
// have ended. Thread-compatible.

#include <array>
#include <chrono>
#include <cstdint>
#include <map>
#include <string>

#include "bench/histogram.hpp"
#include "bench/session_ids.hpp"

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
  lost,       ///< a session that was to be resumed is not known (404)
};
inline constexpr std::size_t failure_kinds = 12;

/// The name of a kind, as the reports show it.
const char* to_string(failure kind) noexcept;

/// Counted within the measured window, except connects, which count from the start.
/// A request of the uses `churn` and `abandon` is a session from its connection to its end; of `open`, from
/// its `initialize` until the server knows that it is open; of `resume`, a call until it is answered for
/// good.
struct stats {
  histogram latency;                 ///< of requests that succeeded, ns
  histogram initialize;              ///< use `open`: of each `initialize` that was not refused for now, ns
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

  id_sample ids;  ///< use `open`: some of the sessions that were opened

  // Of the whole run, not of a worker.
  std::chrono::nanoseconds measured{0};  ///< how long the window was
  std::uint64_t again = 0;               ///< requests refused for now, and sent again
  std::string ended_early;               ///< why the run did not last as planned; empty when it did

  /// Requests that succeeded.
  std::uint64_t requests() const { return latency.count(); }

  /// The sum of all kinds of failures.
  std::uint64_t failed() const;

  void merge(const stats& other);
};

}  // namespace cafmcp::bench
