#pragma once
// What a run of the load generator says at its end: one JSON document for programs, a table for people, both
// from the same numbers. Pure and thread-safe.

#include <nlohmann/json.hpp>
#include <string>

#include "bench/plan.hpp"
#include "bench/stats.hpp"

namespace cafmcp::bench {

/// The document of `--json`. Latencies in µs, times in seconds; `cpu_seconds` is what this process used
/// itself.
nlohmann::ordered_json to_json(const plan& p, const stats& s, double cpu_seconds);

/// The same document as a table of lines.
std::string to_table(const nlohmann::ordered_json& report);

}  // namespace cafmcp::bench
