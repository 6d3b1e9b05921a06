#include "admin/cluster_view.hpp"

#include "admin/drawing.hpp"

namespace cafmcp::admin {

namespace {

using json = nlohmann::ordered_json;

bool is_true(const json& object, const char* key) {
  const auto& value = member_of(object, key);
  return value.is_boolean() && value.get<bool>();
}

// A number, or a dash where it is not known.
std::string number_or_dash(const json& object, const char* key) {
  return member_of(object, key).is_number() ? grouped(number_of(object, key)) : "-";
}

std::string heartbeat_of(const json& node) {
  return member_of(node, "last_heartbeat_ms").is_number()
             ? grouped(number_of(node, "last_heartbeat_ms")) + " ms"
             : "-";
}

const char* colour_of(const std::string& status) {
  return status == "up" ? "32" : status == "draining" ? "33" : "31";
}

// What is fine when it is 0.
std::string trouble(const json& buckets, const char* key, bool colours) {
  const auto count = number_of(buckets, key);
  return paint(grouped(count) + ' ' + key, count > 0 ? "33" : "", colours && count > 0);
}

// As text fit for a terminal, separated by spaces.
std::string list_of(const json& names) {
  std::string out;
  if (names.is_array())
    for (const auto& name : names)
      out += (out.empty() ? "" : " ") + or_dash(text_of(json{{"name", name}}, "name"));
  return or_dash(out);
}

std::string draw_nodes(const json& nodes, const std::string& leader, const std::string& id, bool colours) {
  if (!nodes.is_array() || nodes.empty())
    return "no node is known yet\n";
  text_table table{{{"NODE"},
                    {"STATUS"},
                    {"BUCKETS", true},
                    {"HELD", true},
                    {"LEARNING", true},
                    {"WEIGHT", true},
                    {"REGION"},
                    {"ZONE"},
                    {"SESSIONS", true},
                    {"CONNECTIONS", true},
                    {"HEARD", true},
                    {"ADDRESS"},
                    {"ROLE"}}};
  for (const auto& node : nodes) {
    const auto status = text_of(node, "status");
    const auto name = text_of(node, "name");
    std::string marks = !id.empty() && text_of(node, "id") == id ? "this node" : "";
    if (!leader.empty() && name == leader)
      marks += marks.empty() ? "controller" : ", controller";
    table.add({{or_dash(name), "1"},
               {or_dash(status), colour_of(status)},
               {number_or_dash(node, "buckets")},
               {number_or_dash(node, "held")},
               {number_or_dash(node, "learning")},
               {number_or_dash(node, "weight")},
               {or_dash(text_of(node, "region"))},
               {or_dash(text_of(node, "zone"))},
               {number_or_dash(node, "sessions")},
               {number_or_dash(node, "connections")},
               {heartbeat_of(node)},
               {or_dash(text_of(node, "address"))},
               {or_dash(marks)}});
  }
  return table.draw(colours);
}

}  // namespace

std::string draw_cluster(const json& cluster, bool colours) {
  const auto& buckets = member_of(cluster, "buckets");
  const auto leader = text_of(cluster, "leader");
  const bool isolated = is_true(cluster, "isolated");
  std::string state = isolated ? paint("isolated: its lease is not sure, it owns nothing", "31", colours)
                               : paint("ok", "32", colours);
  if (!is_true(cluster, "in_contact"))
    state += ", " + paint("the coordinator does not answer", "31", colours);
  return key_line("this node", or_dash(text_of(cluster, "self")) + ", " + state) +
         key_line("controller", leader) +
         key_line("epoch", grouped(number_of(cluster, "epoch")) + ", revision " +
                               grouped(number_of(cluster, "revision"))) +
         key_line("buckets",
                  grouped(number_of(buckets, "total")) + ": " + grouped(number_of(buckets, "own")) +
                      " own, " + trouble(buckets, "unowned", colours) + ", " +
                      trouble(buckets, "degraded", colours) + ", " + trouble(buckets, "moving", colours)) +
         '\n' + draw_nodes(member_of(cluster, "nodes"), leader, text_of(cluster, "id"), colours);
}

std::string draw_buckets(const json& buckets, bool colours) {
  if (!buckets.is_array() || buckets.empty())
    return "no bucket is known yet\n";
  text_table table{
      {{"BUCKET", true}, {"OWNER"}, {"EPOCH", true}, {"IN SYNC"}, {"LEARNERS"}, {"NEXT"}, {"MINE"}}};
  for (const auto& row : buckets) {
    const auto owner = text_of(row, "owner");
    table.add({{number_or_dash(row, "bucket")},
               {or_dash(owner), owner.empty() ? "31" : "1"},
               {number_or_dash(row, "epoch")},
               {list_of(member_of(row, "in_sync"))},
               {list_of(member_of(row, "learners"))},
               {or_dash(text_of(row, "next"))},
               {is_true(row, "mine") ? "yes" : "-"}});
  }
  return table.draw(colours);
}

std::string draw_cluster_line(const json& summary) {
  const auto controller = text_of(summary, "controller");
  return grouped(number_of(summary, "up")) + " of " + grouped(number_of(summary, "nodes")) + " nodes up, " +
         (controller.empty() ? "no controller" : "controller " + controller);
}

std::string draw_leaving(const json& progress) {
  const auto state = text_of(progress, "state");
  if (state == "left")
    return "the node has left the cluster; it can be stopped";
  if (state == "up")
    return "the node takes part again";
  return or_dash(state) + ": owns " + grouped(number_of(progress, "buckets")) + " buckets and holds " +
         grouped(number_of(progress, "held"));
}

std::string draw_removed(const json& answer, bool) {
  return "node " + or_dash(text_of(answer, "removed")) + " (" + or_dash(text_of(answer, "id")) +
         ") is no member any more\n";
}

json without_pulse(json cluster) {
  if (!cluster.is_object())
    return cluster;
  cluster.erase("revision");
  const auto nodes = cluster.find("nodes");
  if (nodes != cluster.end() && nodes->is_array())
    for (auto& node : *nodes)
      if (node.is_object())
        node.erase("last_heartbeat_ms");
  return cluster;
}

}  // namespace cafmcp::admin
