#pragma once
// What a store on SQLite is told, and what it tells of itself. Values: thread-compatible.

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdint>
#include <functional>
#include <iterator>
#include <numeric>
#include <string>
#include <string_view>

namespace cafmcp::persistence {

/// See `sqlite_store`.
struct sqlite_options {
  std::string directory;                  ///< made if it is not there (mode 0700); one process at a time
  std::uint64_t max_sessions = 100'000;   ///< that have not ended
  std::size_t queue_operations = 65'536;  ///< that wait; over it `apply` fails at once. Reads: as many again
  std::size_t queue_bytes = std::size_t{256} << 20;  ///< of waiting operations
  bool critical_waits = true;  ///< false: answered when queued, written afterwards, tried until it works
  std::chrono::milliseconds ordinary_delay{10};        ///< that ordinary operations may wait for company
  std::size_t history_operations = 262'144;            ///< kept, of all buckets together (at least 1)
  std::size_t history_bytes = std::size_t{256} << 20;  ///< likewise; the last ones are kept in any case
  std::size_t cache_bytes = std::size_t{32} << 20;     ///< of records that the writer keeps decoded
  /// How logs call a session, whose id is a secret. Empty: by its bucket.
  std::function<std::string(std::string_view)> name_of;
  /// Milliseconds since 1970, UTC: like the times in operations.
  std::function<std::int64_t()> now_ms = [] {
    return std::chrono::duration_cast<std::chrono::milliseconds>(
               std::chrono::system_clock::now().time_since_epoch())
        .count();
  };
  std::string vfs;  ///< a VFS of SQLite's other than its own; for tests
};

/// How many figures were at most as large as each of some bounds, the last of which has none.
template <const auto& Bounds>
struct tally {
  std::array<std::uint64_t, std::size(Bounds) + 1> counts{};
  double sum = 0;

  void add(double figure) noexcept {
    ++counts[static_cast<std::size_t>(std::lower_bound(std::begin(Bounds), std::end(Bounds), figure) -
                                      std::begin(Bounds))];
    sum += figure;
  }

  std::uint64_t count() const noexcept {
    return std::accumulate(counts.begin(), counts.end(), std::uint64_t{0});
  }

  /// The bound that a part `q` (0 to 1) of all figures is within; the last bound for what is over it; 0:
  /// none.
  double quantile(double q) const noexcept {
    const auto all = count();
    std::uint64_t sum_so_far = 0;
    for (std::size_t i = 0; i < std::size(Bounds) && all > 0; ++i)
      if (sum_so_far += counts[i]; static_cast<double>(sum_so_far) >= q * static_cast<double>(all))
        return Bounds[i];
    return all > 0 ? *std::rbegin(Bounds) : 0;
  }
};

inline constexpr double seconds_bounds[] = {0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01,
                                            0.025,  0.05,    0.1,    0.25,  0.5,    1,     2.5};
inline constexpr double group_bounds[] = {1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 4096};

/// Figures of a store, since it was opened.
struct sqlite_stats {
  std::uint64_t queued = 0;        ///< operations that wait now
  std::uint64_t queued_bytes = 0;  ///< likewise
  std::uint64_t groups = 0;        ///< transactions committed
  std::uint64_t operations = 0;    ///< written
  std::uint64_t refused = 0;       ///< operations refused by a full queue
  std::uint64_t failed_groups = 0;
  std::uint64_t damaged = 0;  ///< records set aside
  std::uint64_t gaps = 0;     ///< stretches of the file that can't be read, or that sessions are missing from
  bool doubt = false;         ///< something was lost, so a session that is not found may have been there
  std::uint64_t lost = 0;     ///< operations that were answered before they were written, and then were not
  tally<seconds_bounds> commit_seconds;  ///< spent in COMMIT, fsync included
  tally<seconds_bounds> write_seconds;   ///< from the call of `apply` to its answer
  tally<group_bounds> group_operations;  ///< operations in a transaction
  double loaded = 1;                     ///< part of the file that was read since the start; 1: all of it
  double checked = 1;                    ///< part of the file that a check has seen; 1: there is none
  std::uint64_t sessions = 0;            ///< that have not ended
  std::uint64_t tombstones = 0;          ///< of those that have
  std::uint64_t history_operations = 0;
  std::uint64_t history_bytes = 0;
  std::uint64_t index_bytes = 0;  ///< of memory, for where all sessions are
  std::uint64_t cache_bytes = 0;  ///< of memory, for records used last
  std::uint64_t file_bytes = 0;   ///< of the database, its log not counted
  std::uint64_t log_bytes = 0;    ///< of its write-ahead log
};

}  // namespace cafmcp::persistence
