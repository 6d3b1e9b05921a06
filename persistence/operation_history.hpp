#pragma once
// The last operations of each bucket, numbered without gaps in the order in which they were written, for
// whoever has to catch up. Bounded in number and bytes: when a bound is reached the oldest eighth goes, so
// that not every write is also a deletion. Works within the transaction of its caller. Not thread-safe.

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
  /// Reads what there is of `db`, which must outlive this.
  static result<operation_history> open(sqlite_database& db, std::size_t max_operations,
                                        std::size_t max_bytes);

  /// Adds an operation. Error `io`: roll back; or `overloaded`: it is too large.
  result<void> append(const operation& op);

  /// Brings the buckets that have grown back into their bounds. Error `io`: roll back.
  result<void> trim();

  /// The transaction is written.
  void committed() { touched_.clear(); }

  /// The transaction was taken back.
  void rolled_back();

  /// At most `limit` operations behind number `after`. Errors: `not_found`, operations right behind it have
  /// been forgotten, or have never been; `io`.
  result<std::vector<numbered_operation>> read(std::uint32_t bucket, std::uint64_t after, std::size_t limit);

 private:
  struct bucket {
    std::uint64_t next = 1;
    std::deque<std::uint32_t> sizes;  // of those that are kept, the last of which is `next - 1`
    std::size_t bytes = 0;
    bool known = false;
  };

  result<void> learn(std::uint32_t number);

  std::size_t max_operations_ = 1;
  std::size_t max_bytes_ = 0;
  std::array<bucket, bucket_count> buckets_;
  std::set<std::uint32_t> touched_;
  sqlite_statement sizes_, insert_, forget_, read_;
};

}  // namespace cafmcp::persistence
