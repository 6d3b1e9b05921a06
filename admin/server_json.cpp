#include "admin/server_json.hpp"

namespace cafmcp::admin {

nlohmann::ordered_json servers_json(const actors::registry_snapshot& snapshot, const std::string& node) {
  auto out = nlohmann::ordered_json::array();
  static const mcp::catalogue_content nothing;
  static const actors::server_stats untouched;
  for (const auto& server : snapshot.servers) {
    const auto& offers = server.offers ? server.offers->content() : nothing;
    const auto& stats = server.stats ? *server.stats : untouched;
    out.push_back({{"name", server.impl->name()},
                   {"kind", server.impl->kind()},
                   {"node", node},
                   {"status", server.up ? "up" : "restarting"},
                   {"restarts", stats.restarts.load()},
                   {"tools", offers.tools.size()},
                   {"resources", offers.resources.size() + offers.templates.size()},
                   {"prompts", offers.prompts.size()},
                   {"calls", stats.calls()},
                   {"errors", stats.errors()},
                   {"p99_ms", stats.p99_ms()}});
  }
  return out;
}

}  // namespace cafmcp::admin
