// The cluster as this node knows it, and what an operator does to its members. Leaving takes time and goes on
// whoever stops asking: each POST says how far it is.

#include "admin/api_route.hpp"
#include "admin/cluster_json.hpp"
#include "base/log.hpp"
#include "cluster/runtime/membership/cluster_agent.hpp"
#include "transport/actor_call.hpp"

namespace cafmcp::admin {

namespace {

using boost::asio::awaitable;
using json = nlohmann::ordered_json;
using transport::request;
using transport::response;

// Wraps a handler of a node that has a coordinator.
template <class F>
auto in_cluster(F f) {
  return [f](context_ptr context, request& in, response& out) -> awaitable<void> {
    if (!context->cluster)
      co_return refuse(out, fail(errc::not_found,
                                 "this node is in no cluster that agrees: cluster.coordinator.endpoints is "
                                 "not set"));
    co_await f(context, in, out);
  };
}

own_figures figures_of(const api_context& context) {
  own_figures own;
  if (context.store)
    own.sessions = static_cast<std::int64_t>(context.store->size());
  for (const auto& port : context.metrics.ports)
    if (port.port == "service")
      own.connections = static_cast<std::int64_t>(port.counters->open.get());
  return own;
}

awaitable<void> get_cluster(context_ptr context, request&, response& out) {
  const auto peers =
      context->links ? context->links->list() : std::vector<std::pair<std::string, cluster::peer_view>>{};
  answer(out, cluster_json(*context->cluster, peers, figures_of(*context), node_status::clock::now()));
  co_return;
}

awaitable<void> get_buckets(context_ptr context, request&, response& out) {
  answer(out, buckets_json(*context->cluster));
  co_return;
}

// Asks the agent's actor for something that it only says yes or no to.
template <class Message>
awaitable<result<void>> tell_agent(const api_context& context, Message message) {
  const auto agent =
      context.names ? context.names->lookup(cluster::agent_name) : fail(errc::unavailable, "no agent");
  if (!agent)
    co_return agent.error();
  const auto done =
      co_await transport::call<cluster::agent_done>(*context.runtime, *agent, call_timeout, message);
  if (!done)
    co_return done.error();
  co_return result<void>{};
}

// Why this node can't do anything to the cluster now.
result<void> in_touch(const cluster::cluster_state& state) {
  if (auto why = state.why_isolated(); !why.empty())
    return fail(errc::unavailable, std::move(why));
  return {};
}

json progress(const cluster::cluster_picture& p, const char* state) {
  const auto* me = find_member(p, p.self);
  return {{"state", state},
          {"buckets", me == nullptr ? 0 : me->owned},
          {"held", me == nullptr ? 0 : me->held},
          {"learning", me == nullptr ? 0 : me->learning}};
}

awaitable<void> drain(const context_ptr& context, bool on, response& out) {
  const cluster::set_draining what{on};
  if (const auto told = co_await tell_agent(*context, what); !told)
    co_return refuse(out, told.error());
  answer(out, progress(*context->cluster->picture(), on ? "draining" : "up"));
}

awaitable<void> post_leave(context_ptr context, request& in, response& out) {
  const auto body = json::parse(in.body, nullptr, false);
  if (!body.is_object() || !body.value("cancel", json(false)).is_boolean())
    co_return refuse(out, fail(errc::invalid, R"(send {} or {"cancel": true})"));
  const auto p = context->cluster->picture();
  if (p->left)
    co_return answer(out, progress(*p, "left"));
  if (const auto touch = in_touch(*context->cluster); !touch)
    co_return refuse(out, touch.error());
  if (body.value("cancel", false))
    co_return co_await drain(context, false, out);
  const bool others = std::any_of(p->members.begin(), p->members.end(), [&](const auto& m) {
    return m.is.id != p->self && m.alive && m.is.state == cluster::member_state::up;
  });
  if (!others)
    co_return refuse(out, fail(errc::conflict, "no other node is up that could take this one's buckets"));
  const auto* me = find_member(*p, p->self);
  if (me != nullptr && me->is.state == cluster::member_state::up)
    log::get("cluster").warn("this node gives its buckets away, to leave the cluster");
  co_await drain(context, true, out);
  if (out.status != 200)
    co_return;
  const cluster::leave_cluster question;
  const auto left = co_await tell_agent(*context, question);
  if (left)
    co_return answer(out, progress(*context->cluster->picture(), "left"));
  if (left.error().code != errc::conflict)  // it still holds something, or not all know that it drains
    refuse(out, left.error());
}

awaitable<void> post_remove(context_ptr context, request& in, response& out) {
  const auto body = json::parse(in.body, nullptr, false);
  if (!body.is_object() || !body.contains("node") || !body["node"].is_string())
    co_return refuse(out, fail(errc::invalid, R"(send {"node": "name or id"})"));
  if (const auto touch = in_touch(*context->cluster); !touch)
    co_return refuse(out, touch.error());
  const auto p = context->cluster->picture();
  const auto given = body["node"].get<std::string>();
  const auto* member = find_member(*p, given);
  if (member == nullptr)
    co_return refuse(out, fail(errc::not_found, "no node is called '" + given +
                                                    "', or more than one; cafmcpctl cluster shows all"));
  if (member->alive)
    co_return refuse(out, fail(errc::conflict, "'" + given +
                                                   "' is up; cafmcpctl leave takes it out in order, and one "
                                                   "that hangs can be removed when its lease has ended"));
  const cluster::remove_member what{member->is.id};
  const auto removed = co_await tell_agent(*context, what);
  if (!removed)
    co_return refuse(out, removed.error());
  log::get("cluster").warn("a node was removed", {{"name", member->is.name}, {"id", member->is.id}});
  answer(out, {{"removed", member->is.name}, {"id", member->is.id}});
}

}  // namespace

void add_cluster_routes(transport::router& routes, const context_ptr& context) {
  routes.get("/admin/api/v1/cluster", guarded(context, in_cluster(get_cluster)));
  routes.get("/admin/api/v1/cluster/buckets", guarded(context, in_cluster(get_buckets)));
  routes.post("/admin/api/v1/cluster/leave", guarded(context, in_cluster(post_leave)));
  routes.post("/admin/api/v1/cluster/remove", guarded(context, in_cluster(post_remove)));
}

}  // namespace cafmcp::admin
