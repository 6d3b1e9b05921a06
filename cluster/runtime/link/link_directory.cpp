#include "cluster/runtime/link/link_directory.hpp"

#include <caf/all.hpp>

namespace cafmcp::cluster {

namespace {

// As it is given out: with what the present link has counted. Under the lock, so that it is not counted
// twice.
peer_view shown(const peer_view& view) {
  auto out = view;
  if (out.link)
    out.totals += out.link->counters();
  return out;
}

}  // namespace

std::shared_ptr<node_link> link_directory::find(std::string_view node) const {
  const std::lock_guard lock{mutex_};
  const auto i = peers_.find(node);
  return i == peers_.end() ? nullptr : i->second.link;
}

std::vector<std::pair<std::string, peer_view>> link_directory::list() const {
  const std::lock_guard lock{mutex_};
  std::vector<std::pair<std::string, peer_view>> out;
  out.reserve(peers_.size());
  for (const auto& [name, view] : peers_)
    out.emplace_back(name, shown(view));
  return out;
}

peer_view link_directory::get(std::string_view node) const {
  const std::lock_guard lock{mutex_};
  const auto i = peers_.find(node);
  return i == peers_.end() ? peer_view{} : shown(i->second);
}

bool link_directory::knows(std::string_view node) const {
  const std::lock_guard lock{mutex_};
  return peers_.contains(node);
}

std::size_t link_directory::size() const {
  const std::lock_guard lock{mutex_};
  return peers_.size();
}

void link_directory::change(const std::string& node, const std::function<void(peer_view&)>& how) {
  const std::lock_guard lock{mutex_};
  ++changes_;
  auto& view = peers_[node];
  const auto before = view.link;
  how(view);
  if (before && before != view.link)
    view.totals += before->counters();
}

void link_directory::forget(const std::string& node) {
  const std::lock_guard lock{mutex_};
  ++changes_;
  peers_.erase(node);
}

void link_directory::subscribe(const caf::actor& whom) {
  const std::lock_guard lock{mutex_};
  subscribers_.push_back(whom.address());
  for (const auto& [name, view] : peers_)
    if (view.link)
      caf::anon_send(whom, link_event{name, view.about.incarnation, true, {}});
}

// Under the lock, so that nobody hears events out of order.
void link_directory::publish(const link_event& event) {
  const std::lock_guard lock{mutex_};
  std::erase_if(subscribers_, [&](const caf::actor_addr& whom) {
    const auto to = caf::actor_cast<caf::actor>(whom);
    if (to)
      caf::anon_send(to, event);
    return !to;
  });
}

}  // namespace cafmcp::cluster
