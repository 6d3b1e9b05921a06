#pragma once
// For tests: a node's registry, servers and sessions on real threads, a server whose calls the test steers,
// and clients without sockets. Everything that waits has a deadline. The test's thread is none of the pool's.

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_future.hpp>
#include <future>
#include <map>
#include <mutex>
#include <vector>

#include "actors/branches.hpp"
#include "actors/session_gateway.hpp"
#include "mcp/scan.hpp"
#include "persistence/memory_store.hpp"
#include "supervisors/supervisor.hpp"
#include "transport/test_harness.hpp"

namespace cafmcp::actors::test {

using transport::test::eventually;

/// A connection without a socket: remembers what it was sent.
class channel final : public transport::client_channel {
 public:
  channel(std::size_t context, bool socket) : context_(context), socket_(socket) {}

  std::size_t context() const noexcept override { return context_; }
  bool is_socket() const noexcept override { return socket_; }

  bool send(transport::outgoing&& message) override {
    const std::lock_guard lock{mutex_};
    if (gone_ || end_)
      return false;
    sent_.push_back(std::move(message));
    return true;
  }

  void close(transport::channel_end why) override {
    const std::lock_guard lock{mutex_};
    if (!end_)
      end_ = why;
  }

  /// The client is gone, and nobody has noticed.
  void lose() {
    const std::lock_guard lock{mutex_};
    gone_ = true;
  }

  std::vector<transport::outgoing> sent() const {
    const std::lock_guard lock{mutex_};
    return sent_;
  }
  /// The first of them, which has to be there.
  transport::outgoing first() const { return sent().at(0); }
  std::optional<transport::channel_end> end() const {
    const std::lock_guard lock{mutex_};
    return end_;
  }
  /// Message number `i`, once it is there; empty if it never comes.
  std::string message(std::size_t i) const {
    return eventually([&] { return sent().size() > i; }) ? sent()[i].bytes : std::string{};
  }
  bool closed(transport::channel_end why) const {
    return eventually([&] { return end().has_value(); }) && *end() == why;
  }

 private:
  const std::size_t context_;
  const bool socket_;
  mutable std::mutex mutex_;
  std::vector<transport::outgoing> sent_;
  std::optional<transport::channel_end> end_;
  bool gone_ = false;
};

/// A server with tools that answer `now`, are held for the test (`hold`), throw (`throw`), and count in the
/// session's state (`count`).
class steered_server final : public server {
 public:
  explicit steered_server(std::string name = "steered", std::string prefix = "")
      : name_(std::move(name)), prefix_(std::move(prefix)) {}

  const std::string& name() const noexcept override { return name_; }
  const char* kind() const noexcept override { return "native"; }

  mcp::catalogue_content offers() const override {
    const std::lock_guard lock{mutex_};
    mcp::catalogue_content out;
    for (const auto* tool : {"now", "hold", "throw", "count"}) {
      mcp::tool t;
      t.name = prefix_ + tool;
      out.tools.push_back(t);
    }
    for (const auto& tool : more_) {
      mcp::tool t;
      t.name = tool;
      out.tools.push_back(t);
    }
    return out;
  }

  void run(request_ptr r) override {
    const auto& call = r->call();
    if (call.name == prefix_ + "throw")
      throw std::runtime_error("thrown by the test");
    if (call.name == prefix_ + "hold") {
      const std::lock_guard lock{mutex_};
      held_.push_back(std::move(r));
    } else if (call.name == prefix_ + "count") {
      r->increment("n", 1, [r](const result<std::int64_t>& n) {
        r->finish(mcp::finish(r->call(), mcp::text_result(n ? std::to_string(*n) : n.error().message)));
      });
    } else {
      r->finish(mcp::finish(call, mcp::text_result("now")));
    }
  }

  void watch(std::function<void(server_event)> listener) override {
    const std::lock_guard lock{mutex_};
    listener_ = std::move(listener);
  }

  /// The call of `hold` number `i`, once it is there; null if it never comes.
  request_ptr held(std::size_t i) const {
    request_ptr found;
    (void)eventually([&] {
      const std::lock_guard lock{mutex_};
      if (held_.size() > i)
        found = held_[i];
      return found != nullptr;
    });
    return found;
  }

