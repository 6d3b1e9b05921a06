#include "admin/tree_view.hpp"

#include <algorithm>
#include <vector>

#include "admin/cluster_view.hpp"
#include "admin/drawing.hpp"
#include "admin/link_view.hpp"
#include "base/log.hpp"

namespace cafmcp::admin {

namespace {

using json = nlohmann::ordered_json;

// One line of the drawing: the cells are aligned once all are known.
struct line {
  std::string branch;  // lines and corners
  std::string id;
  bool supervisor = false;
  std::string kind;
  std::string status;
  std::string restarts;
  std::string mailbox;

  std::size_t width() const { return columns(branch) + columns(id); }
};

void collect(const json& node, const std::string& branch, const std::string& below, std::vector<line>& out) {
  line l;
  l.branch = branch;
  l.id = text_of(node, "id");
  l.supervisor = text_of(node, "kind") == "supervisor";
  l.kind = l.supervisor ? text_of(node, "strategy") : text_of(node, "module");
  l.status = text_of(node, "status");
  l.restarts = std::to_string(number_of(node, "restarts"));
  l.mailbox = std::to_string(number_of(node, "mailbox"));
  out.push_back(std::move(l));
  const auto& children = member_of(node, "children");
  if (!children.is_array())
    return;
  const auto total = number_of(node, "children_total");
  const bool more = total > children.size();
  for (std::size_t i = 0; i < children.size(); ++i) {
    const bool last = i + 1 == children.size() && !more;
    collect(children[i], below + (last ? "└─ " : "├─ "), below + (last ? "   " : "│  "), out);
  }
  if (more) {
    line rest;
    rest.branch = below + "└─ ";
    rest.id = "… and " + grouped(total - children.size()) + " more";
    out.push_back(std::move(rest));
  }
}

}  // namespace

std::string draw_tree(const json& tree, bool colours) {
  std::vector<line> lines;
  collect(tree, "", "", lines);
  std::size_t name_width = 5;
  std::size_t kind_width = 4;
  for (const auto& l : lines) {
    name_width = std::max(name_width, l.width());
    kind_width = std::max(kind_width, l.kind.size());
  }
  std::string out = paint(padded("ACTOR", name_width, 5) + "  " + padded("KIND", kind_width, 4) +
                              "  STATUS        RESTARTS  MAILBOX",
                          "2", colours) +
                    '\n';
  for (const auto& l : lines) {
    const auto name = paint(l.branch, "2", colours) + (l.supervisor ? paint(l.id, "1", colours) : l.id);
    std::string row = padded(name, name_width, l.width());
    if (!l.status.empty()) {
      const bool well = l.status == "running";
      const bool restarted = l.restarts != "0";
      row += "  " + padded(l.kind, kind_width, l.kind.size()) + "  " +
             paint(padded(l.status, 12, l.status.size()), well ? "32" : "31", colours) + "  " +
             paint(std::string(8 - std::min<std::size_t>(8, l.restarts.size()), ' ') + l.restarts,
                   restarted ? "33" : "0", colours) +
             "  " + std::string(7 - std::min<std::size_t>(7, l.mailbox.size()), ' ') + l.mailbox;
    }
    out += row + '\n';
  }
  return out;
}

std::string draw_status(const json& status, bool colours) {
  std::string out;
  for (const auto& [key, value] : status.items()) {
    if (key == "links")
      continue;  // a table below
    auto text = value.is_string() ? log::printable(value.get<std::string>()) : value.dump();
    if (key == "strangers")
      text = draw_strangers(value);
    if (key == "cluster")
      text = draw_cluster_line(value);
    if (key == "status")
      text = paint(text, text == "ok" ? "32" : "31", colours);
    out += padded(key, 16, key.size()) + ' ' + (text.empty() ? "-" : text) + '\n';
  }
  if (const auto& links = member_of(status, "links"); links.is_array())
    out += '\n' + draw_links(links, colours);
  return out;
}

}  // namespace cafmcp::admin
