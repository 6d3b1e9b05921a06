#pragma once
// What the admin API says of the session store. Pure functions.

#include <nlohmann/json.hpp>
#include <string>

#include "persistence/sqlite_store.hpp"

namespace cafmcp::admin {

/// All figures of a store. `health`: why it can't write; empty if it can.
nlohmann::ordered_json store_json(const persistence::sqlite_stats& stats, const std::string& health);

/// What a check has found, and how long it took.
nlohmann::ordered_json check_json(const persistence::store_check& found, double seconds);

}  // namespace cafmcp::admin
