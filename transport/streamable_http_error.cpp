#include "transport/streamable_http_error.hpp"
#include "mcp/errors.hpp"

namespace cafmcp::transport {

void rpc_fail(response& res, unsigned status, int code, std::string_view message) {
  res.status = status;
  res.content_type = "application/json";
  res.body = R"({"jsonrpc":"2.0","error":{"code":)";
  res.body += std::to_string(code);
  res.body += R"(,"message":")";
  for (const char c : message)
    res.body += c < 0x20 || c > 0x7e || c == '"' || c == '\\' ? '?' : c;
  res.body += R"("},"id":null})";
}

void rpc_busy(response& res, std::string_view message) {
  res.header("Retry-After", "1");
  rpc_fail(res, 503, mcp::code::transport, message);
}

void rpc_fail(response& res, const error& why) {
  // Another principal's session must look like none.
  if (why.code == errc::not_found || why.code == errc::denied)
    return rpc_fail(res, 404, mcp::code::unknown_session, "Session not found");
  if (retryable(why))
    return rpc_busy(res, why.message);
  rpc_fail(res, 500, mcp::code::internal_error, "Internal error: the log of the node says why");
}

}  // namespace cafmcp::transport
