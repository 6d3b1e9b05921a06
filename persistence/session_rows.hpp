#pragma once
// The table of sessions in the file: a row for each, appended in the order in which they are made, so that
// sessions that are made together share pages and a group of them costs few. Knows rows by their number only;
// whose they are, `session_index` knows. A row is its record, and copies of what can be told without
// unpacking that. Not thread-safe.

#include <cstdint>
#include <functional>
#include <optional>
#include <string_view>

#include "persistence/record.hpp"
#include "persistence/sqlite_database.hpp"

namespace cafmcp::persistence {

/// A row as it stands in the file; views live as long as the call that gives it.
struct session_row {
  std::uint64_t number = 0;
  std::string_view id;
  std::int64_t last_active_ms = 0;
  bool ended = false;
  std::string_view record;  ///< encoded
};

/// See above.
class session_rows {
 public:
  /// `db` must outlive this.
  static result<session_rows> open(sqlite_database& db);

  /// The number of the last row; 0: there is none.
  std::uint64_t last() const noexcept { return last_; }

  /// Calls `f` with the row, if there is one; whether there is. Error: the file can't be read.
  result<bool> read(std::uint64_t number, const std::function<void(const session_row&)>& f);

  /// Whether the copies in a row are what its record says. The record has a checksum, and they have none.
  static bool agrees(const session_row& row, const session_record& record) noexcept;

  /// Within a transaction; errors: roll back. Error `io` of the last two, too: the row is not there.
  result<std::uint64_t> append(const session_record& record);
  result<void> update(std::uint64_t number, const session_record& record);
  result<void> remove(std::uint64_t number);

  /// Moves a row, if there is one, into the table `damaged`. Within a transaction.
  result<void> set_aside(std::uint64_t number, std::string_view reason);

  /// Calls `f` for at most `limit` rows from `from` to `to`, in their order, and moves `from` behind the last
  /// one. Whether there may be more. Error: what is at `from` can't be read; `invalid`: it is out of order.
  result<bool> walk(std::uint64_t& from, std::uint64_t to, std::size_t limit,
                    const std::function<void(const session_row&)>& f);

  /// The first number behind `from`, where reading fails, from which on it works again; `to` + 1 if from
  /// none.
  std::uint64_t behind_damage(std::uint64_t from, std::uint64_t to);

 private:
  static session_row row_of(const sqlite_statement& s);
  result<void> changed_one(std::uint64_t number) const;

  sqlite_database* db_ = nullptr;
  std::uint64_t last_ = 0;
  sqlite_statement read_, insert_, update_, erase_, save_damaged_, walk_;
};

}  // namespace cafmcp::persistence
