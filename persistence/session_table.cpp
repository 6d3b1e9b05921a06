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

std::string bucket_name(std::string_view id) {
  return "of bucket " + std::to_string(bucket_of(id));
}

}  // namespace

result<session_table> session_table::open(sqlite_database& db, const sqlite_options& options) {
  session_table out;
  out.db_ = &db;
  out.cache_bytes_ = options.cache_bytes;
  out.name_of_ = options.name_of ? options.name_of : bucket_name;
  out.now_ms_ = options.now_ms;
  auto rows = session_rows::open(db);
  if (!rows)
    return rows.error();
  out.rows_ = std::move(*rows);
  const std::pair<sqlite_statement*, const char*> statements[] = {
      {&out.write_live_, "UPDATE meta SET value=? WHERE key='live'"},
      {&out.write_doubt_, "UPDATE meta SET value=? WHERE key='doubt'"}};
  for (const auto& [to, sql] : statements) {
    auto made = db.prepare(sql);
    if (!made)
      return made.error();
    *to = std::move(*made);
  }
  const auto live = db.number("SELECT value FROM meta WHERE key='live'");
  if (!live)
    return live.error();
  const auto doubt = db.number("SELECT value FROM meta WHERE key='doubt'");
  if (!doubt)
    return doubt.error();
  out.live_ = static_cast<std::uint64_t>(*live);
  out.doubt_ms_ = *doubt;
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
  if (loading())
    return fail(errc::unavailable, "the store is still reading its file (" +
                                       std::to_string(static_cast<int>(100 * loaded())) + " %); try again");
  if (doubt())
    return fail(errc::io,
                "there is no such session, but some were lost by damage to the file, and it may be "
                "one of them");
  return std::nullopt;
}

void session_table::begin_doubt() {
  doubt_ms_ = std::max<std::int64_t>(now_ms_(), 1);
}

// For what the next start would not see by itself.
result<void> session_table::note_doubt() {
  begin_doubt();
  return write_doubt_.bind(1, doubt_ms_).run();
}

// What looks damaged is read again, past what SQLite keeps of the file in memory. Error `invalid`: it is
// damaged; `id` is what the row says, if there is a row. Other errors: it can't be read now.
result<session_record> session_table::read_surely(std::uint64_t number, std::string& id) {
  auto out =
      result<session_record>{boost::system::in_place_error, fail(errc::invalid, "it is not where it was")};
  for (int tries = 0; tries < 2 && !out; ++tries) {
    if (tries > 0)
      db_->forget_pages();
    id.clear();
    const auto found = rows_.read(number, [&](const session_row& row) {
      id = row.id;
      out = decode(row.record);
    });
    if (!found && !db_->damaged())
      return found.error();
    if (!found)
      out = fail(errc::invalid, found.error().message);
  }
  return out;
}

// What is in the row at `where` if that is the session's; nothing if it is another's.
result<std::optional<session_record>> session_table::read(std::string_view id, const place& where,
                                                          result<void>& refusal) {
  std::string said;
  auto record = read_surely(where.row, said);
  if (record)
    return record->id == id ? std::optional{std::move(*record)} : std::nullopt;
  if (record.error().code != errc::invalid)
    return record.error();
  const auto& why = record.error().message;
  if (said.empty())
    begin_doubt();  // and nothing is written into a file that can't be read
  else if (auto done = set_aside(where, said, why); !done)
    return done.error();
  refusal = fail(errc::io, "the record of session " + name_of_(id) + " is damaged: " + why);
  return std::nullopt;
}

// The entry of a session; the end if there is none that is known, or none that can be read (`refusal`).
result<session_table::entries::iterator> session_table::find(std::string_view id, result<void>& refusal) {
  const auto cached = entries_.find(id);
  if (cached == entries_.end() || cached->second.record.ended)
    index_.find(bucket_of(id), session_index::key_of(id), found_);
  if (cached != entries_.end()) {
    auto& e = cached->second;
    if (!e.record.ended || e.dirty ||
        std::any_of(found_.begin(), found_.end(), [&](const place& p) { return p.row == e.row; })) {
      order_.splice(order_.begin(), order_, e.order);
      return cached;
    }
    drop(cached);  // a tombstone that was forgotten
  }
  for (const auto& where : found_) {
    auto record = read(id, where, refusal);
    if (!record)
      return record.error();
    if (*record) {
      entry e;
      e.bytes = bytes_of(**record);
      e.row = where.row;
      e.stored = where;
      e.record = std::move(**record);
      return keep(id, std::move(e));
    }
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
result<void> session_table::in_transaction(const std::function<result<void>()>& f) {
  if (db_->in_transaction())
    return f();
  auto done = db_->exec("BEGIN IMMEDIATE");
  if (done)
    done = f();
  if (done)
    done = db_->exec("COMMIT");
  if (!done && db_->in_transaction())
    static_cast<void>(db_->exec("ROLLBACK"));
  return done;
}

result<void> session_table::set_aside(const place& where, std::string_view id, const std::string& why) {
  log::get("persistence")
      .error(
          "a session's record is damaged and is set aside; until it would have expired, sessions that are "
          "not "
          "found are unavailable",
          {{"session", name_of_(id)}, {"row", where.row}, {"reason", why}});
  const bool own = !db_->in_transaction();
  const int was_live = where.ended || live_ == 0 ? 0 : 1;
  auto done = in_transaction([&] {
    auto moved = note_doubt();
    if (moved)
      moved = rows_.set_aside(where.row, why);
    return moved && own ? write_live(live_ - static_cast<std::uint64_t>(was_live)) : moved;
  });
  if (!done)
    return done;
  ++damaged_;
  const change gone{bucket_of(id), where, {}};
  if (own) {
    carry_out(gone);
    live_ -= static_cast<std::uint64_t>(was_live);
  } else {
    changes_.push_back(gone);
    live_change_ -= was_live;
  }
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
  if (!std::exchange(i->second.dirty, true))
    dirty_.push_back(&i->second);
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
  for (auto* e : dirty_)
    if (auto done = write(*e); !done)
      return done;
  if (live_change_ != 0)
    return write_live(live_ + static_cast<std::uint64_t>(live_change_));
  return {};
}

void session_table::committed() {
  for (const auto& c : std::exchange(changes_, {}))
    carry_out(c);
  for (auto* e : std::exchange(dirty_, {}))
    e->dirty = false;
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
  if (doubt() && before_ms >= doubt_ms_) {  // whoever was lost would have expired
    doubt_ms_ = 0;
    return write_doubt_.bind(1, std::int64_t{0}).run();
  }
  return {};
}

}  // namespace cafmcp::persistence
