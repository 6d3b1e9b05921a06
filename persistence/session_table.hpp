#pragma once
// The records of all sessions: rows in a SQLite file (`session_rows`), where each is (`session_index`), and
// those used last, decoded. Batches change records in memory; `flush` writes each changed one once, however
// many batches of a transaction it had. Works within the transaction of its caller; the index follows when
// that is committed.
//
// After a start the index is empty. `load` fills it bit by bit, looking at the checksum of each row, while
// the table is used: a session that was not come to yet is `unavailable`, new ones are made as always.
//
// What can't be trusted is read again, then said and set aside: a row by itself, into the table `damaged`;
// rows on pages that can't be read stay where they are. From then on there is *doubt*: a session that is not
// found may be one that was lost, which is the error `io` and not `not_found`. Doubt is remembered, and ends
// when all that was lost would have expired. Not thread-safe.

#include <cstdint>
#include <functional>
#include <list>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "persistence/batch.hpp"
#include "persistence/session_index.hpp"
#include "persistence/session_rows.hpp"
#include "persistence/session_store.hpp"
#include "persistence/sqlite_database.hpp"
#include "persistence/sqlite_options.hpp"

namespace cafmcp::persistence {

/// What a look at all rows has found.
struct rows_seen {
  std::uint64_t rows = 0;
  std::uint64_t damaged = 0;  ///< set aside
  std::uint64_t gaps = 0;     ///< stretches of rows on pages that can't be read
};

/// See above.
class session_table {
 public:
  /// A look at all rows, in pieces.
  struct walk {
    std::uint64_t next = 1;
    std::uint64_t last = 0;
    std::uint64_t tried = 0;  // where reading has failed once
    bool done = false;
    rows_seen seen;

    /// How much of it is done, 0 to 1.
    double part() const noexcept {
      return done ? 1 : static_cast<double>(next - 1) / static_cast<double>(last);
    }
  };

  /// `db` must outlive this.
  static result<session_table> open(sqlite_database& db, const sqlite_options& options);

  /// Carries out a checked batch in memory. `refusal`: why not, if so. Error: the database fails, roll back.
  result<void> apply(const std::vector<operation>& operations, std::uint64_t max_sessions,
                     result<void>& refusal);

  /// Writes what has changed. Error: roll back.
  result<void> flush();

  void committed();
  void rolled_back();

  /// Outside of transactions:
  result<session_record> get(std::string_view id);
  result<std::vector<session_summary>> scan(std::uint32_t bucket, std::string_view after, std::size_t limit);
  result<std::vector<idle_session>> idle(std::uint32_t bucket, std::int64_t before_ms, std::size_t limit);

  /// Forgets tombstones from before `before_ms`, within a transaction behind `flush`: some thousands in a
  /// call.
  result<void> forget(std::uint32_t bucket, std::int64_t before_ms);

  /// Whether rows have yet to be loaded, and which part of them has been, 0 to 1.
  bool loading() const noexcept { return !load_.done; }
  double loaded() const noexcept { return load_.part(); }

  /// Whether the session's row is known, or its key at least.
  bool knows(std::string_view id) const;

  /// Loads about `limit` rows and calls `on_row` with their sessions' ids. Error: try again later.
  result<void> load(std::size_t limit, const std::function<void(std::string_view)>& on_row);

  /// A walk over what is stored now.
  walk begin_check() const;

  /// Looks at about `limit` rows.
  result<void> check(walk& w, std::size_t limit);

  /// Sessions that have not ended, and tombstones as far as loaded; both as far as committed.
  std::uint64_t live() const noexcept { return live_; }
  std::uint64_t tombstones() const noexcept { return index_.ended(); }

  /// Records set aside, and stretches of rows that can't be read, so far.
  std::uint64_t damaged() const noexcept { return damaged_; }
  std::uint64_t gaps() const noexcept { return gaps_; }
  bool doubt() const noexcept { return doubt_ms_ != 0; }

  /// What records in memory take, about, and what the index takes.
  std::size_t cached_bytes() const noexcept { return bytes_; }
  std::size_t index_bytes() const noexcept { return index_.bytes(); }

 private:
  using place = session_index::place;
  struct entry {
    session_record record;
    std::uint64_t bytes = 0;  // of the record
    std::uint64_t row = 0;    // 0: there is none yet
    place stored;             // what the index says of it
    bool dirty = false;       // it is not written yet
    std::list<std::string_view>::iterator order;
  };
  struct hash : std::hash<std::string_view> {
    using is_transparent = void;
  };
  using entries = std::unordered_map<std::string, entry, hash, std::equal_to<>>;
  struct change {
    std::uint32_t bucket;
    place before;  // a row of 0: there was none
    place after;   // likewise
  };

  result<entries::iterator> find(std::string_view id, result<void>& refusal);
  result<std::optional<session_record>> read(std::string_view id, const place& where, result<void>& refusal);
  result<session_record> read_surely(std::uint64_t row, std::string& id);
  std::optional<error> why_unknown() const;
  result<void> set_aside(const place& where, std::string_view id, const std::string& why);
  result<void> repair(std::uint64_t row, const session_record& record);
  result<void> in_transaction(const std::function<result<void>()>& f);
  void begin_doubt();
  result<void> note_doubt();
  result<void> walk_on(walk& w, std::size_t limit,
                       const std::function<void(const session_record&, const place&)>& f);
  std::uint64_t skip_gap(walk& w, const error& why);
  void finish_load();
  result<void> write(entry& e);
  result<void> write_live(std::uint64_t live);
  entries::iterator keep(std::string_view id, entry e);
  void drop(entries::iterator i);
  void evict();
  void carry_out(const change& c);

  sqlite_database* db_ = nullptr;
  std::size_t cache_bytes_ = 0;
  std::function<std::string(std::string_view)> name_of_;
  std::function<std::int64_t()> now_ms_;
  session_rows rows_;
  session_index index_;
  entries entries_;
  std::list<std::string_view> order_;  // last used first; views of the keys
  std::size_t bytes_ = 0;
  std::vector<entry*> dirty_;
  std::vector<change> changes_;  // of the index, when this is committed
  std::uint64_t live_ = 0;
  std::int64_t live_change_ = 0;
  std::uint64_t damaged_ = 0;
  std::uint64_t gaps_ = 0;
  std::int64_t doubt_ms_ = 0;  // since when there is
  walk load_;
  bool counted_ = false;  // when all is loaded
  std::vector<place> found_;
  sqlite_statement write_live_, write_doubt_;
};

}  // namespace cafmcp::persistence
