#pragma once
// The parts that the demo server is put together from, by what they need. Not for users.

#include "sdk/server.hpp"

namespace cafmcp::sdk::detail {

/// Schemas of arguments: an object with these properties, of which `required` must be there.
mcp::json object_schema(mcp::json properties, mcp::json required = mcp::json::array());

/// `echo`, `add`, `blob`, `crash`, `node_info`.
void add_simple_tools(server& demo);

/// `sleep`, `progress`.
void add_waiting_tools(server& demo);

/// `state_…`.
void add_state_tools(server& demo);

/// Resources, the template, the prompt, and what completes them.
void add_contents(server& demo);

}  // namespace cafmcp::sdk::detail
