#pragma once
// What the admin API shows of servers. Pure functions.

#include <nlohmann/json.hpp>
#include <string>

#include "actors/registry_view.hpp"

namespace cafmcp::admin {

/// All servers of a snapshot, with what they offer and how their calls went.
nlohmann::ordered_json servers_json(const actors::registry_snapshot& snapshot, const std::string& node);

}  // namespace cafmcp::admin
