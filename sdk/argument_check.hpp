#pragma once
// The check of a tool's arguments, or none for a schema that says nothing but that they are an object. Not
// for users. Immutable, thread-safe, cheap to copy.

#include <memory>
#include <string>

#include "base/result.hpp"
#include "mcp/definitions.hpp"
#include "sdk/answer.hpp"

namespace cafmcp::actors {
class schema_check;
}

namespace cafmcp::sdk::detail {

/// See above.
class argument_check {
 public:
  /// Takes everything.
  argument_check() = default;

  /// Reads a schema. Error `invalid`: it is none, or one that clients would refuse. What can't be checked is
  /// logged, with the names of server and tool.
  static result<argument_check> compile(const mcp::json& schema, std::string_view server,
                                        std::string_view tool);

  /// Whether anything is checked.
  bool trivial() const noexcept { return check_ == nullptr; }

  /// The error names the place: `arguments.items[2]: …`.
  result<void> check(const json& arguments) const;

 private:
  std::shared_ptr<const actors::schema_check> check_;
};

}  // namespace cafmcp::sdk::detail
