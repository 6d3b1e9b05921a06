#include "admin/cluster_json.hpp"

#include <algorithm>

namespace cafmcp::admin {

namespace {

using json = nlohmann::ordered_json;
using clock = cluster::peer_view::clock;
using cluster::cluster_picture;
using cluster::member_view;

// The name of a node; its id if it is no member (any more); null for nobody.
json name_of(const cluster_picture& p, const std::string& id) {
  if (id.empty())
    return nullptr;
  const auto i =
      std::find_if(p.members.begin(), p.members.end(), [&](const auto& m) { return m.is.id == id; });
  return i == p.members.end() || i->is.name.empty() ? id : i->is.name;
}

json names_of(const cluster_picture& p, const std::vector<std::string>& ids) {
  auto out = json::array();
  for (const auto& id : ids)
    out.push_back(name_of(p, id));
  return out;
}

json number_or_null(std::int64_t number) {
  return number < 0 ? json(nullptr) : json(number);
}

// Null without a link to that very node.
json heartbeat_age(const member_view& m, const std::vector<std::pair<std::string, cluster::peer_view>>& peers,
                   clock::time_point now) {
  for (const auto& [name, peer] : peers) {
    if (peer.about.id != m.is.id || !peer.link)
      continue;
    const clock::time_point heard{std::chrono::nanoseconds{peer.link->counters().heard_ns.load()}};
    return std::max<std::int64_t>(0,
                                  std::chrono::duration_cast<std::chrono::milliseconds>(now - heard).count());
  }
  return nullptr;
}

std::size_t owned_for_sure(const cluster::cluster_state& state) {
  std::size_t n = 0;
  for (std::size_t b = 0; b < cluster::bucket_count; ++b)
    n += state.owns(b) ? 1 : 0;
  return n;
}

}  // namespace

const char* member_status(const member_view& m) noexcept {
  return m.alive ? to_string(m.is.state) : "down";
}

json cluster_json(const cluster::cluster_state& state,
                  const std::vector<std::pair<std::string, cluster::peer_view>>& peers,
                  const own_figures& own, clock::time_point now) {
  const auto p = state.picture();
  auto members = p->members;
  std::stable_sort(members.begin(), members.end(),
                   [](const auto& a, const auto& b) { return a.is.name < b.is.name; });
  auto nodes = json::array();
  for (const auto& m : members) {
    const bool self = m.is.id == p->self;
    nodes.push_back({{"name", m.is.name},
                     {"id", m.is.id},
                     {"status", member_status(m)},
                     {"region", m.is.region},
                     {"zone", m.is.zone},
                     {"weight", m.is.weight},
                     {"address", m.is.address},
                     {"sessions", self ? number_or_null(own.sessions) : json(nullptr)},
                     {"connections", self ? number_or_null(own.connections) : json(nullptr)},
                     {"buckets", m.owned},
                     {"held", m.held},
                     {"learning", m.learning},
                     {"last_heartbeat_ms", self ? json(0) : heartbeat_age(m, peers, now)}});
  }
  return {{"epoch", p->epoch},
          {"leader", name_of(*p, p->controller)},
          {"self", name_of(*p, p->self)},
          {"id", p->self},
          {"known", p->known},
          {"in_contact", p->in_contact},
          {"isolated", state.isolated()},
          {"revision", p->revision},
          {"nodes", std::move(nodes)},
          {"buckets",
           {{"total", cluster::bucket_count},
            {"own", owned_for_sure(state)},
            {"unowned", p->unowned},
            {"degraded", p->degraded},
            {"moving", p->moving}}}};
}

json buckets_json(const cluster::cluster_state& state) {
  const auto p = state.picture();
  const auto rows = state.rows();
  auto out = json::array();
  for (std::size_t b = 0; b < rows.size(); ++b) {
    const auto& r = rows[b];
    out.push_back({{"bucket", b},
                   {"owner", name_of(*p, r.owner)},
                   {"epoch", r.epoch},
                   {"in_sync", names_of(*p, r.in_sync)},
                   {"learners", names_of(*p, r.learners)},
                   {"next", name_of(*p, r.next)},
                   {"mine", r.owner == p->self && state.owns(b)}});
  }
  return out;
}

json cluster_summary(const cluster::cluster_state& state) {
  const auto p = state.picture();
  const auto up = std::count_if(p->members.begin(), p->members.end(), [](const auto& m) { return m.alive; });
  return {{"nodes", p->members.size()}, {"up", up}, {"controller", name_of(*p, p->controller)}};
}

const member_view* find_member(const cluster_picture& picture, std::string_view name_or_id) {
  const member_view* found = nullptr;
  for (const auto& m : picture.members) {
    if (m.is.id == name_or_id)
      return &m;
    if (m.is.name != name_or_id)
      continue;
    if (found != nullptr)
      return nullptr;
    found = &m;
  }
  return found;
}

}  // namespace cafmcp::admin
