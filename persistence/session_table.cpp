#include "persistence/session_table.hpp"

#include <utility>

#include "base/log.hpp"
#include "persistence/record_bytes.hpp"
#include "persistence/record_codec.hpp"

namespace cafmcp::persistence {

namespace {

constexpr std::int64_t forgotten_at_once = 4096;

}  // namespace

result<session_table> session_table::open(sqlite_database& db, std::size_t cache_bytes, namer name_of) {
  session_table out;
  out.db_ = &db;
  out.cache_bytes_ = cache_bytes;
  out.name_of_ = std::move(name_of);
  // `+ended` keeps the planner on the primary key, which has the order that is asked for.
  const std::pair<sqlite_statement*, const char*> statements[] = {
      {&out.get_, "SELECT id, last_active, ended, record FROM sessions WHERE bucket=? AND id=?"},
      {&out.insert_, "INSERT INTO sessions(last_active, ended, record, bucket, id) VALUES(?,?,?,?,?)"},
      {&out.update_, "UPDATE sessions SET record=? WHERE bucket=? AND id=?"},
      {&out.update_all_, "UPDATE sessions SET last_active=?, ended=?, record=? WHERE bucket=? AND id=?"},
      {&out.scan_,
       "SELECT id, last_active, ended, record FROM sessions WHERE bucket=? AND id>? AND +ended=0"
       " ORDER BY id LIMIT ?"},
      {&out.idle_,
       "SELECT id FROM sessions WHERE bucket=? AND ended=0 AND last_active<? ORDER BY last_active LIMIT ?"},
      {&out.forget_,
       "DELETE FROM sessions WHERE bucket=?1 AND id IN (SELECT id FROM sessions WHERE bucket=?1 AND ended=1"
       " AND last_active<?2 LIMIT ?3) RETURNING id"},
      {&out.save_damaged_,
       "INSERT INTO damaged(bucket, id, reason, record) SELECT bucket, id, ?3, record FROM sessions"
       " WHERE bucket=?1 AND id=?2"},
      {&out.erase_, "DELETE FROM sessions WHERE bucket=? AND id=? RETURNING ended"}};
  for (const auto& [to, sql] : statements) {
    auto made = db.prepare(sql);
    if (!made)
      return made.error();
    *to = std::move(*made);
  }
  const auto live = db.number("SELECT count(*) FROM sessions WHERE ended=0");
  if (!live)
    return live.error();
  out.live_ = static_cast<std::uint64_t>(*live);
  return out;
}

result<session_record> session_table::decode_row(const sqlite_statement& row, int column) {
  auto record = decode(row.bytes(column + 3));
  if (!record)
    return record;
  if (record->id != row.bytes(column) || record->last_active_ms != row.number(column + 1) ||
      record->ended != (row.number(column + 2) != 0))
    return fail(errc::invalid, "its columns are not what its record says");
  return record;
}

// The entry of a session; the end if there is no such session, or none that can be read (`refusal`).
result<session_table::entries::iterator> session_table::find(std::string_view id, result<void>& refusal) {
  if (const auto i = entries_.find(id); i != entries_.end()) {
    order_.splice(order_.begin(), order_, i->second.place);
    return i;
  }
  std::string why;
  {
    const statement_use use{get_};
    get_.bind(1, bucket_of(id)).bind(2, id);
    const auto row = get_.step();
    if (!row && !db_->damaged())
      return row.error();
    if (!row) {  // a broken page is the fault of those that are on it, and of no other
      refusal = row.error();
      return entries_.end();
    }
    if (!*row)
      return entries_.end();
    if (auto record = decode_row(get_, 0)) {
      entry e;
      e.bytes = bytes_of(*record);
      e.stored = true;
      e.stored_active = record->last_active_ms;
      e.stored_ended = record->ended;
      e.record = std::move(*record);
      return keep(id, std::move(e));
    } else {
      why = record.error().message;
    }
  }
  if (auto done = set_aside(std::string{id}, why); !done)
    return done.error();
  refusal = fail(errc::io, "the record of session " + name_of_(id) +
                               " is damaged and was set aside (table `damaged`): " + why);
  return entries_.end();
}

// In the caller's transaction, or in one of its own.
result<void> session_table::set_aside(const std::string& id, const std::string& why) {
  log::get("persistence")
      .error("a session's record is damaged and is set aside", {{"session", name_of_(id)}, {"reason", why}});
  const bool own = !db_->in_transaction();
  const auto bucket = bucket_of(id);
  const auto carry_out = [&]() -> result<bool> {
    if (own)
      if (auto begun = db_->exec("BEGIN IMMEDIATE"); !begun)
        return begun.error();
    if (auto saved = save_damaged_.bind(1, bucket).bind(2, id).bind(3, why).run(); !saved)
      return saved.error();
    bool was_live = false;
    {
      const statement_use use{erase_};
      erase_.bind(1, bucket).bind(2, id);
      for (;;) {
        const auto row = erase_.step();
        if (!row)
          return row.error();
        if (!*row)
          break;
        was_live = erase_.number(0) == 0;
      }
    }
    if (own)
      if (auto done = db_->exec("COMMIT"); !done)
        return done.error();
    return was_live;
  };
  const auto was_live = carry_out();
  if (!was_live) {
    if (own && db_->in_transaction())
      static_cast<void>(db_->exec("ROLLBACK"));
    return was_live.error();
  }
  ++damaged_;
  if (*was_live && own)
    --live_;
  else if (*was_live)
    --live_change_;
  return {};
}

session_table::entries::iterator session_table::keep(std::string_view id, entry e) {
  bytes_ += e.bytes;
  const auto i = entries_.emplace(id, std::move(e)).first;
  i->second.place = order_.insert(order_.begin(), std::string_view{i->first});
  return i;
}

void session_table::drop(entries::iterator i) {
  bytes_ -= i->second.bytes;
  order_.erase(i->second.place);
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

// `last_active` and `ended` are in an index, which is left alone when they have not changed.
result<void> session_table::write(const std::string& id, entry& e) {
  const auto bytes = encode(e.record);
  if (!bytes)
    return bytes.error();
  const auto active = e.record.last_active_ms;
  const bool ended = e.record.ended;
  const auto bucket = bucket_of(id);
  if (e.stored && e.stored_active == active && e.stored_ended == ended)
    return update_.bind(1, *bytes).bind(2, bucket).bind(3, id).run();
  auto& statement = e.stored ? update_all_ : insert_;
  auto done = statement.bind(1, active).bind(2, ended).bind(3, *bytes).bind(4, bucket).bind(5, id).run();
  e.stored = true;
  e.stored_active = active;
  e.stored_ended = ended;
  return done;
}

result<void> session_table::flush() {
  for (const auto& id : dirty_)
    if (auto done = write(id, entries_.find(id)->second); !done)
      return done;
  dirty_.clear();
  return {};
}

void session_table::committed() {
  live_ += static_cast<std::uint64_t>(std::exchange(live_change_, 0));
  evict();
}

void session_table::rolled_back() {
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
  if (*found == entries_.end())
    return fail(errc::not_found, "no such session");
  auto record = (*found)->second.record;
  evict();
  return record;
}

result<std::vector<session_summary>> session_table::scan(std::uint32_t bucket, std::string_view after,
                                                         std::size_t limit) {
  std::vector<session_summary> out;
  std::vector<std::pair<std::string, std::string>> broken;
  std::string from{after};
  bool more = true;
  while (more && out.size() < limit) {
    {
      const statement_use use{scan_};
      scan_.bind(1, bucket).bind(2, from).bind(3, static_cast<std::int64_t>(limit - out.size()));
      broken.clear();
      for (;;) {
        const auto row = scan_.step();
        if (!row)
          return row.error();
        if (!*row)
          break;
        if (const auto record = decode_row(scan_, 0))
          out.push_back(summary_of(*record, bytes_of(*record)));
        else
          broken.emplace_back(scan_.bytes(0), record.error().message);
      }
    }
    // The page is filled up with what is behind it.
    more = !broken.empty();
    for (const auto& [id, why] : broken) {
      if (auto done = set_aside(id, why); !done)
        return done.error();
      from = std::max(from, id);
    }
    if (!out.empty())
      from = std::max(from, out.back().id);
  }
  return out;
}

result<std::vector<std::string>> session_table::idle(std::uint32_t bucket, std::int64_t before_ms,
                                                     std::size_t limit) {
  std::vector<std::string> out;
  const statement_use use{idle_};
  idle_.bind(1, bucket).bind(2, before_ms).bind(3, static_cast<std::int64_t>(limit));
  for (;;) {
    const auto row = idle_.step();
    if (!row)
      return row.error();
    if (!*row)
      return out;
    out.emplace_back(idle_.bytes(0));
  }
}

result<void> session_table::forget(std::uint32_t bucket, std::int64_t before_ms) {
  const statement_use use{forget_};
  forget_.bind(1, bucket).bind(2, before_ms).bind(3, forgotten_at_once);
  for (;;) {
    const auto row = forget_.step();
    if (!row)
      return row.error();
    if (!*row)
      return {};
    if (const auto i = entries_.find(forget_.bytes(0)); i != entries_.end())
      drop(i);
  }
}

result<std::uint64_t> session_table::check() {
  const auto before = damaged_;
  std::vector<std::pair<std::string, std::string>> broken;
  auto all = db_->prepare("SELECT id, last_active, ended, record FROM sessions");
  if (!all)
    return all.error();
  for (;;) {
    const auto row = all->step();
    if (!row)
      return row.error();
    if (!*row)
      break;
    if (const auto record = decode_row(*all, 0); !record)
      broken.emplace_back(all->bytes(0), record.error().message);
  }
  all->reset();
  for (const auto& [id, why] : broken) {
    if (const auto i = entries_.find(id); i != entries_.end())
      drop(i);
    if (auto done = set_aside(id, why); !done)
      return done.error();
  }
  return damaged_ - before;
}

}  // namespace cafmcp::persistence
