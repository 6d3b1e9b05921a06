#include "cluster/runtime/coordinator/single_coordinator.hpp"

#include <algorithm>
#include <boost/asio/post.hpp>
#include <utility>

#include "base/assert.hpp"

namespace cafmcp::cluster {

using namespace std::chrono_literals;

single_coordinator::single_coordinator(boost::asio::io_context& io) : io_(io), timer_(io) {}

single_coordinator::~single_coordinator() {
  *alive_ = false;
}

template <class F>
void single_coordinator::later(F f) {
  boost::asio::post(io_, [alive = alive_, f = std::move(f)]() mutable {
    if (*alive)
      f();
  });
}

void single_coordinator::read(std::string prefix, milliseconds, std::function<void(result<snapshot>)> then) {
  later([then = std::move(then), all = everything_under(prefix)]() mutable { then(std::move(all)); });
}

void single_coordinator::commit(transaction what, milliseconds,
                                std::function<void(transaction_result)> then) {
  CAFMCP_ASSERT(well_formed(what));
  later([then = std::move(then), done = carry_out(std::move(what))] { then(done); });
}

void single_coordinator::grant(milliseconds ttl, milliseconds, std::function<void(lease_result)> then) {
  const auto id = ++last_lease_;
  const auto lasts = std::max(ttl, 1ms);
  leases_[id] = {lasts, clock::now() + lasts};
  expire();
  later([then = std::move(then), id, lasts] { then({outcome::done, id, lasts.count()}); });
}

void single_coordinator::renew(lease_id id, milliseconds, std::function<void(lease_result)> then) {
  lease_result out{outcome::refused, id, 0};
  if (const auto i = leases_.find(id); i != leases_.end()) {
    i->second.ends = clock::now() + i->second.ttl;
    out = {outcome::done, id, i->second.ttl.count()};
    expire();
  }
  later([then = std::move(then), out] { then(out); });
}

void single_coordinator::revoke(lease_id id, milliseconds, std::function<void(transaction_result)> then) {
  const bool there = leases_.contains(id);
  end(id);
  later([then = std::move(then),
         out = transaction_result{there ? outcome::done : outcome::refused, there ? at_ : 0}] { then(out); });
}

std::shared_ptr<void> single_coordinator::watch(std::string prefix, watch_handler handler) {
  const auto w = std::make_shared<watcher>(watcher{std::move(prefix), std::move(handler)});
  later([w, all = everything_under(w->prefix)]() mutable {
    if (!w->over)
      w->handler.on_snapshot(std::move(all));
    if (!w->over && w->handler.on_contact)
      w->handler.on_contact(true);
  });
  std::erase_if(watchers_, [](const auto& old) { return old.expired(); });
  watchers_.push_back(w);
  return {w.get(), [w](void*) { w->over = true; }};
}

snapshot single_coordinator::everything_under(const std::string& prefix) const {
  snapshot out{at_, {}};
  for (auto i = facts_.lower_bound(prefix); i != facts_.end() && i->first.starts_with(prefix); ++i)
    out.facts.push_back(i->second);
  return out;
}

transaction_result single_coordinator::carry_out(transaction what) {
  const auto holds = [&](const condition& c) {
    const auto i = facts_.find(c.key);
    return (i == facts_.end() ? 0 : i->second.modified) == c.modified;
  };
  const auto has_lease = [&](const change& c) { return c.lease == 0 || leases_.contains(c.lease); };
  if (!std::all_of(what.when.begin(), what.when.end(), holds))
    return {outcome::refused, at_};
  if (!std::all_of(what.then.begin(), what.then.end(), has_lease))
    return {outcome::refused, 0};
  std::vector<fact_event> events;
  ++at_;
  for (auto& c : what.then)
    c.what == change::kind::put ? put(std::move(c), events) : erase(c.key, events);
  // What changes nothing takes no revision.
  at_ -= events.empty() ? 1 : 0;
  tell(events);
  return {outcome::done, at_};
}

void single_coordinator::put(change c, std::vector<fact_event>& events) {
  auto& f = facts_[c.key];
  if (f.lease != 0)
    leases_[f.lease].keys.erase(c.key);
  if (c.lease != 0)
    leases_[c.lease].keys.insert(c.key);
  f = {c.key, std::move(c.value), f.modified == 0 ? at_ : f.created, at_, c.lease};
  events.push_back({false, f});
}

void single_coordinator::erase(const std::string& key, std::vector<fact_event>& events) {
  const auto i = facts_.find(key);
  if (i == facts_.end())
    return;
  if (i->second.lease != 0)
    leases_[i->second.lease].keys.erase(key);
  events.push_back({true, {key, {}, 0, at_, 0}});
  facts_.erase(i);
}

void single_coordinator::tell(const std::vector<fact_event>& events) {
  for (const auto& weak : watchers_) {
    const auto w = weak.lock();
    if (!w)
      continue;
    std::vector<fact_event> theirs;
    std::copy_if(events.begin(), events.end(), std::back_inserter(theirs),
                 [&](const fact_event& e) { return e.what.key.starts_with(w->prefix); });
    if (!theirs.empty())
      later([w, theirs = std::move(theirs)]() mutable {
        if (!w->over)
          w->handler.on_events(std::move(theirs));
      });
  }
}

void single_coordinator::end(lease_id id) {
  const auto i = leases_.find(id);
  if (i == leases_.end())
    return;
  const auto keys = std::move(i->second.keys);
  leases_.erase(i);
  if (keys.empty())
    return;
  std::vector<fact_event> events;
  ++at_;
  for (const auto& key : keys) {
    facts_[key].lease = 0;
    erase(key, events);
  }
  tell(events);
}

// Ends what is over, and waits for the next.
void single_coordinator::expire() {
  std::vector<lease_id> gone;
  auto next = clock::time_point::max();
  for (const auto& [id, l] : leases_)
    if (l.ends <= clock::now())
      gone.push_back(id);
    else
      next = std::min(next, l.ends);
  for (const auto id : gone)
    end(id);
  if (next == clock::time_point::max())
    return;
  timer_.expires_at(next);
  timer_.async_wait([alive = alive_, this](const boost::system::error_code& ec) {
    if (!ec && *alive)
      expire();
  });
}

}  // namespace cafmcp::cluster
