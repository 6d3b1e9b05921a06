#pragma once
// Who a node is to others, beside its name: an id that stays with the data directory, and a number that
// belongs to this process.

#include <cstdint>
#include <string>

#include "base/result.hpp"

namespace cafmcp::node {

/// The id in `node.id` of the data directory, a random UUID that is made at the first start. The error is one
/// line for the user.
result<std::string> load_or_create_node_id(const std::string& data_dir);

/// A random number for this process, never 0.
std::uint64_t draw_incarnation();

}  // namespace cafmcp::node
