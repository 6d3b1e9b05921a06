#pragma once
// The store that forgets everything with the process: for tests, for `durability.critical: memory`, and as
// what a store on disk is compared with. Records are in memory, in 256 buckets with a lock each, so that
// threads which work on different sessions hardly meet. Everything is done within the call, and callbacks
// come before it returns, without a lock held. Bounds hold for all buckets together: over them, what would
// grow is refused, and what shrinks always works. Thread-safe.

#include <array>
#include <atomic>
#include <map>
#include <memory>
#include <mutex>

#include "persistence/session_store.hpp"

namespace cafmcp::persistence {

/// See above.
class memory_store final : public session_store {
 public:
  /// At most `max_sessions` that have not ended, and about `max_bytes` for all records, tombstones included.
  memory_store(std::uint64_t max_sessions, std::uint64_t max_bytes);

  void get(std::string_view session, callback<session_record> then) override;
  void apply(std::vector<operation> operations, callback<void> then) override;
  void scan(std::uint32_t bucket, std::string_view after, std::size_t limit,
            callback<std::vector<session_summary>> then) override;
  void expire(std::uint32_t bucket, std::int64_t before_ms, std::size_t limit,
              callback<std::vector<idle_session>> then) override;

  std::uint64_t size() const noexcept override { return size_.load(std::memory_order_relaxed); }

  /// About how many bytes all records take, tombstones included.
  std::uint64_t bytes() const noexcept { return bytes_.load(std::memory_order_relaxed); }

 private:
  struct stored {
    session_record record;
    std::uint64_t bytes = 0;
  };
  struct bucket {
    mutable std::mutex mutex;
    std::map<std::string_view, std::unique_ptr<stored>> sessions;  // keys belong to the records
  };
  class reservation;

  result<void> change(const std::vector<operation>& operations);
  result<void> carry_out(stored& s, const std::vector<operation>& operations);

  const std::uint64_t max_sessions_;
  const std::uint64_t max_bytes_;
  std::atomic<std::uint64_t> size_{0};
  std::atomic<std::uint64_t> bytes_{0};
  std::array<bucket, bucket_count> buckets_;
};

}  // namespace cafmcp::persistence
