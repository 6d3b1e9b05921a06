#include "mcp/revision.hpp"

#include <array>
#include <utility>

namespace cafmcp::mcp {
namespace {

using enum revision;

struct row {
  revision known_as;
  std::string_view text;
};

constexpr std::array<row, 5> texts{{{v2024_11_05, "2024-11-05"},
                                    {v2025_03_26, "2025-03-26"},
                                    {v2025_06_18, "2025-06-18"},
                                    {v2025_11_25, "2025-11-25"},
                                    {v2026_07_28, "2026-07-28"}}};

/// The first and the last revision that know a feature.
std::pair<revision, revision> span_of(feature f) noexcept {
  switch (f) {
    case feature::session:
      return {v2024_11_05, v2025_11_25};
    case feature::batches:
      return {v2025_03_26, v2025_03_26};
    case feature::audio:
    case feature::tool_annotations:
    case feature::progress_message:
    case feature::completions_capability:
      return {v2025_03_26, v2026_07_28};
    case feature::structured_content:
    case feature::resource_link:
    case feature::titles:
    case feature::meta_on_types:
    case feature::completion_context:
    case feature::elicitation:
      return {v2025_06_18, v2026_07_28};
    case feature::url_elicitation:
    case feature::icons:
    case feature::input_error_as_result:
      return {v2025_11_25, v2026_07_28};
    case feature::tasks:
      return {v2025_11_25, v2025_11_25};
  }
  return {v2026_07_28, v2024_11_05};
}

}  // namespace

std::string_view to_string(revision r) noexcept {
  for (const auto& [known_as, text] : texts) {
    if (known_as == r) {
      return text;
    }
  }
  return "unknown";
}

std::optional<revision> parse_revision(std::string_view text) noexcept {
  for (const auto& [known_as, known] : texts) {
    if (known == text) {
      return known_as;
    }
  }
  return std::nullopt;
}

revision negotiate(std::string_view requested) noexcept {
  const auto known = parse_revision(requested);
  return known && has(*known, feature::session) ? *known : last_session_revision;
}

bool has(revision r, feature f) noexcept {
  const auto [first, last] = span_of(f);
  return first <= r && r <= last;
}

}  // namespace cafmcp::mcp
