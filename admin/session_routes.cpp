// What the admin API says of sessions, and how it ends them.

#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>

#include "admin/api_route.hpp"
#include "admin/session_json.hpp"
#include "admin/session_search.hpp"
#include "base/log.hpp"
#include "transport/streamable_http_headers.hpp"

namespace cafmcp::admin {

namespace {

using boost::asio::awaitable;
using json = nlohmann::ordered_json;
using transport::request;
using transport::response;

constexpr std::size_t usual_sessions = 100;
constexpr std::size_t most_sessions = 10'000;

// How often it is looked whether a session has ended.
constexpr std::chrono::milliseconds look_interval{5};

awaitable<void> get_sessions(context_ptr context, request& in, response& out) {
  const auto limit = query_number(in, "limit", usual_sessions, 1, most_sessions);
  if (!limit)
    co_return refuse(out, limit.error());
  const auto& name = context->status->name;
  const auto wanted = transport::query_value(in.query, "node");
  if (!wanted.empty() && wanted != name)
    co_return refuse(out, fail(errc::not_found, "no node '" + wanted + "'; this is '" + name + "'"));
  const auto found = co_await list_sessions(*context, *limit);
  if (!found)
    co_return refuse(out, found.error());
  auto body = json::array();
  for (const auto& summary : *found)
    body.push_back(
        session_json(summary, context->directory ? context->directory->find(summary.id) : nullptr, name));
  answer(out, body);
}

// A route that shows one session, which the query names.
template <class F>
auto shows_one(F draw) {
  return [draw](context_ptr context, request& in, response& out) -> awaitable<void> {
    const auto name = transport::query_value(in.query, "id");
    if (name.empty())
      co_return refuse(out, fail(errc::invalid, "say which session: ?id=HANDLE, or the whole id"));
    const auto found = co_await find_session(*context, name);
    if (!found)
      co_return refuse(out, found.error());
    answer(out, draw(found->record, found->entry, context->status->name));
  };
}

// Waits until the store says that a session is over.
awaitable<result<void>> await_end(const api_context& context, const std::string& id) {
  const auto deadline = std::chrono::steady_clock::now() + call_timeout;
  boost::asio::steady_timer timer{co_await boost::asio::this_coro::executor};
  for (;;) {
    const auto get = [&](auto then) { context.store->get(id, std::move(then)); };
    const auto record = co_await callback_of<persistence::session_record>(get);
    if (record ? record->ended : record.error().code == errc::not_found)
      co_return result<void>{};
    if (std::chrono::steady_clock::now() >= deadline)
      co_return fail(errc::timeout, "the session was told to end and has not yet; look again in a while");
    timer.expires_after(look_interval);
    co_await timer.async_wait(boost::asio::use_awaitable);
  }
}

awaitable<void> post_kill(context_ptr context, request& in, response& out) {
  const auto begin = std::chrono::steady_clock::now();
  const auto body = json::parse(in.body, nullptr, false);
  if (!body.is_object() || !body.contains("id") || !body["id"].is_string())
    co_return refuse(out, fail(errc::invalid, R"(send {"id": "handle or whole id of the session"})"));
  if (!context->gateway)
    co_return refuse(out, fail(errc::unavailable, "this node has no sessions yet; try again"));
  const auto name = body["id"].get<std::string>();
  const auto found = co_await find_session(*context, name);
  if (!found)
    co_return refuse(out, found.error());
  const auto& record = found->record;
  const transport::session_request wanted{record.principal, record.id};
  const auto port = co_await context->gateway->find(wanted);
  if (!port)
    co_return refuse(out, port.error());
  const auto handle = actors::handle_of(record.id);
  log::get("admin").info("an operator ends a session", {{"session", handle}});
  (*port)->end();
  const auto ended = co_await await_end(*context, record.id);
  if (!ended)
    co_return refuse(out, ended.error());
  const auto took = std::chrono::steady_clock::now() - begin;
  answer(out, {{"id", handle},
               {"from", context->status->name},
               {"to", nullptr},
               {"millis", std::chrono::duration_cast<std::chrono::milliseconds>(took).count()}});
}

}  // namespace

void add_session_routes(transport::router& routes, const context_ptr& context) {
  routes.get("/admin/api/v1/sessions", guarded(context, get_sessions));
  routes.get("/admin/api/v1/sessions/show", guarded(context, shows_one(session_detail_json)));
  routes.get("/admin/api/v1/sessions/why", guarded(context, shows_one(session_why_json)));
  routes.post("/admin/api/v1/sessions/kill", guarded(context, post_kill));
}

}  // namespace cafmcp::admin
