#pragma once
// Answers that are no MCP answers: HTTP statuses with a JSON-RPC error as their body, which is what MCP
// clients can read. Pure functions: thread-safe.

#include <string>
#include <string_view>

#include "base/result.hpp"
#include "transport/http.hpp"

namespace cafmcp::transport {

/// Answers with `status` and an error object. `message` is ASCII; what would break the JSON becomes '?'.
void rpc_fail(response& res, unsigned status, int code, std::string_view message);

/// What a failure of the gateway is for an HTTP client.
void rpc_fail(response& res, const error& why);

/// 503 with `Retry-After`.
void rpc_busy(response& res, std::string_view message);

}  // namespace cafmcp::transport
