#pragma once
// What keys must be to each other: whatever each of them alone may be right about, together they can make a
// node that nobody reaches, or that anybody does. Checked when all sources are in. Pure functions:
// thread-safe.

#include <string>
#include <vector>

#include "config/settings.hpp"

namespace cafmcp::config {

/// A rule that is broken: which key to look at (or section, `cluster.tls`), what is wrong and what to do.
struct conflict {
  std::string key;
  std::string what;
};

/// All rules that `s` breaks, one for each thing to repair.
std::vector<conflict> check_rules(const settings& s);

}  // namespace cafmcp::config
