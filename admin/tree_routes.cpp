// The supervision tree, and the test hook that kills actors of it.

#include "admin/api_route.hpp"
#include "admin/tree_json.hpp"
#include "base/log.hpp"
#include "supervisors/supervisor.hpp"
#include "transport/actor_call.hpp"
#include "transport/streamable_http_headers.hpp"

namespace cafmcp::admin {

namespace {

using json = nlohmann::ordered_json;
using transport::request;
using transport::response;

// How many instances of a simple_one_for_one supervisor are shown unless more are asked for: there may be a
// million.
constexpr std::size_t few_instances = 10;

// How many children of any supervisor are looked at.
constexpr std::uint32_t max_children = 200;

boost::asio::awaitable<result<otp::tree_node>> whole_tree(const api_context& context) {
  const auto root = context.root->get();
  if (!root)
    co_return fail(errc::unavailable, "the node is starting or stopping; try again");
  otp::inspect_tree question;
  question.limit = max_children;
  auto answer = co_await transport::call<otp::tree_answer>(*context.runtime, root, call_timeout, question);
  if (!answer)
    co_return answer.error();
  co_return std::move(answer->root);
}

// The one node that `id` means.
result<found_node> pick(const otp::tree_node& root, const std::string& id) {
  auto found = find_nodes(root, id);
  if (found.empty())
    return fail(errc::not_found, "no actor '" + id + "' among the first " + std::to_string(max_children) +
                                     " children of each supervisor; cafmcpctl tree shows who there is");
  if (found.size() > 1)
    return fail(errc::conflict,
                "'" + id + "' may be " + found[0].path + " or " + found[1].path + "; give the whole path");
  return found.front();
}

boost::asio::awaitable<void> get_tree(context_ptr context, request& in, response& out) {
  const auto tree = co_await whole_tree(*context);
  if (!tree)
    co_return refuse(out, tree.error());
  const auto id = transport::query_value(in.query, "id");
  const auto limit = query_number(in, "limit", id.empty() ? few_instances : max_children, 0, max_children);
  if (!limit)
    co_return refuse(out, limit.error());
  if (id.empty())
    co_return answer(out, to_json(*tree, *limit));
  const auto node = pick(*tree, id);
  if (!node)
    co_return refuse(out, node.error());
  answer(out, to_json(*node->node, *limit));
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
  answer(out, {{"id", node->path}, {"pid", actor->id()}});
}

}  // namespace

void add_tree_routes(transport::router& routes, const context_ptr& context) {
  routes.get("/admin/api/v1/tree", guarded(context, get_tree));
  if (context->test_hooks)
    routes.post("/admin/api/v1/test/kill", guarded(context, post_kill));
}

}  // namespace cafmcp::admin
