// The part of `/metrics` that is about the links to other nodes. Peers are few: `link_manners::peers`.

#include <algorithm>

#include "admin/metrics_families.hpp"

namespace cafmcp::admin {

namespace {

using prometheus::MetricType;
using peers = std::vector<std::pair<std::string, cluster::peer_view>>;

// A family with a value for each peer, of which there may be no link now.
template <class F>
void add_each(metrics_families& p, const peers& all, const char* name, const char* help, MetricType type,
              F read) {
  p.family(name, help, type);
  for (const auto& [peer, view] : all)
    p.value(static_cast<double>(read(view)), {{"peer", peer}});
}

// The same for those that there is a link to.
template <class F>
void add_linked(metrics_families& p, const peers& all, const char* name, const char* help, F read) {
  p.family(name, help, MetricType::Gauge);
  for (const auto& [peer, view] : all)
    if (view.link)
      p.value(static_cast<double>(read(*view.link)), {{"peer", peer}});
}

// Totals of all links to a peer, in both directions.
void add_traffic(metrics_families& p, const peers& all) {
  const auto add = [&](const char* name, const char* help, auto in, auto out) {
    p.family(name, help, MetricType::Counter);
    for (const auto& [peer, view] : all) {
      p.value(static_cast<double>(view.totals.*in), {{"peer", peer}, {"direction", "in"}});
      p.value(static_cast<double>(view.totals.*out), {{"peer", peer}, {"direction", "out"}});
    }
  };
  using totals = cluster::link_totals;
  add("cafmcp_link_bytes_total", "Bytes from another node and to it.", &totals::bytes_in, &totals::bytes_out);
  add("cafmcp_link_messages_total", "Messages, requests and answers from another node and to it.",
      &totals::messages_in, &totals::messages_out);
  add_each(p, all, "cafmcp_link_dropped_messages_total",
           "Messages to another node that were lost: too many waited, or the receiver or the link was gone.",
           MetricType::Counter, [](const cluster::peer_view& v) { return v.totals.dropped; });
  add_each(p, all, "cafmcp_link_refused_messages_total",
           "Messages of either side that must not travel: not in the list, too large, or to nobody.",
           MetricType::Counter, [](const cluster::peer_view& v) { return v.totals.refused; });
}

void add_state(metrics_families& p, const peers& all) {
  add_each(p, all, "cafmcp_link_up", "1 if there is a link to another node.", MetricType::Gauge,
           [](const cluster::peer_view& v) { return v.link ? 1 : 0; });
  add_each(p, all, "cafmcp_link_reconnects_total", "Links to another node after the first one.",
           MetricType::Counter, [](const cluster::peer_view& v) { return v.reconnects(); });
  add_each(p, all, "cafmcp_link_failed_dials",
           "Attempts to reach another node that failed since the last link.", MetricType::Gauge,
           [](const cluster::peer_view& v) { return v.dials; });
  p.family("cafmcp_link_rtt_seconds", "Round trip of the last heartbeat.", MetricType::Gauge);
  for (const auto& [peer, view] : all)
    if (view.link && view.link->counters().beats > 0)
      p.value(static_cast<double>(view.link->counters().rtt_ns) / 1e9, {{"peer", peer}});
}

void add_queues(metrics_families& p, const peers& all) {
  using cluster::node_link;
  add_linked(p, all, "cafmcp_link_backlog_bytes", "Bytes of messages that wait to be sent.",
             [](node_link& link) { return link.backlog_bytes(); });
  add_linked(p, all, "cafmcp_link_window_free_bytes", "Bytes that the other node takes at the moment.",
             [](node_link& link) { return std::max<std::int64_t>(0, link.counters().window_free); });
  add_linked(p, all, "cafmcp_link_pending_requests", "Requests to another node that wait for an answer.",
             [](node_link& link) { return link.counters().pending.load(); });
  p.family("cafmcp_link_handles",
           "Actors that the other node has handles of (ours), and that this one has of it (theirs).",
           MetricType::Gauge);
  for (const auto& [peer, view] : all)
    if (view.link) {
      const auto& c = view.link->counters();
      p.value(static_cast<double>(c.exports), {{"peer", peer}, {"side", "ours"}});
      p.value(static_cast<double>(c.imports), {{"peer", peer}, {"side", "theirs"}});
    }
}

void add_strangers(metrics_families& p, const cluster::stranger_counters& s) {
  p.family("cafmcp_link_strangers_total",
           "Connections to the cluster port: all that were accepted, and of these the refused and those that "
           "had to make room.",
           MetricType::Counter);
  p.value(static_cast<double>(s.accepted), {{"outcome", "accepted"}});
  p.value(static_cast<double>(s.refused), {{"outcome", "refused"}});
  p.value(static_cast<double>(s.evicted), {{"outcome", "evicted"}});
  p.gauge("cafmcp_link_strangers_waiting", "Connections that have not proven yet that they are a node's.",
          static_cast<double>(s.waiting));
}

}  // namespace

void add_links(metrics_families& p, const metrics_sources& sources) {
  if (sources.links) {
    const auto all = sources.links->list();
    add_state(p, all);
    add_traffic(p, all);
    add_queues(p, all);
    add_strangers(p, sources.links->strangers());
  }
  if (sources.tls)
    p.gauge("cafmcp_cluster_certificate_expires_seconds",
            "Until when other nodes accept this one's certificate, in seconds since 1970.",
            std::chrono::duration<double>(sources.tls->expires().time_since_epoch()).count());
}

}  // namespace cafmcp::admin
