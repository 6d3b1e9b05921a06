#pragma once
// Draws the admin API's answers for people. Pure functions; colours only if asked for.

#include <nlohmann/json.hpp>
#include <string>

namespace cafmcp::admin {

/// The supervision tree as a drawing, one actor a line: what it is, its state, how often it was restarted,
/// what waits.
std::string draw_tree(const nlohmann::ordered_json& tree, bool colours);

/// The status as lines of `key value`, and the links to other nodes as a table below.
std::string draw_status(const nlohmann::ordered_json& status, bool colours);

}  // namespace cafmcp::admin
