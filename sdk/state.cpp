#include "sdk/running_call.hpp"

namespace cafmcp::sdk {

namespace {

using detail::running_call;

template <class T>
using callback = std::function<void(result<T>)>;

// What comes back, run in the session's turn; the call stays open until then.
template <class T>
callback<T> guarded(std::shared_ptr<running_call> running, callback<T> then) {
  return [running = std::move(running), then = std::move(then)](result<T> outcome) {
    const detail::session_turn turn;
    try {
      if (then)
        then(std::move(outcome));
    } catch (...) {
      running->reply_exception();
    }
  };
}

// Makes an operation with a callback into one with a future.
template <class T, class F>
std::future<result<T>> awaited(F operation) {
  auto promise = std::make_shared<std::promise<result<T>>>();
  auto out = promise->get_future();
  if (detail::session_turn::here())
    promise->set_value(fail(errc::conflict,
                            "the session's state can't be waited for in the session's own turn; "
                            "register the handler as blocking, or pass a callback"));
  else
    operation(callback<T>{[promise](result<T> outcome) { promise->set_value(std::move(outcome)); }});
  return out;
}

result<std::optional<json>> parsed(result<std::optional<std::string>> raw) {
  using boost::system::in_place_value;
  if (!raw)
    return std::move(raw).error();
  if (!*raw)
    return result<std::optional<json>>{in_place_value, std::nullopt};
  auto value = json::parse(**raw, nullptr, false);
  if (value.is_discarded())
    return fail(errc::internal, "a value of the session's state is no JSON");
  return result<std::optional<json>>{in_place_value, std::move(value)};
}

}  // namespace

void state::get(std::string key, callback<std::optional<json>> then) const {
  auto done = guarded<std::optional<json>>(running_, std::move(then));
  running_->request().get(std::move(key), [done = std::move(done)](result<std::optional<std::string>> raw) {
    done(parsed(std::move(raw)));
  });
}

void state::set(std::string key, const json& value, callback<void> then) const {
  running_->request().put(std::move(key), value.dump(-1, ' ', false, json::error_handler_t::replace),
                          guarded<void>(running_, std::move(then)));
}

void state::remove(std::string key, callback<void> then) const {
  running_->request().remove(std::move(key), guarded<void>(running_, std::move(then)));
}

void state::incr(std::string key, std::int64_t by, callback<std::int64_t> then) const {
  running_->request().increment(std::move(key), by, guarded<std::int64_t>(running_, std::move(then)));
}

void state::keys(callback<std::vector<std::string>> then) const {
  running_->request().keys(guarded<std::vector<std::string>>(running_, std::move(then)));
}

std::future<result<std::optional<json>>> state::get(std::string key) const {
  return awaited<std::optional<json>>([&](auto then) { get(std::move(key), std::move(then)); });
}

std::future<result<void>> state::set(std::string key, const json& value) const {
  return awaited<void>([&](auto then) { set(std::move(key), value, std::move(then)); });
}

std::future<result<void>> state::remove(std::string key) const {
  return awaited<void>([&](auto then) { remove(std::move(key), std::move(then)); });
}

std::future<result<std::int64_t>> state::incr(std::string key, std::int64_t by) const {
  return awaited<std::int64_t>([&](auto then) { incr(std::move(key), by, std::move(then)); });
}

std::future<result<std::vector<std::string>>> state::keys() const {
  return awaited<std::vector<std::string>>([&](auto then) { keys(std::move(then)); });
}

}  // namespace cafmcp::sdk
