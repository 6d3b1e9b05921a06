#pragma once
// What the admin API says of the cluster: its nodes, who is controller, and the assignment table. Pure
// functions of what this node knows at the moment.

#include <nlohmann/json.hpp>
#include <string_view>
#include <utility>
#include <vector>

#include "cluster/runtime/link/link_directory.hpp"
#include "cluster/runtime/membership/cluster_state.hpp"

namespace cafmcp::admin {

/// What this node alone knows of itself; -1: nothing.
struct own_figures {
  std::int64_t sessions = -1;
  std::int64_t connections = -1;
};

/// "up", "draining", or "down" for a member without a lease.
const char* member_status(const cluster::member_view& m) noexcept;

/// The cluster with its nodes, by name. `peers` are those of `link_directory::list()`.
nlohmann::ordered_json cluster_json(const cluster::cluster_state& state,
                                    const std::vector<std::pair<std::string, cluster::peer_view>>& peers,
                                    const own_figures& own, cluster::peer_view::clock::time_point now);

/// A row for each bucket, none before the coordinator was heard. Nodes are told by name, or by id if they
/// are members no more; `mine`: this node owns it for sure, now.
nlohmann::ordered_json buckets_json(const cluster::cluster_state& state);

/// How many nodes there are and are up, and the controller's name or null.
nlohmann::ordered_json cluster_summary(const cluster::cluster_state& state);

/// The member of that name or id; null if there is none, or several have the name. Lives as long as
/// `picture`.
const cluster::member_view* find_member(const cluster::cluster_picture& picture, std::string_view name_or_id);

}  // namespace cafmcp::admin
