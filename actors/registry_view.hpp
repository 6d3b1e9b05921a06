#pragma once
// What is offered, for readers: an immutable snapshot of all servers, their merged catalogue, and which
// server has what. The registry actor publishes a new one whenever something changes; readers compare a
// number and take it over without a message or a lock that anyone waits for. The view outlives the registry
// actor: when that is restarted it goes on from the last snapshot. Thread-safe.

#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "actors/server.hpp"
#include "mcp/catalogue.hpp"

namespace cafmcp::actors {

/// What is counted of a server, over its restarts. Thread-safe.
class server_stats {
 public:
  /// Upper bounds of the buckets of a call's duration, in microseconds; the last bucket is open.
  static constexpr std::uint64_t bounds_us[] = {50,      100,       250,       500,       1'000,     2'500,
                                                5'000,   10'000,    25'000,    50'000,    100'000,   250'000,
                                                500'000, 1'000'000, 2'500'000, 5'000'000, 10'000'000};
  static constexpr std::size_t buckets = std::size(bounds_us) + 1;

  void count(std::chrono::nanoseconds took, bool failed) noexcept;

  std::uint64_t calls() const noexcept { return calls_.load(std::memory_order_relaxed); }
  std::uint64_t errors() const noexcept { return errors_.load(std::memory_order_relaxed); }
  std::uint64_t bucket(std::size_t i) const noexcept { return buckets_[i].load(std::memory_order_relaxed); }
  std::chrono::nanoseconds total() const noexcept {
    return std::chrono::nanoseconds{total_ns_.load(std::memory_order_relaxed)};
  }

  /// The duration that 99 % of the calls stayed below, from the buckets; 0 without calls.
  double p99_ms() const noexcept;

  std::atomic<std::uint64_t> restarts{0};  ///< of the server's actor

 private:
  std::atomic<std::uint64_t> calls_{0};
  std::atomic<std::uint64_t> errors_{0};
  std::atomic<std::uint64_t> total_ns_{0};
  std::atomic<std::uint64_t> buckets_[buckets] = {};
};

/// A server in a snapshot.
struct server_entry {
  std::shared_ptr<server> impl;
  std::shared_ptr<server_stats> stats;
  mcp::catalogue::ptr offers;  ///< its own
  bool up = true;              ///< its actor runs; false: it is being restarted
};

/// See above.
struct registry_snapshot {
  std::uint64_t version = 0;
  mcp::catalogue::ptr offers;         ///< of all servers
  std::vector<server_entry> servers;  ///< by name

  /// Where what is called by name is, as an index of `servers`; `publish` fills it in.
  struct index {
    std::unordered_map<std::string_view, std::size_t> tools = {};
    std::unordered_map<std::string_view, std::size_t> prompts = {};
    std::unordered_map<std::string_view, std::size_t> resources = {};  ///< by URI
  };
  index by_name = {};  ///< its keys belong to the servers' catalogues

  /// Which server runs a call; null: none does.
  const server_entry* route(const mcp::call& call) const;
};

using snapshot_ptr = std::shared_ptr<const registry_snapshot>;

/// Where the present snapshot is.
class registry_view {
 public:
  registry_view();

  /// The number of the present snapshot; grows with each.
  std::uint64_t version() const noexcept { return version_.load(std::memory_order_acquire); }

  /// The present snapshot; never null.
  snapshot_ptr get() const;

  /// Replaces it; gives it the next number. Registry only.
  void publish(registry_snapshot next);

 private:
  mutable std::mutex mutex_;
  snapshot_ptr current_;
  std::atomic<std::uint64_t> version_{0};
};

}  // namespace cafmcp::actors
