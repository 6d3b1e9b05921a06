// What the store's thread does between groups: it reads its file after a start, and checks it when asked to.

#include "base/log.hpp"
#include "persistence/sqlite_store.hpp"

namespace cafmcp::persistence {

namespace {

constexpr std::chrono::seconds progress_every{5};

}  // namespace

// The sooner jobs come, the less is done at a time.
store_turn sqlite_store::work_on(std::size_t rows) {
  if (!table_->loading() && !check_)
    return store_turn::wait;
  const auto done = table_->loading() ? load(rows) : check_on(rows);
  return done ? store_turn::again : store_turn::pause;
}

result<void> sqlite_store::load(std::size_t rows) {
  std::vector<std::string> found;  // nothing may be written while rows are read
  const auto done = table_->load(rows, [&](std::string_view id) {
    if (!waiting_.empty() && waiting_.contains(id))
      found.emplace_back(id);
  });
  count_sessions();  // before anybody who waits looks
  for (const auto& id : found)
    for (auto i = waiting_.find(id); i != waiting_.end(); i = waiting_.find(id))
      waiting_.extract(i).mapped()(table_->get(id));
  if (!done)
    log::get("persistence").error("the sessions file can't be read now", {{"reason", done.error().message}});
  else
    say_loaded();
  if (!table_->loading())
    for (auto& [id, then] : std::exchange(waiting_, {}))
      then(table_->get(id));
  return done;
}

void sqlite_store::say_loaded() {
  const auto now = std::chrono::steady_clock::now();
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(now - opened_).count();
  if (!table_->loading()) {
    log::get("persistence")
        .info("the sessions file is read", {{"sessions", table_->live()}, {"seconds", seconds}});
  } else if (now - said_ >= progress_every) {
    said_ = now;
    log::get("persistence")
        .info("reading the sessions file", {{"percent", static_cast<int>(100 * table_->loaded())}});
  }
}

// A session that the load has not come to is waited for.
void sqlite_store::get_or_wait(const std::string& id, callback<session_record> then) {
  if (table_->loading() && waiting_.size() < options_.queue_operations && !table_->knows(id)) {
    waiting_.emplace(id, std::move(then));
    return;
  }
  auto found = table_->get(id);
  count_sessions();  // it may have met records that are damaged
  then(std::move(found));
}

void sqlite_store::give_up_waiting(const error& why) {
  for (auto& [id, then] : std::exchange(waiting_, {}))
    then(why);
  if (auto check = std::exchange(check_, nullptr))
    check->then(why);
}

void sqlite_store::begin_check(callback<store_check> then) {
  if (table_->loading())
    return then(fail(errc::unavailable, "the store is still reading its file, which is a check by itself"));
  if (check_)
    return then(fail(errc::conflict, "a check is under way"));
  check_ = std::make_unique<running_check>();
  check_->rows = table_->begin_check();
  check_->then = std::move(then);
  count_sessions();
}

result<void> sqlite_store::check_on(std::size_t rows) {
  auto& c = *check_;
  result<void> done;
  if (!c.rows.done) {
    done = table_->check(c.rows, rows);
  } else if (c.history_row != 0) {
    const auto damaged = history_->check(c.history_row, rows);
    if (damaged)
      c.found.damaged_operations += *damaged;
    else
      done = damaged.error();
  }
  const bool more = done && (!c.rows.done || c.history_row != 0);
  const auto check = more ? nullptr : std::exchange(check_, nullptr);
  count_sessions();
  if (more)
    return done;
  check->found.sessions = check->rows.seen;
  if (done)
    check->then(check->found);
  else
    check->then(done.error());
  return {};
}

}  // namespace cafmcp::persistence
