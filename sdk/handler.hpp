#pragma once
// Where a handler runs, and what it looks like. A plain function is *quick*: it runs in the session's own
// turn, so it must not wait for anything. `blocking(f)` runs on the node's pool of threads and may wait.
// `async(f)` is called like a quick one, keeps the call, and answers later, from any thread.
//
// Quick and blocking functions take `call&`, or `const json&` (the arguments), or nothing; those of
// completions `call&` or `const std::string&` (what was typed so far). They return what converts to an
// `answer`. Asynchronous ones take `call` and return nothing. All of them may be called by many threads at a
// time.

#include <concepts>
#include <functional>
#include <string>
#include <type_traits>
#include <utility>

#include "sdk/call.hpp"

namespace cafmcp::sdk {

/// A function for the pool of threads.
template <class F>
struct blocking_function {
  F f;
};
template <class F>
blocking_function<std::decay_t<F>> blocking(F&& f) {
  return {std::forward<F>(f)};
}

/// A function that answers later.
template <class F>
struct async_function {
  F f;
};
template <class F>
async_function<std::decay_t<F>> async(F&& f) {
  return {std::forward<F>(f)};
}

namespace detail {

/// Converts to JSON and to nothing that JSON converts to, so that `const std::string&` doesn't take it.
struct json_only {
  operator const json&() const;
};

template <class F>
inline constexpr bool wants_call = std::invocable<F&, call&>;
template <class F>
inline constexpr bool wants_json = std::invocable<F&, json_only>;

template <bool Completion, class F>
decltype(auto) ask(F& f, call& c) {
  if constexpr (wants_call<F>)
    return f(c);
  else if constexpr (Completion && std::invocable<F&, const std::string&>)
    return f(c.arguments().at("value").template get_ref<const std::string&>());
  else if constexpr (!Completion && wants_json<F>)
    return f(c.arguments());
  else {
    static_assert(std::invocable<F&>,
                  "a handler takes sdk::call&, or const sdk::json& (a completion: const "
                  "std::string&), or nothing");
    return f();
  }
}

template <class T>
struct async_of : std::false_type {};
template <class F>
struct async_of<async_function<F>> : std::true_type {};
template <class T>
struct blocking_of : std::false_type {};
template <class F>
struct blocking_of<blocking_function<F>> : std::true_type {};

/// Where a handler runs.
enum class place : unsigned char { quick, blocking, async };

/// A handler of any kind.
template <bool Completion>
class basic_handler {
 public:
  template <class F>
  requires(!std::same_as<std::decay_t<F>, basic_handler>) basic_handler(F&& f) {
    using type = std::decay_t<F>;
    if constexpr (async_of<type>::value) {
      runs = place::async;
      invoke = [g = std::forward<F>(f).f](call& c) mutable {
        static_assert(std::invocable<decltype(g)&, call>, "an asynchronous handler takes sdk::call");
        static_assert(std::is_void_v<std::invoke_result_t<decltype(g)&, call>>,
                      "an asynchronous handler returns nothing; it calls reply() or fail()");
        g(c);
      };
    } else if constexpr (blocking_of<type>::value) {
      runs = place::blocking;
      take(std::forward<F>(f).f);
    } else {
      take(std::forward<F>(f));
    }
  }

  place runs = place::quick;
  std::function<void(call&)> invoke;

 private:
  template <class F>
  void take(F&& f) {
    invoke = [g = std::forward<F>(f)](call& c) mutable {
      using said = decltype(ask<Completion>(g, c));
      static_assert(!std::is_void_v<said>,
                    "a handler returns its answer; one that answers later is registered as sdk::async(f)");
      static_assert(std::convertible_to<said, answer>,
                    "what the handler returns does not convert to sdk::answer");
      c.reply(ask<Completion>(g, c));
    };
  }
};

}  // namespace detail

/// The handler of a tool, a resource, a template or a prompt.
using handler = detail::basic_handler<false>;

/// The handler of a completion.
using completion_handler = detail::basic_handler<true>;

}  // namespace cafmcp::sdk
