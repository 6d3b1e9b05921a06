#pragma once
// Draws what the admin API says of the session store. Pure functions; any JSON is survived, colours only if
// asked for.

#include <nlohmann/json.hpp>
#include <string>

namespace cafmcp::admin {

/// The store's figures, as `key value` lines.
std::string draw_store(const nlohmann::ordered_json& stats, bool colours);

/// What a check has found.
std::string draw_check(const nlohmann::ordered_json& found, bool colours);

/// Whether a check has found nothing wrong.
bool is_sound(const nlohmann::ordered_json& found);

}  // namespace cafmcp::admin
