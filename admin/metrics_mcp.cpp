// The part of `/metrics` that is about MCP.

#include <limits>

#include "admin/metrics_families.hpp"
#include "persistence/sqlite_store.hpp"

namespace cafmcp::admin {

namespace {

using prometheus::MetricType;

// Servers that get labels of their own; each costs some twenty lines.
constexpr std::size_t max_servers = 200;

void add_sessions(metrics_families& p, const metrics_sources& sources) {
  if (sources.directory)
    p.gauge("cafmcp_sessions", "Sessions that have an actor on this node.",
            static_cast<double>(sources.directory->size()));
  if (sources.store)
    p.gauge("cafmcp_sessions_stored", "Sessions in the store that have not ended.",
            static_cast<double>(sources.store->size()));
  if (const auto disk = std::dynamic_pointer_cast<const persistence::sqlite_store>(sources.store))
    add_store(p, *disk);
}

prometheus::ClientMetric::Histogram durations_of(const actors::server_stats& stats) {
  prometheus::ClientMetric::Histogram out;
  std::uint64_t sum = 0;
  for (std::size_t i = 0; i < actors::server_stats::buckets; ++i) {
    sum += stats.bucket(i);
    const bool last = i == std::size(actors::server_stats::bounds_us);
    out.bucket.push_back({sum, last ? std::numeric_limits<double>::infinity()
                                    : static_cast<double>(actors::server_stats::bounds_us[i]) / 1e6});
  }
  out.sample_count = sum;  // and not `calls`, which may be one ahead
  out.sample_sum = std::chrono::duration<double>(stats.total()).count();
  return out;
}

void add_servers(metrics_families& p, const actors::registry_snapshot& snapshot) {
  std::vector<const actors::server_entry*> servers;
  for (const auto& server : snapshot.servers)
    if (server.stats && servers.size() < max_servers)
      servers.push_back(&server);
  p.family("cafmcp_server_calls_total", "Calls that a server has answered.", MetricType::Counter);
  for (const auto* server : servers)
    p.value(static_cast<double>(server->stats->calls()), {{"server", server->impl->name()}});
  p.family("cafmcp_server_errors_total", "Calls that a server has failed.", MetricType::Counter);
  for (const auto* server : servers)
    p.value(static_cast<double>(server->stats->errors()), {{"server", server->impl->name()}});
  p.family("cafmcp_server_restarts_total", "Restarts of a server.", MetricType::Counter);
  for (const auto* server : servers)
    p.value(static_cast<double>(server->stats->restarts.load()), {{"server", server->impl->name()}});
  p.family("cafmcp_server_call_seconds", "How long calls took.", MetricType::Histogram);
  for (const auto* server : servers)
    p.histogram(durations_of(*server->stats), {{"server", server->impl->name()}});
}

// Only the service port speaks MCP.
void add_transport(metrics_families& p, const transport::metrics& m) {
  p.gauge("cafmcp_websockets", "WebSockets that are open.", static_cast<double>(m.websockets.get()));
  p.gauge("cafmcp_sse_streams", "Event streams that are open: of GETs, and answers that became streams.",
          static_cast<double>(m.sse_streams.get()));
  p.family("cafmcp_messages_total", "MCP messages from clients and to them.", MetricType::Counter);
  p.value(static_cast<double>(m.messages_in.get()), {{"direction", "in"}});
  p.value(static_cast<double>(m.messages_out.get()), {{"direction", "out"}});
  p.counter("cafmcp_slow_readers_total", "Streams and WebSockets cut because their client was too slow.",
            static_cast<double>(m.slow_readers.get()));
  p.family("cafmcp_websocket_closes_total", "WebSockets that have ended, by reason.", MetricType::Counter);
  constexpr const char* reasons[] = {"normal", "violated", "overload", "lost"};
  static_assert(std::size(reasons) == std::tuple_size_v<decltype(m.closes)>);
  for (std::size_t i = 0; i < std::size(reasons); ++i)
    p.value(static_cast<double>(m.closes[i].get()), {{"reason", reasons[i]}});
}

}  // namespace

void add_mcp(metrics_families& p, const metrics_sources& sources) {
  add_sessions(p, sources);
  if (sources.registry)
    add_servers(p, *sources.registry->get());
  for (const auto& port : sources.ports)
    if (port.port == "service")
      add_transport(p, *port.counters);
}

}  // namespace cafmcp::admin
