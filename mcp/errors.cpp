#include "mcp/errors.hpp"

#include "mcp/text.hpp"

namespace cafmcp::mcp {
namespace {

/// `text: detail`, the detail cut to what a message may quote.
std::string with(std::string_view text, std::string_view detail) {
  std::string out(text);
  if (!detail.empty()) {
    out += ": ";
    out += detail.substr(0, max_quoted_bytes);
    if (detail.size() > max_quoted_bytes) {
      out += "...";
    }
  }
  return out;
}

}  // namespace

int http_status(int code) noexcept {
  switch (code) {
    case code::unknown_session:
      return 404;
    case code::parse_error:
    case code::invalid_request:
    case code::transport:
      return 400;
    default:
      return 200;
  }
}

rpc_error parse_error(std::string_view detail) {
  return {code::parse_error, with("Parse error", detail), {}};
}

rpc_error invalid_request(std::string_view detail) {
  return {code::invalid_request, with("Invalid Request", detail), {}};
}

rpc_error method_not_found(std::string_view method) {
  return {code::method_not_found, with("Method not found", method), {}};
}

rpc_error invalid_params(std::string_view detail) {
  return {code::invalid_params, with("Invalid params", detail), {}};
}

rpc_error internal_error(std::string_view detail) {
  return {code::internal_error, with("Internal error", detail), {}};
}

rpc_error not_initialized() {
  return {code::transport, "Bad Request: Server not initialized", {}};
}

rpc_error already_initialized() {
  return {code::invalid_request, "Invalid Request: Server already initialized", {}};
}

rpc_error unknown_session() {
  return {code::unknown_session, "Session not found", {}};
}

rpc_error unknown_tool(std::string_view name) {
  return {code::invalid_params, with("Unknown tool", name), {}};
}

rpc_error unknown_prompt(std::string_view name) {
  return {code::invalid_params, with("Unknown prompt", name), {}};
}

rpc_error missing_argument(std::string_view prompt, std::string_view argument) {
  return {code::invalid_params, with(with("Missing required argument of prompt", prompt), argument), {}};
}

rpc_error unavailable(std::string_view detail) {
  return {code::unavailable, with("Unavailable", detail), R"({"reason":"unavailable","retryable":true})"};
}

rpc_error in_doubt(std::string_view detail) {
  return {code::in_doubt, with("Outcome unknown", detail), R"({"reason":"in_doubt","retryable":false})"};
}

rpc_error bad_cursor() {
  return {code::invalid_params, "Invalid cursor", {}};
}

rpc_error resource_not_found(std::string_view uri) {
  std::string data = R"({"uri":)";
  append_string(data, uri);
  data += '}';
  return {code::resource_not_found, with("Resource not found", uri), std::move(data)};
}

}  // namespace cafmcp::mcp
