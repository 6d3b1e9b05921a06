#pragma once
// A resource template that URIs are taken apart with: `{x}` stands for one or more characters other than `/`,
// `?` and `#`, and is percent-decoded; `{+x}` for any number of any characters, as they are. Not for users.
// Immutable: thread-safe.

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "sdk/answer.hpp"

namespace cafmcp::sdk::detail {

/// See above.
class uri_pattern {
 public:
  /// Error `invalid`: braces that don't match, a variable without a name or with the same name as another, or
  /// an expression of RFC 6570 that is neither `{x}` nor `{+x}`.
  static result<uri_pattern> compile(std::string_view uri_template);

  /// The variables as an object of strings; nothing: the URI doesn't fit. Where several ways fit, later
  /// variables are the shortest possible. Time is bounded by the product of the two lengths.
  std::optional<json> match(std::string_view uri) const;

 private:
  struct part {
    std::string text;  // a literal, or the name of a variable
    bool variable = false;
    bool any = false;  // `{+x}`
  };
  using places = std::vector<bool>;
  static places beyond(const part& p, const places& from, std::string_view uri);

  std::vector<part> parts_;
};

}  // namespace cafmcp::sdk::detail
