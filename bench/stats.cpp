#include "bench/stats.hpp"

#include <algorithm>
#include <numeric>

namespace cafmcp::bench {

const char* to_string(failure kind) noexcept {
  constexpr std::array<const char*, failure_kinds> names{"connect", "handshake", "write",   "read",
                                                         "closed",  "protocol",  "status",  "mismatch",
                                                         "session", "answer",    "timeout", "lost"};
  return names[static_cast<std::size_t>(kind)];
}

std::uint64_t stats::failed() const {
  return std::accumulate(failures.begin(), failures.end(), std::uint64_t{0});
}

void stats::merge(const stats& other) {
  latency.merge(other.latency);
  initialize.merge(other.initialize);
  ids.merge(other.ids);
  bytes_sent += other.bytes_sent;
  bytes_received += other.bytes_received;
  connects += other.connects;
  reconnects += other.reconnects;
  sessions += other.sessions;
  unanswered += other.unanswered;
  oldest_unanswered = std::max(oldest_unanswered, other.oldest_unanswered);
  for (std::size_t i = 0; i < failures.size(); ++i)
    failures[i] += other.failures[i];
  for (const auto& [status, times] : other.statuses)
    statuses[status] += times;
  if (first_failure.empty())
    first_failure = other.first_failure;
}

}  // namespace cafmcp::bench
