#pragma once
// What stores share: a batch is checked before it is carried out, and taken back if one of its operations
// fails; a record is summed up for lists. Pure functions; `batch_undo` is thread-compatible.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.hpp"
#include "persistence/operation.hpp"
#include "persistence/record.hpp"
#include "persistence/session_store.hpp"

namespace cafmcp::persistence {

/// Takes the operations of a batch back. Only what they touch is kept, because a record may hold megabytes
/// that a batch has nothing to do with.
class batch_undo {
 public:
  explicit batch_undo(session_record& record)
      : record_(record),
        created_ms_(record.created_ms),
        last_active_ms_(record.last_active_ms),
        ended_(record.ended),
        epoch_(record.epoch),
        seq_(record.seq),
        last_outbound_(record.last_outbound) {}

  /// Keeps what `op` is going to change. Nothing succeeds after an end, so that keeps all there is to keep.
  void before(const operation& op);

  /// Makes the record what it was.
  void undo();

 private:
  void keep_key(std::string_view key);

  // Entries of this batch itself are not kept: they would go anyway.
  void keep_entries(std::uint64_t up_to);

  session_record& record_;
  const std::int64_t created_ms_;
  const std::int64_t last_active_ms_;
  const bool ended_;
  const std::uint64_t epoch_;
  const std::uint64_t seq_;
  const std::uint64_t last_outbound_;
  std::optional<mcp::session_state> protocol_;
  std::vector<std::pair<std::string, std::optional<std::string>>> keys_;  // nothing: was not there
  std::vector<outbound_entry> entries_;
  std::optional<session_record> whole_;
};

/// Error `invalid`: the batch is empty, is not of one session, or does not name that session's bucket.
result<void> check_batch(const std::vector<operation>& operations);

/// What lists show; `bytes` is `bytes_of(record)`, which the caller may know already.
session_summary summary_of(const session_record& record, std::uint64_t bytes);

}  // namespace cafmcp::persistence
