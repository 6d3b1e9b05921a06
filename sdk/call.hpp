#pragma once
// A call, as its handler sees it: what was asked, who asks, and the ways to report back. A `call` is a
// handle: copies stand for the same call, and all of them may be used on any thread. A handler that answers
// later
// (`async`) keeps one and says `reply` or `fail`; only the first answer counts. When the last handle goes
// away without an answer, the client gets an internal error that says so, so no call is ever left hanging.
//
// What is reported to a session that is gone or a client that has given up is dropped.

#include <cstdint>
#include <functional>
#include <future>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "actors/request.hpp"
#include "sdk/answer.hpp"

namespace cafmcp::sdk {

namespace detail {
class running_call;
}

/// The state of the session that a call belongs to: keys of at most 512 bytes with JSON values. It is kept
/// with the session, not with this process: it outlives the node. All is asynchronous, since the session may
/// be elsewhere. Errors: `overloaded` (a bound: of keys, sizes), `invalid` (`incr` of what is no integer),
/// `unavailable` (the session is gone).
///
/// The forms with `then` call it once, on the session's thread, so it must be quick; what it throws is an
/// answer as if the handler had thrown it. The forms that return a future are for blocking handlers and
/// threads of one's own; where waiting would stop the session itself (in quick handlers, at the beginning of
/// asynchronous ones, in `then`) the future holds the error `conflict` at once.
class state {
 public:
  /// The value; nothing: there is none.
  void get(std::string key, std::function<void(result<std::optional<json>>)> then) const;
  std::future<result<std::optional<json>>> get(std::string key) const;

  /// Answered when the change is as safe as the node is configured to make it.
  void set(std::string key, const json& value, std::function<void(result<void>)> then) const;
  std::future<result<void>> set(std::string key, const json& value) const;
  void remove(std::string key, std::function<void(result<void>)> then) const;
  std::future<result<void>> remove(std::string key) const;

  /// Adds to an integer (0, if there is none) and gives the sum.
  void incr(std::string key, std::int64_t by, std::function<void(result<std::int64_t>)> then) const;
  std::future<result<std::int64_t>> incr(std::string key, std::int64_t by = 1) const;

  /// All keys, in order.
  void keys(std::function<void(result<std::vector<std::string>>)> then) const;
  std::future<result<std::vector<std::string>>> keys() const;

 private:
  friend class call;
  explicit state(std::shared_ptr<detail::running_call> running) : running_(std::move(running)) {}

  std::shared_ptr<detail::running_call> running_;
};

/// See above.
class call {
 public:
  explicit call(std::shared_ptr<detail::running_call> running) : running_(std::move(running)) {}

  /// What the client gave, an object, checked against the tool's schema. Of a resource template: its
  /// variables. Of a completion: `name` and `value`.
  const json& arguments() const noexcept;

  /// The bytes that came, as raw JSON.
  std::string_view raw_arguments() const noexcept;

  /// The name of the tool or prompt, or the URI that is read; what is completed: prompt or template.
  const std::string& name() const noexcept;

  /// Completions: the arguments chosen before, an object.
  json context() const;

  /// The `_meta` of the request, as raw JSON; empty: none.
  std::string_view raw_meta() const noexcept;

  /// The short name of the session, fit for logs.
  const std::string& session() const noexcept;

  /// How often the session has changed its owner, and one.
  std::uint64_t generation() const noexcept;

  /// What the client said about itself, as raw JSON.
  std::string_view raw_client_info() const noexcept;

  /// The revision of the protocol that the client speaks.
  mcp::revision version() const noexcept;

  /// The node that runs this.
  const actors::node_identity& node() const noexcept;

  /// Tells how far the work is, if the client asked for that. Values should rise.
  void progress(double value, std::optional<double> total = {}, std::string message = {}) const;

  /// A log line for the client, if it wants lines of that level. No `logger`: the name of the server.
  void log(mcp::log_level level, const json& data, std::string logger = {}) const;

  /// Whether the client has given up: nobody waits for the answer any more.
  bool cancelled() const noexcept;

  /// Calls `f` once when that happens, on any thread; at once if it has. Replaces the one before. `f` must be
  /// quick, and should not keep a handle of this call: that would count as a handle until the call ends.
  void on_cancel(std::function<void()> f) const;

  sdk::state state() const { return sdk::state(running_); }

  /// Answers.
  void reply(answer what) const;

  /// Answers that it failed: of a tool a result with `isError` and the message, else a JSON-RPC error.
  void fail(std::string message) const { reply(error{errc::internal, std::move(message)}); }
  void fail(error what) const { reply(std::move(what)); }

  /// Whether it was answered.
  bool answered() const noexcept;

 private:
  std::shared_ptr<detail::running_call> running_;
};

}  // namespace cafmcp::sdk
