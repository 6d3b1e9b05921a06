// The part of `/metrics` that is about agreement: the members, and the assignment table, as this node knows
// them.

#include <array>
#include <string_view>

#include "admin/cluster_json.hpp"
#include "admin/metrics_families.hpp"

namespace cafmcp::admin {

namespace {

using prometheus::MetricType;

void add_members(metrics_families& p, const cluster::cluster_picture& now) {
  p.family("cafmcp_cluster_members", "Members of the cluster, by what they do; down: without a lease.",
           MetricType::Gauge);
  for (const std::string_view state : {"up", "draining", "down"}) {
    std::size_t n = 0;
    for (const auto& m : now.members)
      n += member_status(m) == state ? 1 : 0;
    p.value(static_cast<double>(n), {{"state", std::string{state}}});
  }
}

void add_buckets(metrics_families& p, const cluster::cluster_picture& now, bool isolated) {
  p.family(
      "cafmcp_cluster_buckets",
      "Buckets: this node's own; of all, those whose owner is gone, with too few copies, and on the move.",
      MetricType::Gauge);
  p.value(isolated ? 0 : static_cast<double>(now.own), {{"state", "own"}});
  p.value(static_cast<double>(now.unowned), {{"state", "unowned"}});
  p.value(static_cast<double>(now.degraded), {{"state", "degraded"}});
  p.value(static_cast<double>(now.moving), {{"state", "moving"}});
}

}  // namespace

void add_cluster(metrics_families& p, const metrics_sources& sources) {
  if (!sources.cluster)
    return;
  const auto now = sources.cluster->picture();
  const bool isolated = sources.cluster->isolated();
  add_members(p, *now);
  add_buckets(p, *now, isolated);
  p.gauge("cafmcp_cluster_epoch", "Grows with each change of a bucket's owner.",
          static_cast<double>(now->epoch));
  p.gauge("cafmcp_cluster_revision", "The coordinator's last change that this node has heard of.",
          static_cast<double>(now->revision));
  p.gauge("cafmcp_cluster_isolated", "1 if this node's lease is not sure.", isolated ? 1 : 0);
  p.gauge("cafmcp_cluster_controller", "1 if this node changes the assignment table.",
          !isolated && !now->self.empty() && now->controller == now->self ? 1 : 0);
  p.gauge("cafmcp_cluster_in_contact", "1 if the coordinator answers this node.", now->in_contact ? 1 : 0);
}

}  // namespace cafmcp::admin
