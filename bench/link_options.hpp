#pragma once
// The flags of `link` and `basp`, and what a measurement says at its end. Values.

#include <chrono>
#include <nlohmann/json.hpp>
#include <string>

#include "bench/link_actors.hpp"

namespace cafmcp::bench {

/// The flags.
struct link_options {
  bool peer = false;       ///< this is the other process
  std::string certs;       ///< a folder with certificates of `near` and `far`; empty: no TLS
  std::string what;        ///< `round-trips`, `one-way`, `flood`, `heartbeat`
  bool elsewhere = false;  ///< the client's actor is not on the link's context
  traffic load;
  std::chrono::nanoseconds warmup{};
  std::size_t flood_mb = 0;  ///< how much a flood sends
};

/// Reads the flags; on a mistake, and after --help, the program ends.
link_options parse_link_options(const char* program, const char* about, int argc, char** argv);

/// How many messages that are.
std::uint64_t messages_of_flood(const link_options& o);

/// The report of a measurement: what was measured, then what was found.
nlohmann::ordered_json report_of(const link_options& o);
nlohmann::ordered_json report_of(const link_options& o, const round_trips& r);

/// Also refuses a result where not all that was sent has come.
nlohmann::ordered_json report_of(const link_options& o, const one_way& r);

}  // namespace cafmcp::bench
