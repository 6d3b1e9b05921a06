#pragma once
// Checks a tool's arguments against its JSON Schema before the tool sees them. The work is valijson's (JSON
// Schema draft 7); what that can't check is found when the tool is registered, never silently passed over:
// `compile` lists the keywords, and the registry refuses the tool or warns, as its owner says. Immutable
// after `compile` and thread-safe: each check has its own state.

#include <cstddef>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"

namespace valijson {
class Schema;
}

namespace cafmcp::actors {

/// A schema, ready to check with.
class schema_check {
 public:
  /// Longest string that is matched against a `pattern` or a `format`: libstdc++'s regular expressions
  /// recurse for each character, so a long one would overflow the stack.
  static constexpr std::size_t max_matched_bytes = 4096;

  /// Reads a schema (an object). Error: `invalid` with what is wrong, also for a schema nested deeper than 64
  /// levels, one with references to other documents, or one whose patterns are no regular expressions.
  static result<schema_check> compile(const nlohmann::ordered_json& schema);

  /// Keywords in the schema that can't be checked, as JSON pointers: `/properties/a/prefixItems`. Empty: all
  /// is checked.
  const std::vector<std::string>& unchecked() const noexcept { return unchecked_; }

  /// Whether `arguments` are as the schema wants them. The error names the place and what is wrong there, in
  /// a form that a model can act on: `arguments.items[2].price: …`. At most three faults are named.
  result<void> check(const nlohmann::json& arguments) const;

 private:
  std::shared_ptr<const valijson::Schema> schema_;
  std::vector<std::string> unchecked_;
  bool matches_strings_ = false;
};

}  // namespace cafmcp::actors
