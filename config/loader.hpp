#pragma once
// Puts the configuration together: defaults, then the file, then `CAFMCP_*` of the environment, then flags;
// each overrides what comes before. Everything that is wrong in any of them is collected and reported with
// its place, so that a user repairs a configuration in one go; also what a later source would have
// overridden. Functions without shared state: thread-safe.

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "config/schema.hpp"

namespace cafmcp::config {

/// A key from the command line. `shown` is how the user gave it: `--listen`, or `--set listen`.
struct flag {
  std::string path;
  std::string value;
  std::string shown;
};

/// Where the configuration comes from.
struct sources {
  std::string file;                      ///< YAML; empty: none
  std::vector<std::string> environment;  ///< KEY=VALUE; only `CAFMCP_*` counts
  std::vector<flag> flags;               ///< the last one of a key counts
};

/// The settings and who set them, or what is wrong.
struct outcome {
  settings values;  ///< complete and checked if `errors` is empty, else of no use
  std::map<std::string, std::string, std::less<>> set_by;  ///< key → source, `x.yaml:3:5`; absent: default
  std::vector<std::string> errors;  ///< one line each: source, key, what is wrong, what to do

  bool ok() const { return errors.empty(); }
};

/// Reads all sources. Never throws; reads at most 1 MiB of the file.
outcome load(const sources& from);

/// This process's environment, for `sources`. Not while another thread changes it.
std::vector<std::string> process_environment();

/// A key that two configurations differ in, with what to show for both values.
struct change {
  std::string_view path;
  bool reloadable;
  std::string before;
  std::string after;
};

/// What a reload from `before` to `after` would change, in the schema's order.
std::vector<change> diff_reload(const settings& before, const settings& after);

/// Keys that differ from their defaults although what they configure is not built yet: worth a warning.
std::vector<std::string_view> without_effect(const settings& s);

}  // namespace cafmcp::config
