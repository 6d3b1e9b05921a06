#pragma once
// Draws what the admin API says of sessions and servers. Pure functions; any JSON is survived, colours only
// if asked for.

#include <nlohmann/json.hpp>
#include <string>

namespace cafmcp::admin {

/// A list of sessions as a table.
std::string draw_sessions(const nlohmann::ordered_json& list, bool colours);

/// Sessions with all that is known of them, as `key value` lines.
std::string draw_session(const nlohmann::ordered_json& list, bool colours);

/// What became of `session kill`.
std::string draw_killed(const nlohmann::ordered_json& answer, bool colours);

/// Where a session is, and what happened to it.
std::string draw_why(const nlohmann::ordered_json& answer, bool colours);

/// A list of servers as a table.
std::string draw_servers(const nlohmann::ordered_json& list, bool colours);

}  // namespace cafmcp::admin
