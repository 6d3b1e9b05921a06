#pragma once
// What a store on SQLite is told, and what it tells of itself. Values: thread-compatible.

#include <chrono>
#include <cstdint>
#include <functional>
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
  std::chrono::milliseconds ordinary_delay{10};      ///< that ordinary operations may wait for company
  std::size_t history_operations = 1024;             ///< kept for each bucket (at least 1)
  std::size_t history_bytes = std::size_t{4} << 20;  ///< likewise; the last operation is kept in any case
  std::size_t cache_bytes = std::size_t{32} << 20;   ///< of records that the writer keeps decoded
  /// How logs call a session, whose id is a secret. Empty: by its bucket.
  std::function<std::string(std::string_view)> name_of;
  std::string vfs;  ///< a VFS of SQLite's other than its own; for tests
};

/// Figures of a store, since it was opened.
struct sqlite_stats {
  std::uint64_t queued = 0;        ///< operations that wait now
  std::uint64_t queued_bytes = 0;  ///< likewise
  std::uint64_t groups = 0;        ///< transactions committed
  std::uint64_t operations = 0;    ///< written
  std::uint64_t refused = 0;       ///< operations refused by a full queue
  std::uint64_t failed_groups = 0;
  std::uint64_t damaged = 0;  ///< records set aside
  std::uint64_t lost = 0;     ///< operations that were answered before they were written, and then were not
  std::chrono::nanoseconds commit_total{0};  ///< spent in COMMIT, fsync included
  std::chrono::nanoseconds commit_max{0};
  std::uint64_t file_bytes = 0;  ///< of the database, its log not counted
};

}  // namespace cafmcp::persistence
