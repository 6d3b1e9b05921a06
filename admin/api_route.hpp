#pragma once
// What the routes of the admin API share: the token at the door, answers and refusals as JSON, and waiting
// for a store's callback. For handlers on a context's thread; nothing here has a state of its own.

#include <boost/asio/associated_executor.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <chrono>
#include <functional>
#include <memory>
#include <nlohmann/json.hpp>
#include <utility>

#include "admin/api.hpp"
#include "admin/token.hpp"
#include "base/result.hpp"
#include "transport/http.hpp"

namespace cafmcp::admin {

using context_ptr = std::shared_ptr<const api_context>;

/// How long a route waits for somebody else.
inline constexpr std::chrono::milliseconds call_timeout{5'000};

/// Answers `{"error":{"code","message"}}` with the HTTP status that belongs to the code.
void refuse(transport::response& out, const error& e);

/// Answers 200 with a document. Bytes that are not UTF-8 are replaced.
void answer(transport::response& out, const nlohmann::ordered_json& body);

/// A number of the query. Error `invalid` if it isn't one from `min` to `max`; `otherwise` if there is none.
result<std::size_t> query_number(const transport::request& in, std::string_view name, std::size_t otherwise,
                                 std::size_t min, std::size_t max);

/// Answers 401: whoever asks has no token, or a wrong one.
void refuse_stranger(transport::response& out);

/// Wraps a handler, a coroutine of `(context_ptr, request&, response&)`: nobody passes without the token.
template <class F>
auto guarded(context_ptr context, F f) {
  return [context, f](transport::request& in, transport::response& out) -> boost::asio::awaitable<void> {
    if (!authorized(in[transport::http::field::authorization], context->token)) {
      refuse_stranger(out);
      co_return;
    }
    out.header("Cache-Control", "no-store");
    co_await f(context, in, out);
  };
}

/// Lets others on this context's thread run first.
boost::asio::awaitable<void> let_others_run();

/// Waits for the one answer to an asynchronous function: `start` gets the callback, which may be called on
/// any thread; the coroutine goes on where it was.
template <class T, class Start>
boost::asio::awaitable<result<T>> callback_of(Start start) {
  auto initiate = [&start](auto handler) {
    auto executor = boost::asio::get_associated_executor(handler);
    auto shared = std::make_shared<decltype(handler)>(std::move(handler));
    start([shared, executor](result<T> outcome) {
      boost::asio::post(executor, [shared, o = std::move(outcome)]() mutable { (*shared)(std::move(o)); });
    });
  };
  co_return co_await boost::asio::async_initiate<const boost::asio::use_awaitable_t<>, void(result<T>)>(
      initiate, boost::asio::use_awaitable);
}

// The routes, by what they are about; each adds its own behind the token.
void add_tree_routes(transport::router& routes, const context_ptr& context);
void add_session_routes(transport::router& routes, const context_ptr& context);
void add_server_routes(transport::router& routes, const context_ptr& context);
void add_store_routes(transport::router& routes, const context_ptr& context);
void add_cluster_routes(transport::router& routes, const context_ptr& context);

}  // namespace cafmcp::admin
