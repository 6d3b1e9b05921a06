#pragma once
// The supervision tree as the admin API shows it, and how one finds an actor in it. Pure functions.

#include <cstddef>
#include <limits>
#include <nlohmann/json.hpp>
#include <string_view>
#include <vector>

#include "supervisors/tree.hpp"

namespace cafmcp::admin {

/// A subtree as JSON, with at most `instances` children of each simple_one_for_one supervisor;
/// `children_total` says how many there are.
nlohmann::ordered_json to_json(const otp::tree_node& node,
                               std::size_t instances = std::numeric_limits<std::size_t>::max());

/// The nodes that `id` may mean, with their paths: "root/branch/child", or the last part of it. More than
/// one: ambiguous.
struct found_node {
  std::string path;
  const otp::tree_node* node;
};
std::vector<found_node> find_nodes(const otp::tree_node& root, std::string_view id);

}  // namespace cafmcp::admin
