#include "actors/registry.hpp"

#include <algorithm>

#include "base/log.hpp"

namespace cafmcp::actors {

namespace {

auto place_of(std::vector<server_entry>& servers, const std::string& name) {
  return std::lower_bound(servers.begin(), servers.end(), name,
                          [](const server_entry& e, const std::string& n) { return e.impl->name() < n; });
}

bool holds(const std::vector<server_entry>& servers, std::vector<server_entry>::iterator i,
           const std::string& name) {
  return i != servers.end() && i->impl->name() == name;
}

// All that the servers offer, as one.
mcp::catalogue_content merged(const std::vector<server_entry>& servers) {
  mcp::catalogue_content out;
  const auto append = [](auto& to, const auto& from) { to.insert(to.end(), from.begin(), from.end()); };
  for (const auto& s : servers) {
    const auto& c = s.offers->content();
    append(out.tools, c.tools);
    append(out.resources, c.resources);
    append(out.templates, c.templates);
    append(out.prompts, c.prompts);
    out.open_resources = out.open_resources || c.open_resources;
  }
  return out;
}

// Whether a list reads differently now.
template <class T>
bool differs(const std::vector<T>& a, const std::vector<T>& b) {
  constexpr auto r = mcp::last_session_revision;
  return !std::equal(a.begin(), a.end(), b.begin(), b.end(),
                     [](const T& x, const T& y) { return mcp::to_json(x, r) == mcp::to_json(y, r); });
}

}  // namespace

registry::registry(caf::actor_config& config, std::shared_ptr<registry_view> view,
                   std::shared_ptr<session_router> router)
    : base_actor(config), view_(std::move(view)), router_(std::move(router)) {}

caf::behavior registry::make_behavior() {
  // After a crash: the servers' actors say again that they are there, or are given up.
  for (const auto& s : view_->get()->servers)
    start_timer(grace, [this, server = s.impl->name()] { give_up(server); });
  return {[this](const register_server& what) -> caf::result<registered> { return registered{add(what)}; }};
}

result<void> registry::add(const register_server& what) {
  const auto& server = what.impl->name();
  auto offers = mcp::catalogue::make(what.impl->offers());
  if (!offers)
    return fail(offers.error().code, "server '" + server + "': " + offers.error().message);
  registry_snapshot next = *view_->get();
  const auto i = place_of(next.servers, server);
  if (holds(next.servers, i, server)) {
    i->impl = what.impl;
    i->offers = std::move(*offers);
    i->up = true;
  } else {
    if (next.servers.size() >= max_servers)
      return fail(errc::overloaded, "there are " + std::to_string(max_servers) + " servers already");
    next.servers.insert(i, {what.impl, std::make_shared<server_stats>(), std::move(*offers), true});
  }
  if (auto published = publish(std::move(next)); !published)
    return fail(published.error().code, "server '" + server + "': " + published.error().message);
  auto& known = actors_[server];
  if (known != what.who.address()) {
    known = what.who.address();
    monitor(what.who);
  }
  return {};
}

result<void> registry::publish(registry_snapshot next) {
  const auto before = view_->get();
  auto offers = mcp::catalogue::make(merged(next.servers));
  if (!offers)
    return offers.error();
  next.offers = std::move(*offers);
  const auto& old = before->offers->content();
  const auto& now = next.offers->content();
  changed_.tools |= differs(old.tools, now.tools);
  changed_.prompts |= differs(old.prompts, now.prompts);
  changed_.resources |= differs(old.resources, now.resources) || differs(old.templates, now.templates);
  view_->publish(std::move(next));
  changed_.version = view_->version();
  if (tell_waits_ || !(changed_.tools || changed_.resources || changed_.prompts))
    return {};
  tell_waits_ = true;
  start_timer(debounce, [this] {
    tell_waits_ = false;
    router_->broadcast(std::exchange(changed_, {}));
  });
  return {};
}

void registry::handle_down(const caf::down_msg& down) {
  for (auto i = actors_.begin(); i != actors_.end(); ++i)
    if (i->second == down.source) {
      const auto server = i->first;
      actors_.erase(i);
      return lost(server);
    }
}

void registry::lost(const std::string& server) {
  registry_snapshot next = *view_->get();
  const auto i = place_of(next.servers, server);
  if (!holds(next.servers, i, server))
    return;
  i->up = false;
  i->stats->restarts.fetch_add(1, std::memory_order_relaxed);
  (void)publish(std::move(next));
  start_timer(grace, [this, server] { give_up(server); });
}

void registry::give_up(const std::string& server) {
  if (actors_.contains(server))
    return;
  registry_snapshot next = *view_->get();
  const auto i = place_of(next.servers, server);
  if (!holds(next.servers, i, server))
    return;
  next.servers.erase(i);
  log::get("actors").warn("a server is gone, and its offers with it", {{"server", server}});
  (void)publish(std::move(next));
}

}  // namespace cafmcp::actors
