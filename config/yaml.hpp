#pragma once
// YAML as the configuration needs it: scalars, lists and maps with the place where each stands. The text may
// be hostile: size and depth are bounded, and what lets a small text grow or mean something else (anchors,
// aliases, tags, several documents) is refused. yaml-cpp does the parsing; its exceptions end here. Pure
// functions: thread-safe.

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace cafmcp::config {

/// Largest accepted text in bytes, and deepest nesting.
inline constexpr std::size_t max_yaml_bytes = 1U << 20U;
inline constexpr std::size_t max_yaml_depth = 16;

/// A place in a text, counted from 1; line 0: no place.
struct place {
  int line = 0;
  int column = 0;
};

/// A part of the document. `null` is a key without a value, or `~`.
struct yaml_node {
  enum class kind : unsigned char { null, scalar, list, map };

  kind type = kind::null;
  place at;
  std::string text;              ///< of a scalar
  std::vector<yaml_node> items;  ///< of a list
  std::vector<std::pair<yaml_node, yaml_node>>
      entries;  ///< of a map, in their order, duplicates and all; keys are scalars
};

/// A node, or what is wrong and where.
struct yaml_result {
  yaml_node root;
  std::string error;  ///< empty: none
  place error_at;
};

yaml_result parse_yaml(std::string_view text);

}  // namespace cafmcp::config
