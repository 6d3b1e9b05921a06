#pragma once
// A thin owner of a SQLite connection and its prepared statements: every call gives a result whose message
// names the file and SQLite's reason. Nothing here knows of sessions. Not thread-safe: one thread at a time.

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/result.hpp"

struct sqlite3;
struct sqlite3_stmt;

namespace cafmcp::persistence {

class sqlite_statement;

/// An open database file.
class sqlite_database {
 public:
  /// Opens or creates `path`. `vfs`: the name of a registered VFS; empty: SQLite's own.
  static result<sqlite_database> open(const std::string& path, const std::string& vfs);

  /// Runs statements that give no rows. Error `io`.
  result<void> exec(const std::string& sql);

  /// The number in the first column of the first row; 0 without rows.
  result<std::int64_t> number(const std::string& sql);

  /// Like `number`, for text.
  result<std::string> text(const std::string& sql);

  /// A statement for good. It must not outlive the database.
  result<sqlite_statement> prepare(std::string_view sql);

  /// Rows that the last statement has changed.
  std::int64_t changes() const noexcept;

  /// Forgets the pages that it keeps in memory: what is read next comes from the file.
  void forget_pages() noexcept;

  /// Whether a transaction is open.
  bool in_transaction() const noexcept;

  /// Whether closing leaves the log alone; else it is written back and deleted.
  void keep_log(bool keep) noexcept;

  /// Closes the file; nothing may be called afterwards. Error `io`: a statement is still alive.
  result<void> close();

  /// What SQLite says of the last call, as an error that names the file.
  error fault() const;

  /// Whether the last call failed because the file is no database or has a broken page.
  bool damaged() const noexcept;

 private:
  struct closer {
    void operator()(sqlite3* db) const noexcept;
  };

  std::string path_;
  std::unique_ptr<sqlite3, closer> db_;
};

/// A prepared statement: `bind` in order from 1, then `step` until it is false; `reset` before the next use.
class sqlite_statement {
 public:
  sqlite_statement() = default;

  /// A number or bytes for place `at`. Bytes must live until the next `reset`.
  sqlite_statement& bind(int at, std::int64_t value) noexcept;
  sqlite_statement& bind(int at, std::string_view blob) noexcept;

  /// Whether there is a row. Error `io`.
  result<bool> step();

  /// Carries out a statement without rows, and resets it.
  result<void> run();

  /// Makes it ready for other values; forgets the old ones.
  void reset() noexcept;

  /// Columns of the row, from 0. Bytes live until the next `step` or `reset`.
  std::int64_t number(int column) const noexcept;
  std::string_view bytes(int column) const noexcept;

 private:
  friend class sqlite_database;
  struct finalizer {
    void operator()(sqlite3_stmt* s) const noexcept;
  };

  std::string path_;
  bool bound_ = true;  // every bind has worked
  std::unique_ptr<sqlite3_stmt, finalizer> statement_;
};

/// Resets a statement at the end of a scope.
class statement_use {
 public:
  explicit statement_use(sqlite_statement& s) noexcept : statement_(s) {}
  ~statement_use() { statement_.reset(); }
  statement_use(const statement_use&) = delete;
  statement_use& operator=(const statement_use&) = delete;

 private:
  sqlite_statement& statement_;
};

}  // namespace cafmcp::persistence
