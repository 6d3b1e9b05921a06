#include "cluster/runtime/link/stranger_gate.hpp"

#include <algorithm>

namespace cafmcp::cluster {

void stranger_gate::enter(const std::shared_ptr<candidate>& c, const std::string& host) {
  std::shared_ptr<candidate> gone;
  {
    const std::lock_guard lock{mutex_};
    waiting_.push_back({c, c.get(), host});
    places_.emplace(c.get(), std::prev(waiting_.end()));
    ++by_host_[host];
    if (waiting_.size() > limit_)
      gone = evict();
    counters_.waiting = static_cast<std::uint32_t>(waiting_.size());
  }
  ++counters_.accepted;
  if (gone)
    gone->drop();
}

std::shared_ptr<candidate> stranger_gate::evict() {
  const auto most = std::max_element(by_host_.begin(), by_host_.end(),
                                     [](const auto& a, const auto& b) { return a.second < b.second; });
  const auto first = std::find_if(waiting_.begin(), waiting_.end(),
                                  [&](const stranger& s) { return s.host == most->first; });
  auto gone = first->who.lock();
  places_.erase(first->key);
  waiting_.erase(first);
  if (--most->second == 0)
    by_host_.erase(most);
  ++counters_.evicted;
  return gone;
}

void stranger_gate::leave(const candidate& c) {
  const std::lock_guard lock{mutex_};
  const auto place = places_.find(&c);
  if (place == places_.end())
    return;
  const auto host = by_host_.find(place->second->host);
  if (--host->second == 0)
    by_host_.erase(host);
  waiting_.erase(place->second);
  places_.erase(place);
  counters_.waiting = static_cast<std::uint32_t>(waiting_.size());
}

std::size_t stranger_gate::size() const {
  const std::lock_guard lock{mutex_};
  return waiting_.size();
}

}  // namespace cafmcp::cluster
