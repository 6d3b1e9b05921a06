// How a shard ends sessions that have expired, and sends sessions out of memory when there are too many.

#include <algorithm>

#include "actors/shard.hpp"

namespace cafmcp::actors {

using std::chrono::milliseconds;

namespace {

// Few at a time, and of all buckets in turn: sessions that were made together are near to each other in the
// store, so they should go together; and others should not wait behind them.
constexpr std::size_t expired_at_a_time = 64;

constexpr milliseconds retry_after{500};
constexpr milliseconds active_every{1'000};
constexpr std::int64_t min_idle_ms = 1'000;

}  // namespace

void shard::watch_expiry() {
  drop_unborn();
  begin_sweep();
  start_timer(std::clamp<milliseconds>(env_->limits.ttl / 20, milliseconds{100}, milliseconds{60'000}),
              [this] { watch_expiry(); });
}

void shard::begin_sweep() {
  if (sweep_.running)
    return;
  sweep_ = {};
  sweep_.running = true;
  sweep_.before_ms = env_->now_ms() - env_->limits.ttl.count();
  sweep_.bucket = static_cast<std::uint32_t>(index_);
  sweep();
}

// Asks for the next bucket, or begins anew if there were more than it took.
void shard::sweep() {
  if (sweep_.bucket >= persistence::bucket_count) {
    if (!sweep_.more || !sweep_.ended_some) {
      sweep_.running = false;
      return;
    }
    sweep_.more = sweep_.ended_some = false;
    sweep_.bucket = static_cast<std::uint32_t>(index_);
  }
  env_->store->expire(
      sweep_.bucket, sweep_.before_ms, expired_at_a_time,
      [self = caf::actor_addr{address()}](result<std::vector<persistence::idle_session>> found) {
        otp::tell(self, sessions_idle{std::make_shared<decltype(found)>(std::move(found))});
      });
  sweep_.bucket += static_cast<std::uint32_t>(env_->router->shards());
}

void shard::expire(const sessions_idle& what) {
  if (!*what.found) {  // the store is still reading its file, or fails
    sweep_.running = false;
    start_timer(retry_after, [this] { begin_sweep(); });
    return;
  }
  const auto& sessions = **what.found;
  sweep_.more |= sessions.size() == expired_at_a_time;
  for (const auto& s : sessions)
    expire(s);
  if (sweep_.ending == 0)
    sweep();
}

// Who has an actor decides itself. All others are ended here, for nobody else can be at work on them.
void shard::expire(const persistence::idle_session& what) {
  if (waking_.contains(what.id) || waking_.size() >= max_waking)
    return;
  if (env_->router->directory().find(what.id) != nullptr)
    return wake(what.id, index_, [before = sweep_.before_ms](const result<entry_ptr>& found) {
      if (const auto who = found ? (*found)->actor() : nullptr)
        caf::anon_send(who, expire_session{before});
    });
  waking_[what.id];  // whoever wants it now waits
  ++sweep_.ending;
  persistence::operation op{persistence::bucket_of(what.id),
                            what.epoch,
                            what.seq + 1,
                            what.id,
                            persistence::op_kind::end,
                            persistence::end_bytes("expired", env_->now_ms())};
  env_->store->apply({std::move(op)},
                     [id = what.id, self = caf::actor_addr{address()}](const result<void>& outcome) {
                       otp::tell(self, session_expired{id, outcome});
                     });
}

void shard::expired(const session_expired& what) {
  const auto i = waking_.find(what.id);
  if (i != waking_.end()) {
    const auto waiters = std::move(i->second);
    waking_.erase(i);
    for (const auto& then : waiters)
      if (what.outcome)
        then(fail(errc::not_found, "no such session"));
      else
        wake(what.id, index_, then);
  }
  sweep_.ended_some |= what.outcome.has_value();
  if (--sweep_.ending == 0)
    sweep();
}

// Entries of sessions whose actor has died before anything of them was stored, and who were not asked for
// since.
void shard::drop_unborn() {
  const auto before = env_->now_ms() - env_->limits.greeting_timeout.count();
  auto& directory = env_->router->directory();
  std::vector<entry_ptr> gone;
  for (auto i = index_; i < session_directory::stripes; i += env_->router->shards())
    directory.each_in(i, [&](const entry_ptr& entry) {
      if (entry->unborn && entry->used_ms < before && !entry->actor())
        gone.push_back(entry);
      return true;
    });
  for (const auto& entry : gone)
    directory.remove(entry);
}

void shard::watch_active() {
  const auto size = env_->router->directory().size();
  if (size > env_->limits.active_sessions)
    send_away((size - env_->limits.active_sessions) / env_->router->shards() + 1);
  start_timer(active_every, [this] { watch_active(); });
}

// Those that were unused for longest.
void shard::send_away(std::size_t count) {
  std::vector<std::pair<std::int64_t, entry_ptr>> found;
  const auto before = env_->now_ms() - min_idle_ms;
  for (auto i = index_; i < session_directory::stripes; i += env_->router->shards())
    env_->router->directory().each_in(i, [&](const entry_ptr& entry) {
      if (const auto used = entry->used_ms.load(std::memory_order_relaxed);
          used < before && !entry->connected)
        found.emplace_back(used, entry);
      return true;
    });
  count = std::min(count, found.size());
  std::nth_element(found.begin(), found.begin() + static_cast<std::ptrdiff_t>(count), found.end());
  for (std::size_t i = 0; i < count; ++i)
    if (const auto who = found[i].second->actor())
      caf::anon_send(who, passivate_session{});
}

}  // namespace cafmcp::actors
