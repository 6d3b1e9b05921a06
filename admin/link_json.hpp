#pragma once
// What the admin API says of the links to other nodes. Pure functions.

#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

#include "cluster/runtime/link/link_directory.hpp"

namespace cafmcp::admin {

/// The peers of `link_directory::list()`, in its order. What only a link has (round trip, window, requests
/// that wait) is left out of those that have none; totals are those of all links to that node.
nlohmann::ordered_json links_json(const std::vector<std::pair<std::string, cluster::peer_view>>& peers,
                                  cluster::peer_view::clock::time_point now);

/// What happened to connections that have not proven who they are, or had not.
nlohmann::ordered_json strangers_json(const cluster::stranger_counters& strangers);

}  // namespace cafmcp::admin
