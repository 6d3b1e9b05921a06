#include "tests/simulation/model_etcd.hpp"

namespace cafmcp::simulation {

using namespace cluster;

transaction_result model_etcd::commit(const transaction& t, const std::string& by) {
  for (const auto& c : t.when) {
    const auto i = facts_.find(c.key);
    if ((i == facts_.end() ? 0 : i->second.modified) != c.modified)
      return {outcome::refused, revision_};
  }
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
  fact f{c.key, c.value, i == facts_.end() ? revision_ : i->second.created, revision_};
  history_.push_back({false, f});
  observer_(i == facts_.end() ? nullptr : &i->second, history_.back(), by);
  facts_[c.key] = std::move(f);
}

void model_etcd::erase(const std::string& key, const std::string& by) {
  const auto i = facts_.find(key);
  if (i == facts_.end())
    return;
  history_.push_back({true, {key, {}, 0, revision_}});
  observer_(&i->second, history_.back(), by);
  facts_.erase(i);
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
