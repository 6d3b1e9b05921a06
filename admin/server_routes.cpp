// What the admin API says of the servers behind the sessions.

#include "admin/api_route.hpp"
#include "admin/server_json.hpp"

namespace cafmcp::admin {

namespace {

boost::asio::awaitable<void> get_servers(context_ptr context, transport::request&, transport::response& out) {
  if (!context->registry)
    co_return refuse(out, fail(errc::unavailable, "this node has no servers yet; try again"));
  answer(out, servers_json(*context->registry->get(), context->status->name));
}

}  // namespace

void add_server_routes(transport::router& routes, const context_ptr& context) {
  routes.get("/admin/api/v1/servers", guarded(context, get_servers));
}

}  // namespace cafmcp::admin
