// What looks at many sessions: pages, old ones, the load after a start, the check.

#include <algorithm>
#include <utility>

#include "base/log.hpp"
#include "persistence/record_codec.hpp"
#include "persistence/session_table.hpp"

namespace cafmcp::persistence {

// A page is filled up with what is behind those that are damaged.
result<std::vector<session_summary>> session_table::scan(std::uint32_t bucket, std::string_view after,
                                                         std::size_t limit) {
  if (loading())
    return *why_unknown();
  place from;
  std::string said;
  if (!after.empty()) {
    from.key = session_index::key_of(after);
    std::vector<place> same;
    index_.find(bucket, from.key, same);
    for (const auto& where : same)
      if (const auto record = read_surely(where.row, said); record && record->id == after)
        from.row = where.row;
  }
  std::vector<session_summary> out;
  for (bool more = true; more && out.size() < limit;) {
    const auto wanted = limit - out.size();
    const auto places = index_.page(bucket, from, wanted);
    more = places.size() == wanted;
    for (const auto& where : places) {
      from = where;
      const auto record = read_surely(where.row, said);
      if (record)
        out.push_back(summary_of(*record, bytes_of(*record)));
      else if (record.error().code != errc::invalid)
        return record.error();
    }
  }
  return out;
}

// Who is damaged is set aside when somebody asks for it.
result<std::vector<idle_session>> session_table::idle(std::uint32_t bucket, std::int64_t before_ms,
                                                      std::size_t limit) {
  if (loading())
    return *why_unknown();  // it can wait, and others do
  std::vector<idle_session> out;
  std::string said;
  for (const auto& where : index_.old(bucket, before_ms, false, limit)) {
    auto record = read_surely(where.row, said);
    if (record)
      out.push_back({std::move(record->id), record->epoch, record->seq, record->last_active_ms});
    else if (record.error().code != errc::invalid)
      return record.error();
  }
  return out;
}

// The record is right, by its checksum, and what stands beside it in its row is not.
result<void> session_table::repair(std::uint64_t row, const session_record& record) {
  db_->forget_pages();
  bool wrong = false;
  const auto found = rows_.read(row, [&](const session_row& r) { wrong = !session_rows::agrees(r, record); });
  if (!found && !db_->damaged())
    return found.error();
  if (!wrong)
    return {};
  log::get("persistence")
      .warn("a row of the sessions was damaged beside its record, which is right; repaired",
            {{"session", name_of_(record.id)}, {"row", row}});
  return in_transaction([&] { return rows_.update(row, record); });
}

// Rows that can't be trusted are looked at after each piece, because nothing may be written while it is read.
result<void> session_table::walk_on(walk& w, std::size_t limit,
                                    const std::function<void(const session_record&, const place&)>& f) {
  std::vector<place> broken;
  std::vector<std::pair<std::uint64_t, session_record>> wrong;
  const auto from = w.next;
  auto more = rows_.walk(w.next, w.last, limit, [&](const session_row& row) {
    ++w.seen.rows;
    auto record = decode(row.record);
    if (!record) {
      broken.push_back({0, row.number, row.last_active_ms, row.ended});
      return;
    }
    f(*record, {session_index::key_of(record->id), row.number, record->last_active_ms, record->ended});
    if (!session_rows::agrees(row, *record))
      wrong.emplace_back(row.number, std::move(*record));
  });
  if (!more && (db_->damaged() || more.error().code == errc::invalid)) {
    if (std::exchange(w.tried, w.next) != w.next)
      db_->forget_pages();  // once more, past what is in memory
    else
      w.next = skip_gap(w, more.error());
    more = w.next <= w.last;
  }
  for (auto where : broken) {
    std::string id;
    const auto record = read_surely(where.row, id);
    if (record) {
      f(*record, {session_index::key_of(record->id), where.row, record->last_active_ms, record->ended});
    } else if (record.error().code != errc::invalid) {
      w.next = from;
      return record.error();
    } else if (!id.empty()) {
      where.key = session_index::key_of(id);
      if (auto done = set_aside(where, id, record.error().message); !done)
        return done;
      if (const auto i = entries_.find(id); i != entries_.end())
        drop(i);
      ++w.seen.damaged;
    }
  }
  for (const auto& [row, record] : wrong)
    if (auto done = repair(row, record); !done)
      return done;
  if (!more)
    return more.error();
  w.done = !*more;
  return {};
}

// Where reading works again.
std::uint64_t session_table::skip_gap(walk& w, const error& why) {
  const auto next = rows_.behind_damage(w.next, w.last);
  ++w.seen.gaps;
  log::get("persistence")
      .error(
          "a part of the sessions file can't be read; until all that was in it would have expired, sessions "
          "that "
          "are not found are unavailable",
          {{"rows", std::to_string(w.next) + " to " + std::to_string(next - 1)}, {"reason", why.message}});
  begin_doubt();
  return next;
}

result<void> session_table::load(std::size_t limit, const std::function<void(std::string_view)>& on_row) {
  if (loading()) {
    const auto gaps = load_.seen.gaps;
    auto done = walk_on(load_, limit, [&](const session_record& record, const place& where) {
      index_.add(bucket_of(record.id), where);
      on_row(record.id);
    });
    gaps_ += load_.seen.gaps - gaps;
    if (!done)
      return done;
  }
  if (!loading() && !std::exchange(counted_, true))
    finish_load();
  return {};
}

// How many sessions there are is noted with each that comes or goes: so it is seen when some are missing.
void session_table::finish_load() {
  const auto counted = index_.size() - index_.ended();
  const auto noted = std::exchange(live_, counted);
  if (counted == noted)
    return;
  log::get("persistence")
      .error(
          "there are not as many sessions in the file as there should be; until those that are missing would "
          "have expired, sessions that are not found are unavailable",
          {{"sessions", counted}, {"should_be", noted}});
  gaps_ += gaps_ == 0 ? 1 : 0;
  auto written = in_transaction([&] {
    auto marked = note_doubt();
    return marked ? write_live(live_) : marked;
  });
  if (!written)
    log::get("persistence")
        .warn("can't note how many sessions there are", {{"reason", written.error().message}});
}

session_table::walk session_table::begin_check() const {
  walk w;
  w.last = rows_.last();
  w.done = w.last == 0;
  return w;
}

result<void> session_table::check(walk& w, std::size_t limit) {
  return walk_on(w, limit, [](const session_record&, const place&) {});
}

}  // namespace cafmcp::persistence
