#pragma once
// The store on disk: a SQLite file in a directory that belongs to one process. One thread does everything; it
// takes what is queued as a group, writes all records and operations of the group in one transaction, with
// one fsync, and then answers. Reads go the same way, behind the group's writes, so they see what was asked
// for before them. When the disk fails, the group is taken back and its operations fail with SQLite's reason;
// the next group tries again, so the store works again as soon as the disk does. When the disk is slow, the
// queue fills up, and what is over its bounds is refused at once.
//
// After a start the thread reads the whole file between groups, to know where sessions are and which rows are
// damaged. It works meanwhile: a `get` of a session that it has not come to waits until it has.
//
// An error of a commit leaves in doubt whether a crash right after it would find the group written; what was
// answered with success is on disk, unless `critical_waits` is off. Callbacks come on the store's thread:
// they must be short, must not throw, and must not let go of the last reference to the store. All functions
// are thread-safe.

#include <atomic>
#include <chrono>
#include <map>
#include <memory>
#include <mutex>

#include "persistence/operation_history.hpp"
#include "persistence/session_store.hpp"
#include "persistence/session_table.hpp"
#include "persistence/sqlite_database.hpp"
#include "persistence/sqlite_file.hpp"
#include "persistence/sqlite_options.hpp"
#include "persistence/store_writer.hpp"

namespace cafmcp::persistence {

/// What a check has found.
struct store_check {
  rows_seen sessions;
  std::uint64_t damaged_operations = 0;  ///< batches of the history that can't be read
};

/// See above.
class sqlite_store final : public session_store {
 public:
  /// Opens the directory's `sessions.db`, or makes it. Errors: `conflict`, another process is in the
  /// directory, or the file is foreign or of another version; `io`.
  static result<std::shared_ptr<sqlite_store>> open(const sqlite_options& options);

  /// Like `close`.
  ~sqlite_store() override;

  void get(std::string_view session, callback<session_record> then) override;

  /// A batch of ordinary operations alone waits up to `ordinary_delay` for others.
  void apply(std::vector<operation> operations, callback<void> then) override;

  void scan(std::uint32_t bucket, std::string_view after, std::size_t limit,
            callback<std::vector<session_summary>> then) override;
  void expire(std::uint32_t bucket, std::int64_t before_ms, std::size_t limit,
              callback<std::vector<idle_session>> then) override;
  std::uint64_t size() const noexcept override { return size_.load(std::memory_order_relaxed); }

  /// Operations of a bucket behind number `after`, at most `limit` (1 to 10 000). Errors: `not_found`, those
  /// right behind it are forgotten or have never been; `io`.
  void history(std::uint32_t bucket, std::uint64_t after, std::size_t limit,
               callback<std::vector<numbered_operation>> then);

  /// Looks at every record and every operation, between groups; damaged records are set aside. One check at a
  /// time. Errors: `conflict`, one is under way; `unavailable`, the store has not read its file yet; `io`.
  void check(callback<store_check> then);

  /// Whether the last attempt to write has worked; if not, the reason.
  result<void> health() const;

  sqlite_stats stats() const;

  /// Writes what is queued and closes the file; afterwards everything is refused. Error: what went wrong.
  result<void> close();

 private:
  explicit sqlite_store(const sqlite_options& options) : options_(options) {}

  result<void> start();
  template <class T>
  void read(callback<T> then, std::function<result<T>()> how, std::function<result<void>()> inside = {});
  void enqueue(store_job job);

  // On the store's thread:
  struct group;
  struct running_check {
    session_table::walk rows;
    std::uint64_t history_row = 1;
    store_check found;
    callback<store_check> then;
  };
  store_turn run(std::deque<store_job>& jobs, bool last);
  bool run_group(std::deque<store_job>& jobs, bool last);
  result<void> write(std::deque<store_job>& jobs, group& g);
  result<void> transact(std::deque<store_job>& jobs, group& g);
  void answer(std::deque<store_job>& jobs, group& g, const result<void>& written);
  void get_or_wait(const std::string& id, callback<session_record> then);
  void begin_check(callback<store_check> then);
  store_turn work_on(std::size_t rows);
  result<void> load(std::size_t rows);
  result<void> check_on(std::size_t rows);
  void say_loaded();
  void give_up_waiting(const error& why);
  void count_sessions();
  void note(const group& g, const result<void>& written);
  void lose(const store_job& job, const error& why);

  const sqlite_options options_;
  std::atomic<std::uint64_t> size_{0};
  std::atomic<std::uint64_t> creates_{0};  // answered before they are written
  mutable std::mutex mutex_;               // of the next two
  result<void> health_;
  sqlite_stats stats_;
  std::mutex closing_;
  bool closed_ = false;

  // Touched by the store's thread alone while there is one. Statements go before their database.
  directory_lock lock_;
  sqlite_database db_;
  std::unique_ptr<session_table> table_;
  std::unique_ptr<operation_history> history_;
  std::multimap<std::string, callback<session_record>, std::less<>> waiting_;  // for the load to come to them
  std::unique_ptr<running_check> check_;
  std::chrono::steady_clock::time_point opened_, said_;
  std::unique_ptr<store_writer> writer_;
};

}  // namespace cafmcp::persistence
