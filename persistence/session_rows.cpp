#include "persistence/session_rows.hpp"

#include <algorithm>
#include <utility>

#include "persistence/record_codec.hpp"

namespace cafmcp::persistence {

namespace {

std::int64_t as_signed(std::uint64_t number) noexcept {
  return static_cast<std::int64_t>(number);
}

}  // namespace

result<session_rows> session_rows::open(sqlite_database& db) {
  session_rows out;
  out.db_ = &db;
  const std::pair<sqlite_statement*, const char*> statements[] = {
      {&out.read_, "SELECT row, id, last_active, ended, record FROM sessions WHERE row=?"},
      {&out.insert_, "INSERT INTO sessions(id, last_active, ended, record, row) VALUES(?,?,?,?,?)"},
      {&out.update_, "UPDATE sessions SET id=?, last_active=?, ended=?, record=? WHERE row=?"},
      {&out.erase_, "DELETE FROM sessions WHERE row=?"},
      {&out.save_damaged_,
       "INSERT INTO damaged(row, id, reason, record) SELECT row, id, ?2, record FROM sessions WHERE row=?1"},
      {&out.walk_,
       "SELECT row, id, last_active, ended, record FROM sessions WHERE row BETWEEN ? AND ?"
       " ORDER BY row LIMIT ?"}};
  for (const auto& [to, sql] : statements) {
    auto made = db.prepare(sql);
    if (!made)
      return made.error();
    *to = std::move(*made);
  }
  const auto last = db.number("SELECT max(row) FROM sessions");
  if (!last)
    return last.error();
  out.last_ = static_cast<std::uint64_t>(*last);
  return out;
}

session_row session_rows::row_of(const sqlite_statement& s) {
  return {static_cast<std::uint64_t>(s.number(0)), s.bytes(1), s.number(2), s.number(3) != 0, s.bytes(4)};
}

result<bool> session_rows::read(std::uint64_t number, const std::function<void(const session_row&)>& f) {
  const statement_use use{read_};
  auto found = read_.bind(1, as_signed(number)).step();
  if (found && *found)
    f(row_of(read_));
  return found;
}

bool session_rows::agrees(const session_row& row, const session_record& record) noexcept {
  return record.id == row.id && record.last_active_ms == row.last_active_ms && record.ended == row.ended;
}

result<std::uint64_t> session_rows::append(const session_record& record) {
  const auto bytes = encode(record);
  if (!bytes)
    return bytes.error();
  const auto number = last_ + 1;
  auto done = insert_.bind(1, record.id)
                  .bind(2, record.last_active_ms)
                  .bind(3, record.ended)
                  .bind(4, *bytes)
                  .bind(5, as_signed(number))
                  .run();
  if (!done)
    return done.error();
  return last_ = number;  // a transaction that is taken back leaves a gap, which harms nobody
}

result<void> session_rows::update(std::uint64_t number, const session_record& record) {
  const auto bytes = encode(record);
  if (!bytes)
    return bytes.error();
  auto done = update_.bind(1, record.id)
                  .bind(2, record.last_active_ms)
                  .bind(3, record.ended)
                  .bind(4, *bytes)
                  .bind(5, as_signed(number))
                  .run();
  return done ? changed_one(number) : done;
}

result<void> session_rows::remove(std::uint64_t number) {
  auto done = erase_.bind(1, as_signed(number)).run();
  return done ? changed_one(number) : done;
}

// A file that is damaged may have lost a row that was there.
result<void> session_rows::changed_one(std::uint64_t number) const {
  if (db_->changes() == 1)
    return {};
  return fail(errc::io, "row " + std::to_string(number) + " of the sessions is not where it was");
}

result<void> session_rows::set_aside(std::uint64_t number, std::string_view reason) {
  if (auto saved = save_damaged_.bind(1, as_signed(number)).bind(2, reason).run(); !saved)
    return saved;
  return remove(number);
}

result<bool> session_rows::walk(std::uint64_t& from, std::uint64_t to, std::size_t limit,
                                const std::function<void(const session_row&)>& f) {
  const statement_use use{walk_};
  walk_.bind(1, as_signed(from)).bind(2, as_signed(to)).bind(3, as_signed(limit));
  for (std::size_t n = 0;; ++n) {
    const auto row = walk_.step();
    if (!row)
      return row.error();
    if (!*row)
      return n == limit;
    const auto found = row_of(walk_);
    if (found.number < from)
      return fail(errc::invalid, "rows are out of order");
    from = found.number + 1;
    f(found);
  }
}

// Doubles its steps until it finds a row that can be read, or none, and then looks where that begins.
std::uint64_t session_rows::behind_damage(std::uint64_t from, std::uint64_t to) {
  const auto readable = [&](std::uint64_t number) {
    const statement_use use{walk_};
    return walk_.bind(1, as_signed(number))
        .bind(2, as_signed(to))
        .bind(3, std::int64_t{1})
        .step()
        .has_value();
  };
  auto bad = from;
  auto good = from + 1;
  for (std::uint64_t step = 1; !readable(good); step *= 2) {
    if (good > to)
      return to + 1;
    bad = good;
    good = std::min(good + step, to + 1);
  }
  while (good - bad > 1) {
    const auto middle = bad + (good - bad) / 2;
    (readable(middle) ? good : bad) = middle;
  }
  return good;
}

}  // namespace cafmcp::persistence
