#include "cluster/runtime/coordinator/single_coordinator.hpp"

#include <algorithm>
#include <boost/asio/post.hpp>
#include <utility>

#include "base/assert.hpp"

namespace cafmcp::cluster {

single_coordinator::single_coordinator(boost::asio::io_context& io) : io_(io) {}

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
  if (!std::all_of(what.when.begin(), what.when.end(), holds))
    return {outcome::refused, at_};
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
  f = {c.key, std::move(c.value), f.modified == 0 ? at_ : f.created, at_};
  events.push_back({false, f});
}

void single_coordinator::erase(const std::string& key, std::vector<fact_event>& events) {
  const auto i = facts_.find(key);
  if (i == facts_.end())
    return;
  events.push_back({true, {key, {}, 0, at_}});
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

}  // namespace cafmcp::cluster
