#include "admin/tree_json.hpp"

namespace cafmcp::admin {

namespace {

// Whether `id` is the whole path or its end, part by part.
bool names(std::string_view path, std::string_view id) {
  if (!path.ends_with(id))
    return false;
  return path.size() == id.size() || path[path.size() - id.size() - 1] == '/';
}

void search(const otp::tree_node& node, const std::string& path, std::string_view id,
            std::vector<found_node>& found) {
  if (names(path, id))
    found.push_back({path, &node});
  for (const auto& child : node.children)
    search(child, path + '/' + child.id, id, found);
}

}  // namespace

nlohmann::ordered_json to_json(const otp::tree_node& node, std::size_t instances) {
  nlohmann::ordered_json out{{"id", node.id},
                             {"kind", otp::to_string(node.kind)},
                             {"module", node.module},
                             {"status", node.status},
                             {"restarts", node.restarts},
                             {"restart", otp::to_string(node.restart)},
                             {"mailbox", node.mailbox},
                             {"pid", node.pid}};
  if (node.kind != otp::child_type::supervisor)
    return out;
  out["strategy"] = otp::to_string(node.strategy);
  out["children_total"] = node.children_total;
  auto& children = out["children"] = nlohmann::ordered_json::array();
  const bool many = node.strategy == otp::strategy::simple_one_for_one;
  for (const auto& child : node.children) {
    if (many && children.size() >= instances)
      break;
    children.push_back(to_json(child, instances));
  }
  return out;
}

std::vector<found_node> find_nodes(const otp::tree_node& root, std::string_view id) {
  std::vector<found_node> found;
  search(root, root.id, id, found);
  // The whole path means one, whatever else ends like it.
  for (const auto& candidate : found)
    if (candidate.path == id)
      return {candidate};
  return found;
}

}  // namespace cafmcp::admin
