#include "persistence/session_table.hpp"

#include <algorithm>
#include <utility>

#include "base/log.hpp"
#include "persistence/record_bytes.hpp"
#include "persistence/record_codec.hpp"

namespace cafmcp::persistence {

namespace {

constexpr std::size_t forgotten_at_once = 4096;

session_index::place place_of(const session_record& record, std::uint64_t row) noexcept {
  return {session_index::key_of(record.id), row, record.last_active_ms, record.ended};
}

}  // namespace

result<session_table> session_table::open(sqlite_database& db, std::size_t cache_bytes, namer name_of) {
  session_table out;
  out.db_ = &db;
  out.cache_bytes_ = cache_bytes;
  out.name_of_ = std::move(name_of);
  auto rows = session_rows::open(db);
  if (!rows)
    return rows.error();
  out.rows_ = std::move(*rows);
  const auto live = db.number("SELECT value FROM meta WHERE key='live'");
  if (!live)
    return live.error();
  out.live_ = static_cast<std::uint64_t>(*live);
  auto write_live = db.prepare("UPDATE meta SET value=? WHERE key='live'");
  if (!write_live)
    return write_live.error();
  out.write_live_ = std::move(*write_live);
  out.load_.last = out.rows_.last();
  out.load_.done = out.load_.last == 0;
  return out;
}

bool session_table::knows(std::string_view id) const {
  if (entries_.contains(id))
    return true;
  std::vector<place> found;
  index_.find(bucket_of(id), session_index::key_of(id), found);
  return !found.empty();
}

// Why a session that is not found may be there all the same.
std::optional<error> session_table::why_unknown() const {
  if (!load_.done)
    return fail(errc::unavailable, "the store is still reading its file (" +
                                       std::to_string(static_cast<int>(100 * loaded())) + " %); try again");
  if (gaps_ > 0)
    return fail(errc::io,
                "there is no such session in the part of the store that can be read, and the rest "
                "is damaged");
  return std::nullopt;
}

// What is in the row at `where` if that is the session's; nothing if it is another's.
result<std::optional<session_table::entry>> session_table::read(std::string_view id, const place& where,
                                                                result<void>& refusal) {
  std::optional<entry> out;
  std::string why;
  const auto found = rows_.read(where.row, [&](const session_row& row) {
    if (row.id != id)
      return;
    auto record = session_rows::decode(row);
    if (!record) {
      why = record.error().message;
      return;
    }
    out.emplace();
    out->bytes = bytes_of(*record);
    out->row = where.row;
    out->stored = where;
    out->record = std::move(*record);
  });
  if (!found) {
    if (!db_->damaged())
      return found.error();
    refusal = found.error();  // a broken page is the fault of those that are on it, and of no other
  } else if (!why.empty()) {
    if (auto done = set_aside(bucket_of(id), where, id, why); !done)
      return done.error();
    refusal = fail(errc::io, "the record of session " + name_of_(id) +
                                 " is damaged and was set aside (table `damaged`): " + why);
  }
  return out;
}

// The entry of a session; the end if there is none that is known, or none that can be read (`refusal`).
result<session_table::entries::iterator> session_table::find(std::string_view id, result<void>& refusal) {
  const auto cached = entries_.find(id);
  if (cached == entries_.end() || cached->second.record.ended)
    index_.find(bucket_of(id), session_index::key_of(id), found_);
  if (cached != entries_.end()) {
    auto& e = cached->second;
    if (!e.record.ended || dirty_.contains(cached->first) ||
        std::any_of(found_.begin(), found_.end(), [&](const place& p) { return p.row == e.row; })) {
      order_.splice(order_.begin(), order_, e.order);
      return cached;
    }
    drop(cached);  // a tombstone that was forgotten
  }
  for (const auto& where : found_) {
    auto there = read(id, where, refusal);
    if (!there)
      return there.error();
    if (*there)
      return keep(id, std::move(**there));
    if (!refusal)
      break;
  }
  return entries_.end();
}

void session_table::carry_out(const change& c) {
  if (c.before.row == 0)
    index_.add(c.bucket, c.after);
  else if (c.after.row == 0)
    index_.remove(c.bucket, c.before);
  else
    index_.update(c.bucket, c.after);
}

result<void> session_table::write_live(std::uint64_t live) {
  return write_live_.bind(1, static_cast<std::int64_t>(live)).run();
}

// In the caller's transaction, or in one of its own.
result<void> session_table::set_aside(std::uint32_t bucket, const place& where, std::string_view id,
                                      const std::string& why) {
  log::get("persistence")
      .error("a session's record is damaged and is set aside",
             {{"session", name_of_(id)}, {"row", where.row}, {"reason", why}});
  const int was_live = where.ended || live_ == 0 ? 0 : 1;
  if (db_->in_transaction()) {
    if (auto saved = rows_.set_aside(where.row, why); !saved)
      return saved;
    changes_.push_back({bucket, where, {}});
    live_change_ -= was_live;
    ++damaged_;
    return {};
  }
  auto done = db_->exec("BEGIN IMMEDIATE");
  if (done)
    done = rows_.set_aside(where.row, why);
  if (done)
    done = write_live(live_ - static_cast<std::uint64_t>(was_live));
  if (done)
    done = db_->exec("COMMIT");
  if (!done) {
    if (db_->in_transaction())
      static_cast<void>(db_->exec("ROLLBACK"));
    return done;
  }
  index_.remove(bucket, where);
  live_ -= static_cast<std::uint64_t>(was_live);
  ++damaged_;
  return {};
}

session_table::entries::iterator session_table::keep(std::string_view id, entry e) {
  bytes_ += e.bytes;
  const auto i = entries_.emplace(id, std::move(e)).first;
  i->second.order = order_.insert(order_.begin(), std::string_view{i->first});
  return i;
}

void session_table::drop(entries::iterator i) {
  bytes_ -= i->second.bytes;
  order_.erase(i->second.order);
  entries_.erase(i);
}

result<void> session_table::apply(const std::vector<operation>& operations, std::uint64_t max_sessions,
                                  result<void>& refusal) {
  const auto& id = operations.front().session;
  auto found = find(id, refusal);
  if (!found)
    return found.error();
  if (!refusal)
    return {};
  auto i = *found;
  const bool fresh = i == entries_.end();
  if (fresh && operations.front().kind != op_kind::create)
    if (const auto why = why_unknown()) {
      refusal = *why;
      return {};
    }
  if (fresh)
    i = keep(id, {});
  auto& record = i->second.record;
  batch_undo kept{record};
  std::int64_t growth = 0;
  const bool was_live = record.seq != 0 && !record.ended;
  for (const auto& op : operations) {
    growth += growth_of(record, op);
    if (op.kind == op_kind::create && record.seq == 0 &&
        live_ + static_cast<std::uint64_t>(live_change_) >= max_sessions)
      refusal = fail(errc::overloaded, "the store is full: " + std::to_string(max_sessions) +
                                           " sessions; end some or raise the bound");
    else if (growth > 0 && i->second.bytes + static_cast<std::uint64_t>(growth) > max_encoded_bytes)
      refusal = fail(errc::overloaded,
                     "a session's record may have about " + std::to_string(max_encoded_bytes) + " bytes");
    if (refusal && &op != &operations.back())
      kept.before(op);
    if (refusal)
      refusal = persistence::apply(record, op);
    if (!refusal) {
      kept.undo();
      if (fresh)
        drop(i);
      return {};
    }
  }
  i->second.bytes += static_cast<std::uint64_t>(growth);  // may wrap: unsigned
  bytes_ += static_cast<std::size_t>(growth);
  live_change_ += static_cast<int>(!record.ended) - static_cast<int>(was_live);
  dirty_.insert(id);
  return {};
}

result<void> session_table::write(entry& e) {
  const auto bucket = bucket_of(e.record.id);
  if (e.row == 0) {
    const auto row = rows_.append(e.record);
    if (!row)
      return row.error();
    e.row = *row;
    changes_.push_back({bucket, {}, place_of(e.record, e.row)});
  } else {
    if (auto done = rows_.update(e.row, e.record); !done)
      return done;
    changes_.push_back({bucket, e.stored, place_of(e.record, e.row)});
  }
  e.stored = changes_.back().after;
  return {};
}

result<void> session_table::flush() {
  for (const auto& id : dirty_)
    if (auto done = write(entries_.find(id)->second); !done)
      return done;
  if (live_change_ != 0)
    return write_live(live_ + static_cast<std::uint64_t>(live_change_));
  return {};
}

void session_table::committed() {
  for (const auto& c : std::exchange(changes_, {}))
    carry_out(c);
  dirty_.clear();
  live_ += static_cast<std::uint64_t>(std::exchange(live_change_, 0));
  evict();
}

void session_table::rolled_back() {
  changes_.clear();
  dirty_.clear();
  entries_.clear();
  order_.clear();
  bytes_ = 0;
  live_change_ = 0;
}

void session_table::evict() {
  while (bytes_ > cache_bytes_ && !order_.empty())
    drop(entries_.find(order_.back()));
}

result<session_record> session_table::get(std::string_view id) {
  result<void> refusal;
  const auto found = find(id, refusal);
  if (!found)
    return found.error();
  if (!refusal)
    return refusal.error();
  if (*found == entries_.end()) {
    if (const auto why = why_unknown())
      return *why;
    return fail(errc::not_found, "no such session");
  }
  auto record = (*found)->second.record;
  evict();
  return record;
}

result<void> session_table::forget(std::uint32_t bucket, std::int64_t before_ms) {
  for (const auto& where : index_.old(bucket, before_ms, true, forgotten_at_once)) {
    if (auto done = rows_.remove(where.row); !done)
      return done;
    changes_.push_back({bucket, where, {}});
  }
  return {};
}

}  // namespace cafmcp::persistence
