#include "admin/api.hpp"

#include <charconv>

#include "admin/api_route.hpp"
#include "admin/cluster_json.hpp"
#include "admin/link_json.hpp"
#include "base/version.hpp"
#include "supervisors/supervisor.hpp"
#include "transport/streamable_http_headers.hpp"

namespace cafmcp::admin {

namespace {

using json = nlohmann::ordered_json;
using transport::request;
using transport::response;

unsigned status_of(errc code) {
  switch (code) {
    case errc::invalid:
      return 400;
    case errc::denied:
      return 403;
    case errc::not_found:
      return 404;
    case errc::conflict:
      return 409;
    case errc::unavailable:
    case errc::overloaded:
      return 503;
    case errc::timeout:
      return 504;
    case errc::io:
    case errc::internal:
      break;
  }
  return 500;
}

boost::asio::awaitable<void> get_status(context_ptr context, request&, response& out) {
  const auto& status = *context->status;
  const auto now = node_status::clock::now();
  const auto v = status.ready(now);
  json body{{"name", status.name},
            {"version", version},
            {"region", status.region},
            {"zone", status.zone},
            {"status", v.status},
            {"uptime_seconds", std::chrono::duration_cast<std::chrono::seconds>(status.uptime(now)).count()},
            {"contexts", status.contexts()},
            {"actors", context->runtime->system().registry().running()},
            {"restarts", otp::restarts_total()}};
  if (!v.ok)
    body["reason"] = v.reason;
  for (const auto& port : context->metrics.ports)
    if (port.port == "service")
      body["connections"] = port.counters->open.get();
  if (context->store)
    body["sessions"] = context->store->size();
  if (context->directory)
    body["sessions_active"] = context->directory->size();
  if (context->links) {
    body["cluster_address"] = context->cluster_address;
    body["strangers"] = strangers_json(context->links->strangers());
    body["links"] = links_json(context->links->list(), cluster::peer_view::clock::now());
  }
  if (context->cluster)
    body["cluster"] = cluster_summary(*context->cluster);
  answer(out, body);
  co_return;
}

}  // namespace

void refuse(response& out, const error& e) {
  out.fail(status_of(e.code), to_string(e.code), e.message);
}

result<std::size_t> query_number(const request& in, std::string_view name, std::size_t otherwise,
                                 std::size_t min, std::size_t max) {
  const auto text = transport::query_value(in.query, name);
  if (text.empty())
    return otherwise;
  std::size_t number = 0;
  const auto* end = text.data() + text.size();
  const auto [stop, failed] = std::from_chars(text.data(), end, number);
  if (failed != std::errc{} || stop != end || number < min || number > max)
    return fail(errc::invalid, std::string{name} + " must be a number from " + std::to_string(min) + " to " +
                                   std::to_string(max));
  return number;
}

void refuse_stranger(response& out) {
  out.header("Cache-Control", "no-store");
  out.header("WWW-Authenticate", "Bearer realm=\"cafmcp admin\"");
  out.fail(401, "unauthorized",
           "send 'Authorization: Bearer TOKEN'; the token is in admin.token in the node's data directory");
}

void answer(response& out, const json& body) {
  out.json(200, body.dump(-1, ' ', false, json::error_handler_t::replace));
}

boost::asio::awaitable<void> let_others_run() {
  co_await boost::asio::post(boost::asio::use_awaitable);
}

void add_admin_routes(transport::router& routes, const std::shared_ptr<const api_context>& context) {
  routes.get("/admin/", [](request&, response& out) {
    out.content_type = "text/plain; charset=utf-8";
    out.body =
        "This is the admin listener of a cafmcp node. Its API is under /admin/api/v1/ and wants the token in "
        "admin.token\n"
        "of the node's data directory; cafmcpctl speaks it: cafmcpctl status, cafmcpctl tree.\n";
  });
  routes.get("/admin/api/v1/status", guarded(context, get_status));
  add_tree_routes(routes, context);
  add_session_routes(routes, context);
  add_server_routes(routes, context);
  add_store_routes(routes, context);
  add_cluster_routes(routes, context);
}

}  // namespace cafmcp::admin
