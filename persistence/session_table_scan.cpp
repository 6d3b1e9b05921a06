// What looks at many sessions: pages, old ones, the load after a start, the check.

#include <algorithm>
#include <utility>

#include "base/log.hpp"
#include "persistence/session_table.hpp"

namespace cafmcp::persistence {

// Whoever is damaged is set aside, and the page filled up with what is behind it.
result<std::vector<session_summary>> session_table::scan(std::uint32_t bucket, std::string_view after,
                                                         std::size_t limit) {
  if (loading())
    return *why_unknown();
  place from{after.empty() ? 0 : session_index::key_of(after), 0, 0, false};
  std::vector<place> same;
  index_.find(bucket, from.key, same);
  for (const auto& where : same) {
    auto done = rows_.read(where.row, [&](const session_row& row) {
      if (!after.empty() && row.id == after)
        from.row = row.number;
    });
    if (!done && !db_->damaged())
      return done.error();
  }
  std::vector<session_summary> out;
  for (bool more = true; more && out.size() < limit;) {
    const auto wanted = limit - out.size();
    const auto places = index_.page(bucket, from, wanted);
    more = places.size() == wanted;
    for (const auto& where : places) {
      from = where;
      std::string id, why;
      const auto found = rows_.read(where.row, [&](const session_row& row) {
        if (const auto record = session_rows::decode(row)) {
          out.push_back(summary_of(*record, bytes_of(*record)));
        } else {
          id = row.id;
          why = record.error().message;
        }
      });
      if (!found && !db_->damaged())
        return found.error();
      if (!why.empty())
        if (auto done = set_aside(bucket, where, id, why); !done)
          return done.error();
    }
  }
  return out;
}

result<std::vector<idle_session>> session_table::idle(std::uint32_t bucket, std::int64_t before_ms,
                                                      std::size_t limit) {
  std::vector<idle_session> out;
  for (const auto& where : index_.old(bucket, before_ms, false, limit)) {
    const auto found = rows_.read(where.row, [&](const session_row& row) {
      // Who is damaged is said when somebody asks for it.
      if (const auto record = session_rows::decode(row))
        out.push_back({record->id, record->epoch, record->seq, record->last_active_ms});
    });
    if (!found && !db_->damaged())
      return found.error();
  }
  return out;
}

// Rows that can't be trusted are set aside after each piece, because nothing may be written while it is read.
result<void> session_table::walk_on(walk& w, std::size_t limit,
                                    const std::function<void(const session_row&, const place&)>& f) {
  struct broken_row {
    place where;
    std::string id;
    std::string why;
  };
  std::vector<broken_row> broken;
  auto more = rows_.walk(w.next, w.last, limit, [&](const session_row& row) {
    ++w.seen.rows;
    const place where{session_index::key_of(row.id), row.number, row.last_active_ms, row.ended};
    if (const auto record = session_rows::decode(row); record)
      f(row, where);
    else
      broken.push_back({where, std::string{row.id}, record.error().message});
  });
  if (!more && db_->damaged()) {
    const auto first = w.next;
    w.next = rows_.behind_damage(first, w.last);
    ++w.seen.gaps;
    log::get("persistence")
        .error("a part of the sessions file can't be read; sessions in it are unavailable",
               {{"rows", std::to_string(first) + " to " + std::to_string(w.next - 1)},
                {"reason", more.error().message}});
    more = w.next <= w.last;
  }
  for (const auto& row : broken) {
    if (auto done = set_aside(bucket_of(row.id), row.where, row.id, row.why); !done)
      return done;
    if (const auto i = entries_.find(row.id); i != entries_.end())
      drop(i);
    ++w.seen.damaged;
  }
  if (!more)
    return more.error();
  w.done = !*more;
  return {};
}

result<void> session_table::load(std::size_t limit, const std::function<void(std::string_view)>& on_row) {
  if (!loading())
    return {};
  const auto gaps = load_.seen.gaps;
  auto done = walk_on(load_, limit, [&](const session_row& row, const place& where) {
    index_.add(bucket_of(row.id), where);
    on_row(row.id);
  });
  gaps_ += load_.seen.gaps - gaps;
  if (load_.done)
    live_ = index_.size() - index_.ended();
  return done;
}

session_table::walk session_table::begin_check() const {
  walk w;
  w.last = rows_.last();
  w.done = w.last == 0;
  return w;
}

result<void> session_table::check(walk& w, std::size_t limit) {
  return walk_on(w, limit, [](const session_row&, const place&) {});
}

}  // namespace cafmcp::persistence
