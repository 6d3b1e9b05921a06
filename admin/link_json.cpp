#include "admin/link_json.hpp"

#include <algorithm>

namespace cafmcp::admin {

namespace {

using json = nlohmann::ordered_json;
using clock = cluster::peer_view::clock;

template <class Unit>
std::int64_t age(clock::time_point then, clock::time_point now) {
  return std::max<std::int64_t>(0, std::chrono::duration_cast<Unit>(now - then).count());
}

// What there is only while there is a link.
void add_link(json& out, cluster::node_link& link, clock::time_point now) {
  const auto& c = link.counters();
  const clock::time_point heard{std::chrono::nanoseconds{c.heard_ns.load()}};
  out["last_heard_ms"] = age<std::chrono::milliseconds>(heard, now);
  if (c.beats > 0) {
    out["rtt_ms"] = static_cast<double>(c.rtt_ns) / 1e6;
    out["slowest_rtt_ms"] = static_cast<double>(c.slowest_ns) / 1e6;
  }
  out.update({{"pending", c.pending.load()},
              {"exports", c.exports.load()},
              {"imports", c.imports.load()},
              {"backlog_bytes", link.backlog_bytes()},
              {"window_free_bytes", std::max<std::int64_t>(0, c.window_free)}});
}

json peer_json(const std::string& name, const cluster::peer_view& view, clock::time_point now) {
  json out{{"node", name}, {"address", view.about.address}, {"state", view.link == nullptr ? "down" : "up"}};
  if (view.link)
    out["secure"] = view.secure;
  if (view.since != clock::time_point{})
    out["since_seconds"] = age<std::chrono::seconds>(view.since, now);
  // As text: it is too large for the numbers of most readers of JSON.
  out.update({{"incarnation", std::to_string(view.about.incarnation)},
              {"software", view.about.software},
              {"region", view.about.region},
              {"zone", view.about.zone}});
  if (view.link)
    add_link(out, *view.link, now);
  out.update({{"bytes_in", view.totals.bytes_in},
              {"bytes_out", view.totals.bytes_out},
              {"messages_in", view.totals.messages_in},
              {"messages_out", view.totals.messages_out},
              {"dropped", view.totals.dropped},
              {"refused", view.totals.refused},
              {"reconnects", view.reconnects()},
              {"failed_dials", view.dials}});
  if (!view.trouble.empty())
    out["trouble"] = view.trouble;
  return out;
}

}  // namespace

json links_json(const std::vector<std::pair<std::string, cluster::peer_view>>& peers, clock::time_point now) {
  auto out = json::array();
  for (const auto& [name, view] : peers)
    out.push_back(peer_json(name, view, now));
  return out;
}

json strangers_json(const cluster::stranger_counters& strangers) {
  return {{"accepted", strangers.accepted.load()},
          {"refused", strangers.refused.load()},
          {"evicted", strangers.evicted.load()},
          {"waiting", strangers.waiting.load()}};
}

}  // namespace cafmcp::admin
