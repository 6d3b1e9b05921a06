#pragma once
// The bridge from coroutines to actors for everything that isn't hot (the admin API, health): a coroutine on
// a context's thread asks an actor and is resumed on the same thread with the answer. Each call is a
// short-lived actor on that context, which ends with the answer or at the timeout.

#include <boost/asio/async_result.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <chrono>
#include <functional>
#include <memory>
#include <utility>

#include "base/result.hpp"
#include "supervisors/base_actor.hpp"
#include "supervisors/runtime.hpp"

namespace cafmcp::transport {

/// An actor's refusal as an error of ours.
error to_error(const caf::error& reason);

/// Asks `Message` of an actor for a `T`. One call.
template <class T, class Message>
class actor_call final : public otp::base_actor {
 public:
  using callback = std::function<void(result<T>)>;

  actor_call(caf::actor_config& config, caf::actor to, std::chrono::milliseconds timeout, Message message,
             callback deliver)
      : base_actor(config),
        to_(std::move(to)),
        timeout_(timeout),
        message_(std::move(message)),
        deliver_(std::move(deliver)) {}

  const char* name() const override { return "actor_call"; }

  caf::behavior make_behavior() override {
    ask(
        to_, timeout_, [this](T& answer) { finish(std::move(answer)); },
        [this](caf::error& reason) { fail_with(reason); }, message_);
    return {};  // lives until the answer
  }

 protected:
  void terminate(const caf::error& reason) override { fail_with(reason); }

 private:
  void fail_with(const caf::error& reason) {
    finish(result<T>{boost::system::in_place_error, to_error(reason)});
  }

  void finish(result<T> outcome) {
    if (auto deliver = std::exchange(deliver_, {}))
      deliver(std::move(outcome));
  }

  caf::actor to_;
  std::chrono::milliseconds timeout_;
  Message message_;
  callback deliver_;
};

/// Asks from a coroutine that runs on one of the runtime's contexts. Errors are the actor's, `timeout`, or
/// `unavailable` if it is gone.
template <class T, class Message>
boost::asio::awaitable<result<T>> call(otp::runtime& runtime, caf::actor to,
                                       std::chrono::milliseconds timeout, Message message) {
  auto initiate = [&](auto handler) {
    auto shared = std::make_shared<decltype(handler)>(std::move(handler));
    otp::spawn_on<actor_call<T, Message>>(
        runtime.system(), runtime.unit(runtime.pool().current()), std::move(to), timeout, std::move(message),
        typename actor_call<T, Message>::callback{
            [shared](result<T> outcome) { (*shared)(std::move(outcome)); }});
  };
  co_return co_await boost::asio::async_initiate<const boost::asio::use_awaitable_t<>, void(result<T>)>(
      initiate, boost::asio::use_awaitable);
}

}  // namespace cafmcp::transport
