#pragma once
// `/mcp` for clients of the session era: Streamable HTTP (POST, GET, DELETE), and the upgrade of a GET to a
// WebSocket. Knows headers, status codes and streams; what the messages mean is the gateway's business. All
// errors have a JSON-RPC body. Handlers run on their connection's context.

#include <memory>

#include "transport/gateway.hpp"
#include "transport/router.hpp"
#include "transport/streamable_http_options.hpp"

namespace cafmcp::transport {

/// Adds all routes for `/mcp`.
void add_mcp_routes(router& routes, std::shared_ptr<gateway> sessions, mcp_options options = {});

}  // namespace cafmcp::transport
