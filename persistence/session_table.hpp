#pragma once
// The records of all sessions in a SQLite file, with those used last kept decoded. Batches change records in
// memory; `flush` writes each changed one once, however many batches of a transaction it had. A row that
// can't be trusted is moved into the table `damaged`, and said. Works within the transaction of its caller.
// Not thread-safe.

#include <cstdint>
#include <functional>
#include <list>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "persistence/batch.hpp"
#include "persistence/sqlite_database.hpp"

namespace cafmcp::persistence {

/// See above.
class session_table {
 public:
  using namer = std::function<std::string(std::string_view)>;

  /// `db` must outlive this. `name_of`: how logs call a session.
  static result<session_table> open(sqlite_database& db, std::size_t cache_bytes, namer name_of);

  /// Carries out a checked batch in memory. `refusal`: why not, if so. Error: the database fails, roll back.
  result<void> apply(const std::vector<operation>& operations, std::uint64_t max_sessions,
                     result<void>& refusal);

  /// Writes what has changed. Error: roll back.
  result<void> flush();

  void committed();
  void rolled_back();

  /// Outside of transactions, or behind `flush`:
  result<session_record> get(std::string_view id);
  result<std::vector<session_summary>> scan(std::uint32_t bucket, std::string_view after, std::size_t limit);
  result<std::vector<std::string>> idle(std::uint32_t bucket, std::int64_t before_ms, std::size_t limit);

  /// Forgets tombstones from before `before_ms`, within a transaction: some thousands in a call.
  result<void> forget(std::uint32_t bucket, std::int64_t before_ms);

  /// Decodes all records. The number of those that were set aside.
  result<std::uint64_t> check();

  /// Sessions that have not ended, as far as committed.
  std::uint64_t live() const noexcept { return live_; }

  /// Records set aside so far.
  std::uint64_t damaged() const noexcept { return damaged_; }

  /// What records in memory take, about.
  std::size_t cached_bytes() const noexcept { return bytes_; }

 private:
  struct entry {
    session_record record;
    std::uint64_t bytes = 0;  // of the record
    bool stored = false;      // there is a row, with these:
    std::int64_t stored_active = 0;
    bool stored_ended = false;
    std::list<std::string_view>::iterator place;
  };
  using entries = std::map<std::string, entry, std::less<>>;

  // A row as it is: what the statement's columns id, last_active, ended, record (from `column`) say.
  static result<session_record> decode_row(const sqlite_statement& row, int column);

  result<entries::iterator> find(std::string_view id, result<void>& refusal);
  result<void> set_aside(const std::string& id, const std::string& why);
  entries::iterator keep(std::string_view id, entry e);
  void drop(entries::iterator i);
  void evict();
  result<void> write(const std::string& id, entry& e);

  sqlite_database* db_ = nullptr;
  std::size_t cache_bytes_ = 0;
  namer name_of_;
  entries entries_;
  std::list<std::string_view> order_;  // last used first; views of the keys
  std::size_t bytes_ = 0;
  std::set<std::string> dirty_;
  std::uint64_t live_ = 0;
  std::int64_t live_change_ = 0;
  std::uint64_t damaged_ = 0;
  sqlite_statement get_, insert_, update_, update_all_, scan_, idle_, forget_, save_damaged_, erase_;
};

}  // namespace cafmcp::persistence
