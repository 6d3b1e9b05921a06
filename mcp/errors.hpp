#pragma once
// The errors that MCP knows: a JSON-RPC code, a text for a person, and data for a program. The texts are
// those of the official SDKs where they have one, because clients match on them. Texts that quote a client
// are cut to `max_quoted_bytes`. Value types and pure functions: thread-compatible. MCP: Base Protocol,
// Errors.

#include <cstddef>
#include <string>
#include <string_view>

namespace cafmcp::mcp {

/// Codes of JSON-RPC 2.0 and of MCP's session era.
namespace code {
inline constexpr int parse_error = -32700;
inline constexpr int invalid_request = -32600;
inline constexpr int method_not_found = -32601;
inline constexpr int invalid_params = -32602;
inline constexpr int internal_error = -32603;
inline constexpr int transport = -32000;
inline constexpr int unknown_session = -32001;
inline constexpr int resource_not_found = -32002;
inline constexpr int url_elicitation_required = -32042;
// Our own, outside of what JSON-RPC reserves; `data.reason` says the same in a word.
inline constexpr int unavailable = -31503;  ///< not handled, nothing has happened: send it again later
inline constexpr int in_doubt = -31500;     ///< was begun, and its outcome is lost: look before sending again
}  // namespace code

/// Longest quotation of a client's text in a message.
inline constexpr std::size_t max_quoted_bytes = 200;

/// The `error` member of an answer.
struct rpc_error {
  int code = code::internal_error;
  std::string message = {};
  std::string data = {};  ///< raw JSON; empty: left out
};

/// The HTTP status that carries an error of the session era when the request as a whole is refused by the
/// transport. Errors of handlers travel with 200.
int http_status(int code) noexcept;

rpc_error parse_error(std::string_view detail = {});
rpc_error invalid_request(std::string_view detail);
rpc_error method_not_found(std::string_view method);
rpc_error invalid_params(std::string_view detail);
rpc_error internal_error(std::string_view detail = {});
/// A request before `initialize`: the SDKs' code -32000, HTTP 400.
rpc_error not_initialized();
/// A second `initialize` in a session.
rpc_error already_initialized();
/// HTTP 404, and final for official clients: only a session's owner may say it.
rpc_error unknown_session();
rpc_error unknown_tool(std::string_view name);
rpc_error unknown_prompt(std::string_view name);
rpc_error missing_argument(std::string_view prompt, std::string_view argument);
/// A request that was not begun and may be sent again.
rpc_error unavailable(std::string_view detail);
/// A request whose outcome was lost with the actor that knew it.
rpc_error in_doubt(std::string_view detail);
rpc_error bad_cursor();
/// Session era: -32002, with the URI in `data.uri`.
rpc_error resource_not_found(std::string_view uri);

}  // namespace cafmcp::mcp
