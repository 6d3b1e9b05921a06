#pragma once
// Draws what the admin API says of the links to other nodes. Pure functions; any JSON is survived, colours
// only if asked for.

#include <nlohmann/json.hpp>
#include <string>

namespace cafmcp::admin {

/// A table with a line for each other node.
std::string draw_links(const nlohmann::ordered_json& links, bool colours);

/// What happened to connections from strangers, in one line without its end.
std::string draw_strangers(const nlohmann::ordered_json& strangers);

}  // namespace cafmcp::admin
