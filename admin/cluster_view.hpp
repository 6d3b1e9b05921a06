#pragma once
// Draws what the admin API says of the cluster. Pure functions; any JSON is survived, colours only if asked
// for.

#include <nlohmann/json.hpp>
#include <string>

namespace cafmcp::admin {

/// The cluster in a few lines, and a table with a line for each node.
std::string draw_cluster(const nlohmann::ordered_json& cluster, bool colours);

/// A table with a line for each bucket.
std::string draw_buckets(const nlohmann::ordered_json& buckets, bool colours);

/// How many nodes are up and who is controller, in one line without its end.
std::string draw_cluster_line(const nlohmann::ordered_json& summary);

/// How far a node is that leaves, in one line without its end.
std::string draw_leaving(const nlohmann::ordered_json& progress);

/// That a node was removed.
std::string draw_removed(const nlohmann::ordered_json& answer, bool colours);

/// `cluster` without what changes all the time: two pictures with the same are one for whoever watches.
nlohmann::ordered_json without_pulse(nlohmann::ordered_json cluster);

}  // namespace cafmcp::admin