  void add_tool(const std::string& tool) {
    std::function<void(server_event)> tell;
    {
      const std::lock_guard lock{mutex_};
      more_.push_back(tool);
      tell = listener_;
    }
    if (tell)
      tell(offers_changed{});
  }

 private:
  const std::string name_;
  const std::string prefix_;
  mutable std::mutex mutex_;
  std::vector<request_ptr> held_;
  std::vector<std::string> more_;
  std::function<void(server_event)> listener_;
};

/// A store that does everything at once and says so when the test lets it, from a thread of the test's; or
/// refuses, or is still reading its file.
class slow_store final : public persistence::session_store {
 public:
  explicit slow_store(std::shared_ptr<persistence::session_store> inner) : inner_(std::move(inner)) {}

  void get(std::string_view session, callback<persistence::session_record> then) override {
    ++gets;
    inner_->get(session, [&](result<persistence::session_record> found) {
      if (!holds_gets)
        return then(std::move(found));
      const std::lock_guard lock{mutex_};
      held_.push_back(
          [then, record = std::make_shared<decltype(found)>(std::move(found))] { then(std::move(*record)); });
    });
  }
  void apply(std::vector<persistence::operation> operations, callback<void> then) override {
    const auto say = [&](const result<void>& outcome) {
      const std::lock_guard lock{mutex_};
      if (holds)
        held_.push_back([then, outcome] { then(outcome); });
      else
        then(outcome);
    };
    if (!refuses)
      return inner_->apply(std::move(operations), say);
    say(fail(errc::io, "the disk is full"));
    ++refused;
  }
  void scan(std::uint32_t bucket, std::string_view after, std::size_t limit,
            callback<std::vector<persistence::session_summary>> then) override {
    inner_->scan(bucket, after, limit, std::move(then));
  }
  void expire(std::uint32_t bucket, std::int64_t before_ms, std::size_t limit,
              callback<std::vector<persistence::idle_session>> then) override {
    ++looks;
    if (reads)
      return then(fail(errc::unavailable, "still reading"));
    inner_->expire(bucket, before_ms, limit, std::move(then));
  }
  std::uint64_t size() const noexcept override { return inner_->size(); }

  /// Waits for `n` held callbacks, and calls them; false if they never come.
  bool release(std::size_t n) {
    if (!eventually([&] {
          const std::lock_guard lock{mutex_};
          return held_.size() >= n;
        }))
      return false;
    std::vector<std::function<void()>> held;
    {
      const std::lock_guard lock{mutex_};
      held.swap(held_);
    }
    for (const auto& say : held)
      say();
    return true;
  }

  std::atomic<int> gets{0};
  std::atomic<int> refused{0};
  std::atomic<int> looks{0};  // for sessions that have expired
  std::atomic<bool> holds{false};
  std::atomic<bool> holds_gets{false};
  std::atomic<bool> reads{false};
  std::atomic<bool> refuses{false};

 private:
  const std::shared_ptr<persistence::session_store> inner_;
  std::mutex mutex_;
  std::vector<std::function<void()>> held_;
};

/// A node without ports.
class world {
 public:
  explicit world(const session_limits& limits = {})
      : env(make_environment(limits)), gateway(runtime, env), handler(std::make_shared<steered_server>()) {
    const otp::supervisor_flags flags{otp::strategy::one_for_one, 100, std::chrono::seconds{10}};
    auto started = otp::start_tree(
        runtime.system(), runtime.unit(0),
        {"test",
         flags,
         {registry_branch(env), servers_branch(env, {handler}), sessions_branch(env, runtime)},
         names,
         nullptr});
    root = std::move(started.value());
  }

  ~world() {
    otp::send_shutdown(root);
    runtime.await_actors(std::chrono::seconds{20});
    root = nullptr;
  }

  /// Runs a coroutine on a context and waits for it.
  template <class F>
  auto on(std::size_t where, F f) {
    return boost::asio::co_spawn(runtime.pool().context(where), std::move(f), boost::asio::use_future).get();
  }

  std::shared_ptr<transport::session_port> create(std::size_t where = 0) {
    auto made = on(where, [&]() -> boost::asio::awaitable<result<std::shared_ptr<transport::session_port>>> {
      transport::session_request wanted;
      co_return co_await gateway.create(std::move(wanted));
    });
    return made ? *made : nullptr;
  }

