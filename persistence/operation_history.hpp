#pragma once
// The last operations of all buckets, for whoever has to catch up: those of each bucket are numbered without
// gaps in the order in which they were written. They are appended batch by batch, whatever their buckets, so
// that a group of batches is a few pages; what is forgotten is the oldest of all. Bounded in number and
// bytes: when a bound is reached the oldest eighth goes, so that not every write is also a deletion. Works
// within the transaction of its caller. Not thread-safe.

#include <array>
#include <cstdint>
#include <deque>
#include <set>
#include <vector>

#include "persistence/operation.hpp"
#include "persistence/sqlite_database.hpp"

namespace cafmcp::persistence {

/// An operation and its number in the bucket's history, from 1.
struct numbered_operation {
  std::uint64_t number = 0;
  operation what;
};

/// See above.
class operation_history {
 public:
  /// Reads what there is of `db`, which must outlive this. The bounds are for all buckets together.
  static result<operation_history> open(sqlite_database& db, std::size_t max_operations,
                                        std::size_t max_bytes);

  /// Adds operations of one session. Errors: roll back.
  result<void> append(const std::vector<operation>& batch);

  /// Brings what has grown back into its bounds. Error `io`: roll back.
  result<void> trim();

  /// The transaction is written.
  void committed();

  /// The transaction was taken back.
  void rolled_back();

  /// Outside of transactions: at most `limit` operations behind number `after`. Errors: `not_found`,
  /// operations right behind it have been forgotten, or have never been; `io`.
  result<std::vector<numbered_operation>> read(std::uint32_t bucket, std::uint64_t after, std::size_t limit);

  /// Looks at about `limit` batches from `row` on, which is moved. The number of those that are damaged; the
  /// walk is over when `row` is 0. Error `io`.
  result<std::uint64_t> check(std::uint64_t& row, std::size_t limit);

  /// What is kept.
  std::uint64_t operations() const noexcept { return operations_; }
  std::uint64_t bytes() const noexcept { return bytes_; }

 private:
  // A row: some operations of one bucket, with the numbers from `first` on.
  struct segment {
    std::uint64_t row = 0;
    std::uint64_t first = 0;
    std::uint32_t bucket = 0;
    std::uint32_t count = 0;
    std::uint64_t bytes = 0;
  };
  struct numbers {
    std::uint64_t first = 1;  // that is kept; `next` if none is
    std::uint64_t next = 1;
  };

  result<void> learn(sqlite_database& db);
  result<void> append_segment(const std::vector<operation>& batch, std::size_t begin, std::size_t end);
  void count(const segment& s, std::uint64_t sign) noexcept;
  std::uint64_t last_row() const noexcept;
  result<std::vector<operation>> load(const segment& s);

  std::uint64_t max_operations_ = 1;
  std::uint64_t max_bytes_ = 0;
  std::array<numbers, bucket_count> buckets_;
  std::deque<segment> segments_;  // by row
  std::uint64_t operations_ = 0;
  std::uint64_t bytes_ = 0;
  std::size_t fresh_ = 0;      // of the segments, at the end: not committed
  std::size_t forgotten_ = 0;  // of them, at the front: deleted when this is committed
  sqlite_statement insert_, forget_, keep_number_, read_;
};

}  // namespace cafmcp::persistence
