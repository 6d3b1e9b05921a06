#include "actors/request.hpp"

#include <utility>

namespace cafmcp::actors {

namespace {

error gone() {
  return fail(errc::unavailable, "the session is gone");
}

}  // namespace

request_event& request_event::operator=(request_event&& other) noexcept {
  if (this != &other) {
    drop();
    serial = other.serial;
    body = std::exchange(other.body, std::monostate{});
  }
  return *this;
}

void request_event::drop() noexcept {
  auto what = std::exchange(body, std::monostate{});
  std::visit(
      [](auto& op) {
        // Handlers' callbacks may throw; there is nobody left to tell.
        if constexpr (requires { op.then; })
          try {
            if (op.then)
              op.then(gone());
          } catch (...) {
          }
      },
      what);
}

request::request(std::uint64_t serial, mcp::call what, std::shared_ptr<const session_info> session,
                 std::shared_ptr<const node_identity> node, std::shared_ptr<request_mailbox> owner)
    : serial_(serial),
      call_(std::move(what)),
      session_(std::move(session)),
      node_(std::move(node)),
      owner_(std::move(owner)) {}

void request::report(request_event::body_type what) {
  request_event event{std::move(what)};
  event.serial = serial_;
  if (inline_thread_.load(std::memory_order_relaxed) == std::this_thread::get_id())
    inline_events_.push_back(std::move(event));
  else
    owner_->post(std::move(event));
}

void request::on_cancel(std::function<void()> f) {
  {
    const std::lock_guard lock{mutex_};
    if (!cancelled()) {
      on_cancel_ = std::move(f);
      return;
    }
  }
  if (f)
    f();
}

void request::cancel() {
  std::function<void()> f;
  {
    const std::lock_guard lock{mutex_};
    cancelled_.store(true, std::memory_order_release);
    f = std::exchange(on_cancel_, {});
  }
  if (f)
    f();
}

void request::progress(double value, std::optional<double> total, std::string message) {
  if (!call_.progress_token.empty() && !finished() && !cancelled())
    report(request_event::progress{value, total, std::move(message)});
}

void request::log(mcp::log_level level, std::string logger, std::string data) {
  if (!finished() && !cancelled())
    report(request_event::log{level, std::move(logger), std::move(data)});
}

void request::get(std::string key, std::function<void(result<std::optional<std::string>>)> then) {
  report(request_event::get{std::move(key), std::move(then)});
}

void request::put(std::string key, std::string value, std::function<void(result<void>)> then) {
  report(request_event::put{std::move(key), std::move(value), std::move(then)});
}

void request::remove(std::string key, std::function<void(result<void>)> then) {
  report(request_event::put{std::move(key), std::nullopt, std::move(then)});
}

void request::increment(std::string key, std::int64_t by, std::function<void(result<std::int64_t>)> then) {
  report(request_event::increment{std::move(key), by, std::move(then)});
}

void request::keys(std::function<void(result<std::vector<std::string>>)> then) {
  report(request_event::keys{std::move(then)});
}

void request::finish(std::string answer, bool failed) {
  if (!finished_.exchange(true, std::memory_order_acq_rel)) {
    // The handler's callback may hold the request: a circle that ends here.
    std::function<void()> forgotten;
    {
      const std::lock_guard lock{mutex_};
      forgotten = std::exchange(on_cancel_, {});
    }
    report(request_event::finish{std::move(answer), failed});
  }
}

}  // namespace cafmcp::actors
