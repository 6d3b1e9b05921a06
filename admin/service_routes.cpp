// What a balancer and Prometheus ask on the service port.

#include <nlohmann/json.hpp>

#include "admin/api.hpp"
#include "base/version.hpp"

namespace cafmcp::admin {

namespace {

void answer(transport::response& out, const verdict& v, const node_status& status) {
  nlohmann::ordered_json body{{"status", v.status}, {"name", status.name}, {"version", version}};
  if (!v.ok)
    body["reason"] = v.reason;
  out.json(v.ok ? 200 : 503, body.dump());
  if (!v.ok)
    out.header("Retry-After", "1");
  out.header("Cache-Control", "no-store");
}

}  // namespace

void add_service_routes(transport::router& routes, const std::shared_ptr<const api_context>& context) {
  const auto ready = [context](transport::request&, transport::response& out) {
    answer(out, context->status->ready(node_status::clock::now()), *context->status);
  };
  routes.get("/health", ready);
  routes.get("/health/ready", ready);
  routes.get("/health/live", [context](transport::request&, transport::response& out) {
    answer(out, context->status->live(node_status::clock::now()), *context->status);
  });
  routes.get("/metrics", [context](transport::request&, transport::response& out) {
    out.content_type = "text/plain; version=0.0.4; charset=utf-8";
    auto sources = context->metrics;
    sources.directory = context->directory;
    sources.store = context->store;
    sources.registry = context->registry;
    sources.links = context->links;
    sources.cluster = context->cluster;
    out.body = metrics_page(sources);
  });
}

}  // namespace cafmcp::admin
