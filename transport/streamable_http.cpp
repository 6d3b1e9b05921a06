#include "transport/streamable_http.hpp"

#include <algorithm>
#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <optional>
#include <utility>

#include "mcp/message.hpp"
#include "transport/origin.hpp"
#include "transport/sse.hpp"
#include "transport/streamable_http_error.hpp"
#include "transport/streamable_http_headers.hpp"
#include "transport/websocket.hpp"

namespace cafmcp::transport {

namespace {

// What all handlers share. Immutable.
struct endpoint {
  std::shared_ptr<gateway> sessions;
  std::shared_ptr<const mcp_options> options;
  origin_check origins;
};

using endpoint_ptr = std::shared_ptr<const endpoint>;

std::string session_id(const request& req) {
  const auto* value = req.find("Mcp-Session-Id");
  return value == nullptr ? std::string{} : std::string{*value};
}

bool check_origin(const endpoint& self, const request& req, response& res) {
  const auto* why = self.origins.refusal_of(req);
  if (why != nullptr)
    rpc_fail(res, 403, mcp::code::transport, why);
  return why == nullptr;
}

bool check_version(const endpoint& self, const request& req, response& res) {
  const auto* value = req.find("MCP-Protocol-Version");
  const auto& known = self.options->versions;
  if (value == nullptr || std::find(known.begin(), known.end(), *value) != known.end())
    return true;
  std::string why = "Bad Request: Unsupported protocol version (supported versions:";
  for (const auto& v : known)
    why += " " + v;
  rpc_fail(res, 400, mcp::code::transport, why + ")");
  return false;
}

// What a POST must be before anyone looks into its body.
bool check_post(const endpoint& self, const request& req, response& res) {
  if (!check_origin(self, req, res))
    return false;
  if (!accepts(req, "application/json") || !accepts(req, "text/event-stream")) {
    rpc_fail(res, 406, mcp::code::transport,
             "Not Acceptable: Client must accept both application/json and text/event-stream");
    return false;
  }
  if (!is_json(req)) {
    rpc_fail(res, 415, mcp::code::transport, "Unsupported Media Type: Content-Type must be application/json");
    return false;
  }
  if (req.body.size() > self.options->message_bytes) {
    rpc_fail(res, 413, mcp::code::transport, "Payload Too Large: send a smaller message");
    return false;
  }
  return true;
}

// What the body of a POST is, as far as status codes depend on it.
struct posted {
  incoming what;
  bool requests = false;    // something must be answered
  bool initialize = false;  // one of them is `initialize`
};

// Reads it; nothing, and the answer made, if it is no JSON-RPC.
std::optional<posted> read_body(std::string body, response& res) {
  if (!mcp::looks_like_batch(body)) {
    auto parsed = mcp::parse(std::move(body));
    if (!parsed) {
      rpc_fail(res, 400, parsed.error().error.code, parsed.error().error.message);
      return std::nullopt;
    }
    const bool request = parsed->is_request();
    const bool initialize = request && parsed->method() == "initialize";
    return posted{std::move(*parsed), request, initialize};
  }
  // A batch goes on as bytes: whether there may be any depends on the session's revision.
  const auto refuse = [&](const mcp::rpc_error& why) {
    rpc_fail(res, 400, why.code, why.message);
    return std::nullopt;
  };
  const auto batch = mcp::parse_batch(body);
  if (!batch)
    return refuse(batch.error().error);
  bool requests = false;
  for (const auto& m : *batch) {
    if (!m)
      return refuse(m.error().error);
    requests = requests || m->is_request();
  }
  return posted{std::move(body), requests, false};
}

asio::awaitable<void> on_post(endpoint_ptr self, request& req, response& res) {
  if (!check_post(*self, req, res))
    co_return;
  session_request wanted;
  wanted.session_id = session_id(req);
  const bool fresh = wanted.session_id.empty();
  auto body = read_body(std::move(req.body), res);
  if (!body)
    co_return;
  if (fresh && !body->initialize)
    co_return rpc_fail(res, 400, mcp::code::transport, "Bad Request: Mcp-Session-Id header is required");
  // `initialize` negotiates the version: its header says nothing yet.
  if (!body->initialize && !check_version(*self, req, res))
    co_return;
  result<std::shared_ptr<session_port>> found{fail(errc::internal, "")};
  if (fresh)
    found = co_await self->sessions->create(std::move(wanted));
  else
    found = co_await self->sessions->find(std::move(wanted));
  if (!found)
    co_return rpc_fail(res, found.error());
  const auto port = std::move(*found);
  if (body->initialize && !fresh)
    co_return rpc_fail(res, 400, mcp::code::invalid_request, "Invalid Request: Server already initialized");
  self->options->counters->messages_in.add();
  if (!body->requests) {
    if (!port->receive(std::move(body->what), nullptr))
      co_return rpc_busy(res, "the session has too much to do: try again later");
    res.status = 202;
    co_return;
  }
  const auto channel = std::make_shared<sse_channel>(self->options, req, fresh ? port->id() : "");
  if (!port->receive(std::move(body->what), channel))
    co_return rpc_busy(res, "the session has too much to do: try again later");
  // The session is an actor on this context as a rule, and its turn comes before ours. What a tool answers at
  // once is there then: no need to take the connection over.
  co_await asio::post(co_await asio::this_coro::executor, asio::use_awaitable);
  if (channel->is_single())
    co_return channel->fill(res);
  res.take_over([channel, port](stream& s) { return channel->answer(s, port); });
}

// An existing session; null if the answer is made.
asio::awaitable<std::shared_ptr<session_port>> existing(endpoint_ptr self, request& req, response& res) {
  session_request wanted;
  wanted.session_id = session_id(req);
  if (wanted.session_id.empty()) {
    rpc_fail(res, 400, mcp::code::transport, "Bad Request: Mcp-Session-Id header is required");
    co_return nullptr;
  }
  if (!check_version(*self, req, res))
    co_return nullptr;
  auto found = co_await self->sessions->find(std::move(wanted));
  if (found)
    co_return std::move(*found);
  rpc_fail(res, found.error());
  co_return nullptr;
}

asio::awaitable<void> on_upgrade(endpoint_ptr self, request& req, response& res) {
  if (!check_upgrade(req, res))
    co_return;
  session_request wanted;
  wanted.session_id = session_id(req);
  if (wanted.session_id.empty())
    wanted.session_id = query_value(req.query, "mcp-session-id");
  result<std::shared_ptr<session_port>> found{fail(errc::internal, "")};
  if (wanted.session_id.empty())
    found = co_await self->sessions->create(std::move(wanted));
  else
    found = co_await self->sessions->find(std::move(wanted));
  if (!found)
    co_return rpc_fail(res, found.error());
  res.take_over([options = self->options, port = std::move(*found)](stream& s) {
    return serve_websocket(s, options, port);
  });
}

asio::awaitable<void> on_get(endpoint_ptr self, request& req, response& res) {
  if (!check_origin(*self, req, res))
    co_return;
  if (req.method == http::verb::head) {
    res.header("Allow", "GET, POST, DELETE");
    co_return rpc_fail(res, 405, mcp::code::transport, "Method not allowed");
  }
  if (wants_websocket(req)) {
    co_await on_upgrade(self, req, res);
    co_return;
  }
  if (!accepts(req, "text/event-stream"))
    co_return rpc_fail(res, 406, mcp::code::transport,
                       "Not Acceptable: Client must accept text/event-stream");
  const auto port = co_await existing(self, req, res);
  if (port == nullptr)
    co_return;
  const auto channel = std::make_shared<sse_channel>(self->options, req, port->id());
  const auto* seen = req.find("Last-Event-ID");
  std::string last_event_id{seen == nullptr ? std::string_view{} : *seen};
  res.take_over([channel, port, last_event_id = std::move(last_event_id)](stream& s) {
    return channel->listen(s, port, last_event_id);
  });
}

asio::awaitable<void> on_delete(endpoint_ptr self, request& req, response& res) {
  if (!check_origin(*self, req, res))
    co_return;
  const auto port = co_await existing(self, req, res);
  if (port == nullptr)
    co_return;
  port->end();
  res.status = 204;
}

void on_other(const endpoint& self, const request& req, response& res) {
  if (!check_origin(self, req, res))
    return;
  res.header("Allow", "GET, POST, DELETE");
  rpc_fail(res, 405, mcp::code::transport, "Method not allowed");
}

}  // namespace

void add_mcp_routes(router& routes, std::shared_ptr<gateway> sessions, mcp_options options) {
  origin_check origins{options.hosts, options.origins};
  auto shared = std::make_shared<const mcp_options>(std::move(options));
  const endpoint_ptr self =
      std::make_shared<const endpoint>(endpoint{std::move(sessions), std::move(shared), std::move(origins)});
  routes.json_rpc("/mcp");
  routes.post("/mcp", [self](request& req, response& res) { return on_post(self, req, res); });
  routes.get("/mcp", [self](request& req, response& res) { return on_get(self, req, res); });
  routes.add(http::verb::delete_, "/mcp",
             [self](request& req, response& res) { return on_delete(self, req, res); });
  routes.add(router::any, "/mcp", [self](request& req, response& res) { on_other(*self, req, res); });
}

}  // namespace cafmcp::transport
