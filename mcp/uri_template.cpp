#include "mcp/uri_template.hpp"

#include <algorithm>
#include <vector>

namespace cafmcp::mcp {
namespace {

bool is_operator(char c) noexcept {
  return std::string_view("+#./;?&").find(c) != std::string_view::npos;
}

/// Where matching may stand in the URI: one flag for each place, the end included.
using places = std::vector<bool>;

/// From each place, on over one or more characters (`any`: none, or all kinds, too).
places over_expression(const places& from, std::string_view uri, bool any) {
  places to(from.size(), false);
  bool inside = false;  // whether some match of this expression reaches up to here
  for (std::size_t i = 0; i < from.size(); ++i) {
    to[i] = inside || (any && from[i]);
    const bool passes =
        i < uri.size() && (any || std::string_view("/?#").find(uri[i]) == std::string_view::npos);
    inside = passes && (inside || from[i]);
  }
  return to;
}

places over_literal(const places& from, std::string_view uri, std::string_view literal) {
  places to(from.size(), false);
  for (std::size_t i = 0; i + literal.size() <= uri.size(); ++i) {
    if (from[i] && uri.substr(i, literal.size()) == literal) {
      to[i + literal.size()] = true;
    }
  }
  return to;
}

}  // namespace

bool matches_template(std::string_view uri_template, std::string_view uri) {
  // Most templates are ruled out by what they begin with.
  const auto first = std::min(uri_template.find('{'), uri_template.size());
  if (!uri.starts_with(uri_template.substr(0, first))) {
    return false;
  }
  uri_template.remove_prefix(first);
  uri.remove_prefix(first);
  places at(uri.size() + 1, false);
  at[0] = true;
  while (!uri_template.empty()) {
    const auto close = uri_template.find('}');
    if (uri_template.front() == '{' && close != std::string_view::npos) {
      at = over_expression(at, uri, close > 1 && is_operator(uri_template[1]));
      uri_template.remove_prefix(close + 1);
    } else {
      const auto length = std::min(uri_template.find('{', 1), uri_template.size());
      at = over_literal(at, uri, uri_template.substr(0, length));
      uri_template.remove_prefix(length);
    }
  }
  return at.back();
}

}  // namespace cafmcp::mcp
