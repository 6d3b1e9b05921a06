#include "admin/api.hpp"

#include <nlohmann/json.hpp>

#include "admin/token.hpp"
#include "admin/tree_json.hpp"
#include "base/log.hpp"
#include "base/version.hpp"
#include "supervisors/supervisor.hpp"
#include "transport/actor_call.hpp"

namespace cafmcp::admin {

namespace {

using json = nlohmann::ordered_json;
using transport::request;
using transport::response;
using context_ptr = std::shared_ptr<const api_context>;

constexpr std::chrono::milliseconds call_timeout{5'000};

unsigned status_of(errc code) {
  switch (code) {
    case errc::invalid:
      return 400;
    case errc::denied:
      return 403;
    case errc::not_found:
      return 404;
    case errc::conflict:
      return 409;
    case errc::unavailable:
    case errc::overloaded:
      return 503;
    case errc::timeout:
      return 504;
    case errc::io:
    case errc::internal:
      break;
  }
  return 500;
}

void refuse(response& out, const error& e) {
  out.fail(status_of(e.code), to_string(e.code), e.message);
}

// Wraps a handler: nobody passes without the token.
template <class F>
auto guarded(context_ptr context, F f) {
  return [context, f](request& in, response& out) -> boost::asio::awaitable<void> {
    if (authorized(in[transport::http::field::authorization], context->token)) {
      out.header("Cache-Control", "no-store");
      co_await f(context, in, out);
      co_return;
    }
    out.header("WWW-Authenticate", "Bearer realm=\"cafmcp admin\"");
    out.fail(401, "unauthorized",
             "send 'Authorization: Bearer TOKEN'; the token is in admin.token in the node's data directory");
  };
}

// The value of `key` in a query; percent-decoding of '/' and '#' is all that ids need.
std::string query_value(std::string_view query, std::string_view key) {
  while (!query.empty()) {
    const auto end = query.find('&');
    const auto pair = query.substr(0, end);
    query = end == std::string_view::npos ? std::string_view{} : query.substr(end + 1);
    const auto equals = pair.find('=');
    if (pair.substr(0, equals) != key || equals == std::string_view::npos)
      continue;
    std::string value;
    for (auto rest = pair.substr(equals + 1); !rest.empty();) {
      const auto code = rest.substr(0, 3);
      const char decoded = code == "%2F" || code == "%2f" ? '/' : code == "%23" ? '#' : '\0';
      value += decoded != '\0' ? decoded : rest.front();
      rest.remove_prefix(decoded != '\0' ? 3 : 1);
    }
    return value;
  }
  return {};
}

boost::asio::awaitable<result<otp::tree_node>> whole_tree(const api_context& context) {
  const auto root = context.root->get();
  if (!root)
    co_return fail(errc::unavailable, "the node is starting or stopping; try again");
  const otp::inspect_tree question;
  auto answer = co_await transport::call<otp::tree_answer>(*context.runtime, root, call_timeout, question);
  if (!answer)
    co_return answer.error();
  co_return std::move(answer->root);
}

// The one node that `id` means.
result<found_node> pick(const otp::tree_node& root, const std::string& id) {
  auto found = find_nodes(root, id);
  if (found.empty())
    return fail(errc::not_found, "no actor '" + id + "' in the tree; cafmcpctl tree shows all");
  if (found.size() > 1)
    return fail(errc::conflict,
                "'" + id + "' may be " + found[0].path + " or " + found[1].path + "; give the whole path");
  return found.front();
}

boost::asio::awaitable<void> get_status(context_ptr context, request&, response& out) {
  const auto& status = *context->status;
  const auto now = node_status::clock::now();
  const auto v = status.ready(now);
  json body{{"name", status.name},
            {"version", version},
            {"region", status.region},
            {"zone", status.zone},
            {"status", v.status},
            {"uptime_seconds", std::chrono::duration_cast<std::chrono::seconds>(status.uptime(now)).count()},
            {"contexts", status.contexts()},
            {"actors", context->runtime->system().registry().running()},
            {"restarts", otp::restarts_total()}};
  if (!v.ok)
    body["reason"] = v.reason;
  for (const auto& port : context->metrics.ports)
    if (port.port == "service")
      body["connections"] = port.counters->open.get();
  out.json(200, body.dump());
  co_return;
}

boost::asio::awaitable<void> get_tree(context_ptr context, request& in, response& out) {
  const auto tree = co_await whole_tree(*context);
  if (!tree) {
    refuse(out, tree.error());
    co_return;
  }
  const auto id = query_value(in.query, "id");
  if (id.empty()) {
    out.json(200, to_json(*tree).dump());
    co_return;
  }
  const auto node = pick(*tree, id);
  if (node)
    out.json(200, to_json(*node->node).dump());
  else
    refuse(out, node.error());
}

// Follows a path from the root, one supervisor after the other.
boost::asio::awaitable<result<caf::actor>> actor_at(const api_context& context, std::string_view path) {
  auto actor = context.root->get();
  if (!actor)
    co_return fail(errc::unavailable, "the node is starting or stopping; try again");
  for (auto slash = path.find('/'); slash != std::string_view::npos; slash = path.find('/')) {
    path.remove_prefix(slash + 1);
    const std::string id{path.substr(0, path.find('/'))};
    // Named, not a temporary: g++ 12 destroys braced temporaries of a co_await twice.
    const otp::find_child question{id};
    auto next = co_await transport::call<caf::actor>(*context.runtime, actor, call_timeout, question);
    if (!next)
      co_return next.error();
    actor = *next;
  }
  co_return actor;
}

boost::asio::awaitable<void> post_kill(context_ptr context, request& in, response& out) {
  const auto body = json::parse(in.body, nullptr, false);
  if (!body.is_object() || !body.contains("id") || !body["id"].is_string())
    co_return refuse(out,
                     fail(errc::invalid, R"(send {"id": "path of the actor", "how": "kill" or "shutdown"})"));
  const auto how = body.value("how", json("kill"));
  if (how != "kill" && how != "shutdown")
    co_return refuse(out, fail(errc::invalid, "how must be kill or shutdown"));
  const auto tree = co_await whole_tree(*context);
  if (!tree)
    co_return refuse(out, tree.error());
  const auto node = pick(*tree, body["id"].get<std::string>());
  if (!node)
    co_return refuse(out, node.error());
  const auto actor = co_await actor_at(*context, node->path);
  if (!actor)
    co_return refuse(out, actor.error());
  log::get("admin").warn("test hook: killing an actor",
                         {{"actor", node->path}, {"how", how.get<std::string>()}});
  if (how == "kill")
    caf::anon_send_exit(*actor, caf::exit_reason::kill);
  else
    otp::send_shutdown(*actor);
  out.json(200, json{{"id", node->path}, {"pid", actor->id()}}.dump());
}

}  // namespace

void add_admin_routes(transport::router& routes, const std::shared_ptr<const api_context>& context) {
  routes.get("/admin/", [](request&, response& out) {
    out.content_type = "text/plain; charset=utf-8";
    out.body =
        "This is the admin listener of a cafmcp node. Its API is under /admin/api/v1/ and wants the token in "
        "admin.token\n"
        "of the node's data directory; cafmcpctl speaks it: cafmcpctl status, cafmcpctl tree.\n";
  });
  routes.get("/admin/api/v1/status", guarded(context, get_status));
  routes.get("/admin/api/v1/tree", guarded(context, get_tree));
  if (context->test_hooks)
    routes.post("/admin/api/v1/test/kill", guarded(context, post_kill));
}

}  // namespace cafmcp::admin
