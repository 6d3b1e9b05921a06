#include "cluster/runtime/link/link_directory.hpp"

#include <caf/all.hpp>

namespace cafmcp::cluster {

std::shared_ptr<node_link> link_directory::find(std::string_view node) const {
  const std::lock_guard lock{mutex_};
  const auto i = peers_.find(node);
  return i == peers_.end() ? nullptr : i->second.link;
}

std::vector<std::pair<std::string, peer_view>> link_directory::list() const {
  const std::lock_guard lock{mutex_};
  return {peers_.begin(), peers_.end()};
}

peer_view link_directory::get(std::string_view node) const {
  const std::lock_guard lock{mutex_};
  const auto i = peers_.find(node);
  return i == peers_.end() ? peer_view{} : i->second;
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
  how(peers_[node]);
}

void link_directory::forget(const std::string& node) {
  const std::lock_guard lock{mutex_};
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
