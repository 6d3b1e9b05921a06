#pragma once
// From a YAML tree to the members that the schema's rows are bound to. Every problem is collected instead of
// stopping at the first, within a bound; a member keeps what it had if its new value is wrong. Free functions
// on the caller's objects: thread-compatible.

#include <string>
#include <vector>

#include "config/schema.hpp"
#include "config/yaml.hpp"

namespace cafmcp::config {

/// One thing that is wrong: where (if the source has lines), with which key (if with one), what, and what to
/// do.
struct problem {
  place at;
  std::string key;
  std::string what;
};

/// A key that got a value, and where that stands.
struct assignment {
  std::string key;
  place at;
};

/// What putting a source into the settings came to.
struct report {
  /// Bounds the work and the output for hostile files; the last problem then says that there are more.
  static constexpr std::size_t max_problems = 50;

  std::vector<problem> problems;
  std::vector<assignment> assigned;

  void add(place at, std::string key, std::string what);
  bool full() const { return problems.size() >= max_problems; }
};

/// Puts `value` into the member of `k`. A list of addresses may also be a scalar, `a:1,b:2`.
void bind_value(const key<settings>& k, settings& object, const yaml_node& value, report& r);

/// Puts the root of a file into `object`: sections are maps of keys.
void bind_all(settings& object, const yaml_node& root, report& r);

/// All paths of the settings and their sections: what an unknown key may have been meant to be.
std::vector<std::string> known_paths();

}  // namespace cafmcp::config
