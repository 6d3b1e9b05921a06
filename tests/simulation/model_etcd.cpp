#include "tests/simulation/model_etcd.hpp"

#include <algorithm>

namespace cafmcp::simulation {

using namespace cluster;

transaction_result model_etcd::commit(const transaction& t, const std::string& by) {
  for (const auto& c : t.when) {
    const auto i = facts_.find(c.key);
    if ((i == facts_.end() ? 0 : i->second.modified) != c.modified)
      return {outcome::refused, revision_};
  }
  for (const auto& c : t.then)
    if (c.lease != 0 && !leases_.contains(c.lease))
      return {outcome::refused, revision_};
  ++revision_;
  for (const auto& c : t.then)
    if (c.what == change::kind::put)
      put(c, by);
    else
      erase(c.key, by);
  tell();
  return {outcome::done, revision_};
}

void model_etcd::put(const change& c, const std::string& by) {
  const auto i = facts_.find(c.key);
  fact f{c.key, c.value, i == facts_.end() ? revision_ : i->second.created, revision_, c.lease};
  history_.push_back({false, f});
  observer_(i == facts_.end() ? nullptr : &i->second, history_.back(), by);
  facts_[c.key] = std::move(f);
}

void model_etcd::erase(const std::string& key, const std::string& by) {
  const auto i = facts_.find(key);
  if (i == facts_.end())
    return;
  history_.push_back({true, {key, {}, 0, revision_, 0}});
  observer_(&i->second, history_.back(), by);
  facts_.erase(i);
}

lease_result model_etcd::grant(std::int64_t ttl_ms) {
  const auto id = ++last_lease_;
  auto& l = leases_[id];
  l.ttl_ms = ttl_ms;
  extend(id, l);
  return {outcome::done, id, ttl_ms};
}

lease_result model_etcd::renew(lease_id id) {
  const auto i = leases_.find(id);
  if (i == leases_.end())
    return {outcome::refused, id, 0};
  extend(id, i->second);
  return {outcome::done, id, i->second.ttl_ms};
}

// By its own clock, and a little late, as its ticks come.
void model_etcd::extend(lease_id id, lease& l) {
  const auto span =
      static_cast<instant>(static_cast<double>(l.ttl_ms * ms) / rate_) + time_.pick(0, 300 * ms);
  l.until = time_.now() + span;
  time_.after(span, [this, id, renewal = ++l.renewal] { expire(id, renewal); });
}

void model_etcd::expire(lease_id id, std::uint64_t renewal) {
  const auto i = leases_.find(id);
  if (up_ && i != leases_.end() && i->second.renewal == renewal)
    end(id);
}

void model_etcd::end(lease_id id) {
  leases_.erase(id);
  std::vector<std::string> keys;
  for (const auto& [key, f] : facts_)
    if (f.lease == id)
      keys.push_back(key);
  if (keys.empty())
    return;
  ++revision_;
  for (const auto& key : keys)
    erase(key, {});
  tell();
}

transaction_result model_etcd::revoke(lease_id id) {
  if (!leases_.contains(id))
    return {outcome::refused, revision_};
  end(id);
  return {outcome::done, revision_};
}

snapshot model_etcd::read(const std::string& prefix) const {
  snapshot s;
  s.at = revision_;
  for (auto i = facts_.lower_bound(prefix); i != facts_.end() && i->first.starts_with(prefix); ++i)
    s.facts.push_back(i->second);
  return s;
}

void model_etcd::gain_leader() {
  up_ = true;
  for (auto& [id, l] : leases_)
    extend(id, l);
  tell();
}

void model_etcd::compact() {
  forgotten_ = revision_;
  history_.clear();
}

void model_etcd::tell() {
  for (const auto& f : listeners_)
    f();
}

}  // namespace cafmcp::simulation
