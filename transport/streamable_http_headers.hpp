#pragma once
// Reading the headers that Streamable HTTP and the WebSocket upgrade depend on. Pure functions: thread-safe.

#include <string>
#include <string_view>

#include "transport/http.hpp"

namespace cafmcp::transport {

/// Whether the Accept headers take `type` ("application/json"), by name or by a wildcard. A request without
/// Accept takes nothing.
bool accepts(const request& req, std::string_view type);

/// Whether the Content-Type is JSON; parameters do not matter.
bool is_json(const request& req);

/// Whether a header that is a list of tokens has one; case does not matter if `any_case`.
bool has_token(const request& req, std::string_view header, std::string_view word, bool any_case);

/// The value of the query parameter `name`, percent-decoded; empty if there is none.
std::string query_value(std::string_view query, std::string_view name);

}  // namespace cafmcp::transport
