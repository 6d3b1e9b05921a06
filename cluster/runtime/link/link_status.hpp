#pragma once
// What is counted of a link, readable from every thread without asking it. `link_counters` is thread-safe;
// `link_totals` is a value.

#include <atomic>
#include <cstdint>

namespace cafmcp::cluster {

/// Written by the link, but for `dropped` and `refused`.
struct link_counters {
  std::atomic<std::uint64_t> bytes_out{0};
  std::atomic<std::uint64_t> bytes_in{0};
  std::atomic<std::uint64_t> messages_out{0};  ///< messages, requests and answers
  std::atomic<std::uint64_t> messages_in{0};
  std::atomic<std::uint64_t> dropped{0};     ///< ours, because the backlog was full or their actor gone
  std::atomic<std::uint64_t> refused{0};     ///< of either side: not in the list, too large, no such actor
  std::atomic<std::uint64_t> beats{0};       ///< answered heartbeats
  std::atomic<std::int64_t> rtt_ns{0};       ///< round trip of the last heartbeat
  std::atomic<std::int64_t> slowest_ns{0};   ///< of all
  std::atomic<std::int64_t> heard_ns{0};     ///< steady clock: when the peer was last heard
  std::atomic<std::int64_t> window_free{0};  ///< credit that the peer has left us
  std::atomic<std::uint32_t> exports{0};     ///< our actors that the peer has handles of
  std::atomic<std::uint32_t> imports{0};     ///< its actors that we have handles of
  std::atomic<std::uint32_t> pending{0};     ///< requests that wait for an answer
};

/// What only ever grows of these, for several links together.
struct link_totals {
  std::uint64_t bytes_out = 0;
  std::uint64_t bytes_in = 0;
  std::uint64_t messages_out = 0;
  std::uint64_t messages_in = 0;
  std::uint64_t dropped = 0;
  std::uint64_t refused = 0;

  link_totals& operator+=(const link_counters& link) noexcept {
    bytes_out += link.bytes_out;
    bytes_in += link.bytes_in;
    messages_out += link.messages_out;
    messages_in += link.messages_in;
    dropped += link.dropped;
    refused += link.refused;
    return *this;
  }
};

}  // namespace cafmcp::cluster