  result<std::shared_ptr<transport::session_port>> find(const std::string& id, std::size_t where = 0) {
    return on(where, [&]() -> boost::asio::awaitable<result<std::shared_ptr<transport::session_port>>> {
      transport::session_request wanted;
      wanted.session_id = id;
      co_return co_await gateway.find(std::move(wanted));
    });
  }

  /// The actor of a session; null: it has none.
  caf::actor actor(const std::string& id) const {
    const auto entry = env->router->directory().find(id);
    return entry == nullptr ? caf::actor{} : entry->actor();
  }

  /// Kills an actor, and waits until the session's entry knows.
  bool kill_session(const std::string& id) {
    const auto who = actor(id);
    caf::anon_send_exit(who, caf::exit_reason::kill);
    return eventually([&] { return !actor(id) || actor(id) != who; });
  }

  otp::runtime runtime{otp::runtime_options{2}};
  std::shared_ptr<otp::name_table> names = std::make_shared<otp::name_table>();
  std::shared_ptr<std::atomic<std::int64_t>> now_ms = std::make_shared<std::atomic<std::int64_t>>(1'000'000);
  std::shared_ptr<persistence::memory_store> store =
      std::make_shared<persistence::memory_store>(1000, 64 << 20);
  std::shared_ptr<slow_store> slow = std::make_shared<slow_store>(store);
  environment_ptr env;
  session_gateway gateway;
  std::shared_ptr<steered_server> handler;
  caf::actor root;

 private:
  environment_ptr make_environment(const session_limits& limits) {
    auto out = std::make_shared<session_environment>();
    out->store = slow;
    out->registry = std::make_shared<registry_view>();
    out->router = std::make_shared<session_router>(runtime.pool(), std::make_shared<session_directory>(1000));
    out->node = std::make_shared<const node_identity>(node_identity{"n1", "r1", "z1"});
    out->limits = limits;
    out->resume_url = "ws://h/mcp?mcp-session-id={id}";
    out->now_ms = [now = now_ms] { return now->load(); };
    return out;
  }
};

/// A client of a session, over a WebSocket or by POSTs.
class client {
 public:
  client(world& w, std::shared_ptr<transport::session_port> session, std::size_t where = 0)
      : world_(w), port(std::move(session)), where_(where) {}

  /// Opens a WebSocket.
  std::shared_ptr<channel> connect() {
    socket = std::make_shared<channel>(where_, true);
    port->attach(socket, "");
    return socket;
  }

  /// Sends over the WebSocket.
  bool send(std::string bytes) { return port->receive(std::move(bytes), socket); }

  /// Sends as a POST.
  std::shared_ptr<channel> post(std::string bytes) {
    auto c = std::make_shared<channel>(where_, false);
    return port->receive(std::move(bytes), c) ? c : nullptr;
  }

  /// Over whichever there is: initialises the session.
  bool greet(const std::string& version = "2025-11-25") {
    const auto hello =
        R"({"jsonrpc":"2.0","id":"hello","method":"initialize","params":{"protocolVersion":")" + version +
        R"(","capabilities":{},"clientInfo":{"name":"t","version":"1"}}})";
    std::string answer;
    if (socket) {
      const auto before = socket->sent().size();
      send(hello);
      answer = socket->message(before);
    } else {
      answer = post(hello)->message(0);
    }
    port->receive(std::string{R"({"jsonrpc":"2.0","method":"notifications/initialized"})"}, socket);
    return answer.find("\"protocolVersion\":\"" + version) != std::string::npos;
  }

  world& world_;
  std::shared_ptr<transport::session_port> port;
  std::shared_ptr<channel> socket;

 private:
  const std::size_t where_;
};

/// A tools/call.
inline std::string call(const std::string& id, const std::string& tool, const std::string& token = "") {
  const auto meta = token.empty() ? "" : R"(,"_meta":{"progressToken":)" + token + "}";
  return R"({"jsonrpc":"2.0","id":)" + id + R"(,"method":"tools/call","params":{"name":")" + tool +
         R"(","arguments":{})" + meta + "}}";
}

inline bool has(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

}  // namespace cafmcp::actors::test
