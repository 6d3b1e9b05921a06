#pragma once
// Whole JSON-RPC messages as bytes: one line each, one allocation each, and never a top-level key that
// JSON-RPC doesn't have, since official clients refuse those. Ids and bodies are raw JSON, which the caller
// knows to be valid; everything else is escaped here. Pure functions: thread-safe. MCP: Base Protocol,
// Messages.

#include <span>
#include <string>
#include <string_view>

#include "mcp/errors.hpp"

namespace cafmcp::mcp {

/// An answer. `id` and `body` are raw JSON; the body has to be an object.
std::string write_result(std::string_view id, std::string_view body);

/// An error answer. `id` is raw JSON, `null` where it can't be known.
std::string write_error(std::string_view id, const rpc_error& e);

/// A request. `id` and `params` are raw JSON; empty `params` are left out.
std::string write_request(std::string_view id, std::string_view method, std::string_view params = {});

/// A notification. `params` is raw JSON; empty: left out.
std::string write_notification(std::string_view method, std::string_view params = {});

/// The answers to a batch as one array; empty if there are none, as then nothing is sent.
std::string write_batch(std::span<const std::string> answers);

}  // namespace cafmcp::mcp
