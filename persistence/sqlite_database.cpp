#include "persistence/sqlite_database.hpp"

#include <sqlite3.h>

#include <cstring>

namespace cafmcp::persistence {

namespace {

error fault_of(const std::string& path, sqlite3* db, int code) {
  std::string message = path + ": " + (db ? ::sqlite3_errmsg(db) : ::sqlite3_errstr(code));
  if (db)
    if (const int number = ::sqlite3_system_errno(db); number != 0 && ::sqlite3_errcode(db) != SQLITE_FULL)
      message += std::string{" ("} + std::strerror(number) + ")";
  return fail(errc::io, std::move(message));
}

}  // namespace

void sqlite_database::closer::operator()(sqlite3* db) const noexcept {
  ::sqlite3_close_v2(db);
}

void sqlite_statement::finalizer::operator()(sqlite3_stmt* s) const noexcept {
  ::sqlite3_finalize(s);
}

result<sqlite_database> sqlite_database::open(const std::string& path, const std::string& vfs) {
  sqlite3* raw = nullptr;
  const int code = ::sqlite3_open_v2(
      path.c_str(), &raw,
      SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_PRIVATECACHE,
      vfs.empty() ? nullptr : vfs.c_str());
  sqlite_database out;
  out.path_ = path;
  out.db_.reset(raw);
  if (code != SQLITE_OK)
    return fault_of(path, raw, code);
  ::sqlite3_extended_result_codes(raw, 1);
  return out;
}

error sqlite_database::fault() const {
  return fault_of(path_, db_.get(), SQLITE_OK);
}

bool sqlite_database::damaged() const noexcept {
  const int code = ::sqlite3_errcode(db_.get()) & 0xff;
  return code == SQLITE_CORRUPT || code == SQLITE_NOTADB;
}

result<void> sqlite_database::exec(const std::string& sql) {
  if (::sqlite3_exec(db_.get(), sql.c_str(), nullptr, nullptr, nullptr) != SQLITE_OK)
    return fault();
  return {};
}

result<sqlite_statement> sqlite_database::prepare(std::string_view sql) {
  sqlite3_stmt* raw = nullptr;
  if (::sqlite3_prepare_v3(db_.get(), sql.data(), static_cast<int>(sql.size()), SQLITE_PREPARE_PERSISTENT,
                           &raw, nullptr) != SQLITE_OK)
    return fault();
  sqlite_statement out;
  out.path_ = path_;
  out.statement_.reset(raw);
  return out;
}

result<std::int64_t> sqlite_database::number(const std::string& sql) {
  auto statement = prepare(sql);
  if (!statement)
    return statement.error();
  const auto row = statement->step();
  if (!row)
    return row.error();
  return *row ? statement->number(0) : std::int64_t{0};
}

result<std::string> sqlite_database::text(const std::string& sql) {
  auto statement = prepare(sql);
  if (!statement)
    return statement.error();
  const auto row = statement->step();
  if (!row)
    return row.error();
  return *row ? std::string{statement->bytes(0)} : std::string{};
}

bool sqlite_database::in_transaction() const noexcept {
  return ::sqlite3_get_autocommit(db_.get()) == 0;
}

std::int64_t sqlite_database::changes() const noexcept {
  return ::sqlite3_changes64(db_.get());
}

void sqlite_database::forget_pages() noexcept {
  ::sqlite3_db_release_memory(db_.get());
}

void sqlite_database::keep_log(bool keep) noexcept {
  ::sqlite3_db_config(db_.get(), SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, keep ? 1 : 0, nullptr);
}

result<void> sqlite_database::close() {
  if (::sqlite3_close(db_.get()) != SQLITE_OK)
    return fault();
  db_.release();
  return {};
}

sqlite_statement& sqlite_statement::bind(int at, std::int64_t value) noexcept {
  bound_ &= ::sqlite3_bind_int64(statement_.get(), at, value) == SQLITE_OK;
  return *this;
}

sqlite_statement& sqlite_statement::bind(int at, std::string_view blob) noexcept {
  const char* data = blob.data() ? blob.data() : "";  // no bytes are not NULL
  bound_ &= ::sqlite3_bind_blob64(statement_.get(), at, data, blob.size(), SQLITE_STATIC) == SQLITE_OK;
  return *this;
}

result<bool> sqlite_statement::step() {
  const int code = bound_ ? ::sqlite3_step(statement_.get()) : SQLITE_ERROR;
  if (code == SQLITE_ROW)
    return true;
  if (code == SQLITE_DONE)
    return false;
  return fault_of(path_, ::sqlite3_db_handle(statement_.get()), code);
}

result<void> sqlite_statement::run() {
  auto done = step();
  reset();
  if (!done)
    return done.error();
  return {};
}

void sqlite_statement::reset() noexcept {
  ::sqlite3_reset(statement_.get());
  ::sqlite3_clear_bindings(statement_.get());
  bound_ = true;
}

std::int64_t sqlite_statement::number(int column) const noexcept {
  return ::sqlite3_column_int64(statement_.get(), column);
}

std::string_view sqlite_statement::bytes(int column) const noexcept {
  const auto* data = static_cast<const char*>(::sqlite3_column_blob(statement_.get(), column));
  const auto size = static_cast<std::size_t>(::sqlite3_column_bytes(statement_.get(), column));
  return data ? std::string_view{data, size} : std::string_view{};
}

}  // namespace cafmcp::persistence
