#pragma once
// A running call, from the side of whoever runs it. `request` is the worker of one call: it carries what the
// client asked, reports back to the session (progress, log lines, session state, the answer), and hears of a
// cancellation. It knows its session only as a mailbox, so that the handler may run on any thread, and the
// session may live, die or move elsewhere meanwhile: what can't be delivered is dropped, and callbacks then
// get `unavailable`.
//
// While a handler runs in its session's own turn (`run_inline`), what it reports is collected and taken over
// when it returns, without a message; later, and from other threads, each report is a message. Thread-safe.

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <variant>
#include <vector>

#include "base/result.hpp"
#include "mcp/call.hpp"
#include "mcp/session_state.hpp"

namespace cafmcp::actors {

/// The node that runs things.
struct node_identity {
  std::string name;
  std::string region;
  std::string zone;
};

/// Whose call it is.
struct session_info {
  std::string handle;            ///< short name of the session, fit for logs: `s-…`
  std::uint64_t generation = 1;  ///< how often the session has changed its owner, and one
  std::string client_info;       ///< raw JSON object
};

/// What a request reports. One that is never read (the session is gone) fails the callback that it carries.
struct request_event {
  struct progress {
    double value;
    std::optional<double> total;
    std::string message;
  };
  struct log {
    mcp::log_level level;
    std::string logger;
    std::string data;  // raw JSON
  };
  struct finish {
    std::string answer;  // a whole JSON-RPC message
    bool failed;
  };
  struct get {
    std::string key;
    std::function<void(result<std::optional<std::string>>)> then;
  };
  struct put {
    std::string key;
    std::optional<std::string> value;  // raw JSON; nothing: remove
    std::function<void(result<void>)> then;
  };
  struct increment {
    std::string key;
    std::int64_t by;
    std::function<void(result<std::int64_t>)> then;
  };
  struct keys {
    std::function<void(result<std::vector<std::string>>)> then;
  };
  using body_type = std::variant<std::monostate, progress, log, finish, get, put, increment, keys>;

  request_event() = default;
  explicit request_event(body_type what) : body(std::move(what)) {}
  request_event(request_event&& other) noexcept
      : serial(other.serial), body(std::exchange(other.body, std::monostate{})) {}
  request_event& operator=(request_event&& other) noexcept;
  ~request_event() { drop(); }

  /// Fails the callback, if there is one that has not been taken.
  void drop() noexcept;

  std::uint64_t serial = 0;  ///< of the request in its session
  body_type body;
};

/// Where a request reports to.
class request_mailbox {
 public:
  virtual ~request_mailbox() = default;
  /// From any thread.
  virtual void post(request_event event) = 0;
};

/// See above.
class request {
 public:
  request(std::uint64_t serial, mcp::call what, std::shared_ptr<const session_info> session,
          std::shared_ptr<const node_identity> node, std::shared_ptr<request_mailbox> owner);

  const mcp::call& call() const noexcept { return call_; }
  const session_info& session() const noexcept { return *session_; }
  const node_identity& node() const noexcept { return *node_; }
  std::uint64_t serial() const noexcept { return serial_; }

  /// Whether the client has given up, or the session is over: the answer will not be sent.
  bool cancelled() const noexcept { return cancelled_.load(std::memory_order_acquire); }

  /// Calls `f` once when that happens; at once if it has happened. Replaces the one before. `f` must be
  /// quick.
  void on_cancel(std::function<void()> f);

  /// Tells the client how far the work is, if it asked for that. Values should rise.
  void progress(double value, std::optional<double> total = {}, std::string message = {});

  /// A log line for the client, if it wants lines of that level. `data` is raw JSON.
  void log(mcp::log_level level, std::string logger, std::string data);

  /// The session's state: keys of at most 512 bytes, values of raw JSON. `then` comes later, on the session's
  /// thread, and must be quick. Changes are answered when they are as safe as configured. Errors:
  /// `overloaded` (a bound), `invalid` (`increment` of what is no integer), `unavailable` (the session is
  /// gone).
  void get(std::string key, std::function<void(result<std::optional<std::string>>)> then);
  void put(std::string key, std::string value, std::function<void(result<void>)> then);
  void remove(std::string key, std::function<void(result<void>)> then);
  void increment(std::string key, std::int64_t by, std::function<void(result<std::int64_t>)> then);
  void keys(std::function<void(result<std::vector<std::string>>)> then);

  /// The answer (`mcp::finish`); once, what comes after it is dropped. `failed` counts against the server.
  void finish(std::string answer, bool failed = false);

  /// Whether it was answered.
  bool finished() const noexcept { return finished_.load(std::memory_order_acquire); }

  /// Runs `f` in the session's turn and hands over what was reported meanwhile, in order.
  template <class F>
  std::vector<request_event> run_inline(F&& f) {
    inline_thread_.store(std::this_thread::get_id(), std::memory_order_relaxed);
    f();
    inline_thread_.store(std::thread::id{}, std::memory_order_relaxed);
    return std::move(inline_events_);
  }

  /// The session gives the call up.
  void cancel();

 private:
  void report(request_event::body_type what);

  const std::uint64_t serial_;
  const mcp::call call_;
  const std::shared_ptr<const session_info> session_;
  const std::shared_ptr<const node_identity> node_;
  const std::shared_ptr<request_mailbox> owner_;
  std::atomic<std::thread::id> inline_thread_{};
  std::vector<request_event> inline_events_;  // only touched by `inline_thread_`
  std::atomic<bool> cancelled_{false};
  std::atomic<bool> finished_{false};
  std::mutex mutex_;
  std::function<void()> on_cancel_;
};

using request_ptr = std::shared_ptr<request>;

}  // namespace cafmcp::actors
