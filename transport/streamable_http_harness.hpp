#pragma once
// For tests of `/mcp`: a server on a free loopback port whose gateway is a fake, and a WebSocket client.
// Everything that waits has a deadline. Thread-compatible; the fake may be asked from the test's thread.

#include <boost/asio/connect.hpp>
#include <boost/asio/post.hpp>
#include <boost/beast/core/buffers_to_string.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/websocket.hpp>
#include <future>
#include <map>
#include <mutex>
#include <optional>

#include "base/listener.hpp"
#include "transport/streamable_http.hpp"
#include "transport/test_harness.hpp"

namespace cafmcp::transport::test {

/// A session that does what a message's text says:
///   now    answers and closes at once        later  the same, but in a later turn
///   split  answers, and closes turns later   two    two messages and the end at once
///   hold   leaves it to the test             none   closes without an answer
///   prime  a priming event, then the end     gone   is closed as `going_away`
///   bad    answers with HTTP status 404      full   is refused: overloaded
class fake_session final : public session_port, public std::enable_shared_from_this<fake_session> {
 public:
  fake_session(otp::io_pool& pool, std::string id) : pool_(pool), id_(std::move(id)) {}

  const std::string& id() const noexcept override { return id_; }
  bool receive(incoming what, channel_ptr reply_to) override;
  void attach(channel_ptr channel, std::string last_event_id) override;
  void detach(const channel_ptr& channel, std::vector<std::string> missed) override;
  void end() override { ended = true; }

  /// The channel attached last, or that of the last held message.
  channel_ptr attached() const {
    return with_lock([this] { return attached_; });
  }
  channel_ptr held() const {
    return with_lock([this] { return held_; });
  }
  std::string last_message() const {
    return with_lock([this] { return last_message_; });
  }
  /// How many messages connections have handed back.
  std::atomic<std::size_t> missed{0};

  std::string last_event_id() const {
    return with_lock([this] { return last_event_id_; });
  }

  /// Runs `f` on the channel's thread and waits for it.
  bool on(const channel_ptr& channel, std::function<bool(client_channel&)> f);

  std::atomic<int> messages{0};
  std::atomic<int> attaches{0};
  std::atomic<int> detaches{0};
  std::atomic<bool> ended{false};

 private:
  template <class F>
  std::invoke_result_t<F> with_lock(F f) const {
    const std::lock_guard lock{mutex_};
    return f();
  }
  void act(const std::string& bytes, const channel_ptr& to);

  otp::io_pool& pool_;
  const std::string id_;
  mutable std::mutex mutex_;
  channel_ptr attached_;
  channel_ptr held_;
  std::string last_message_;
  std::string last_event_id_;
};

/// A gateway with such sessions.
class fake_gateway final : public gateway {
 public:
  explicit fake_gateway(otp::io_pool& pool) : pool_(pool) {}

  asio::awaitable<result<std::shared_ptr<session_port>>> create(session_request request) override;
  asio::awaitable<result<std::shared_ptr<session_port>>> find(session_request request) override;

  std::shared_ptr<fake_session> session(const std::string& id) const;
  std::size_t size() const;
  std::shared_ptr<fake_session> add(const std::string& id);

  std::atomic<bool> down{false};

 private:
  otp::io_pool& pool_;
  mutable std::mutex mutex_;
  std::map<std::string, std::shared_ptr<fake_session>> sessions_;
};

/// A whole server with `/mcp`. There is a session "s1" from the start.
struct mcp_harness {
  explicit mcp_harness(mcp_options options = {}, const limits& bounds = {}, std::size_t threads = 2);
  ~mcp_harness();

  std::uint16_t port() const { return socket->endpoint().port(); }
  std::shared_ptr<fake_session> s1() const { return sessions->session("s1"); }

  std::shared_ptr<metrics> counters = std::make_shared<metrics>();
  std::optional<net::listener> socket;
  std::unique_ptr<otp::io_pool> pool;
  std::shared_ptr<fake_gateway> sessions;
  std::shared_ptr<connection_set> set;
  std::unique_ptr<http_server> server;
};

/// A request for `/mcp`: its method, headers besides Host (each with its line end), and body.
std::string mcp_request(std::string_view method, std::string_view headers, std::string_view body = {});

/// A POST with all headers that it needs, for session "s1", and a message that says `word`.
std::string mcp_post(std::string_view word);

/// Reads until `end` has come, and returns all of it; what came if the connection ends before.
std::string until(client& c, std::string_view end);

/// A blocking WebSocket client.
class ws_client {
 public:
  using ec_type = boost::system::error_code;
  using headers = std::vector<std::pair<std::string, std::string>>;

  /// Connects and upgrades; `response` has the answer.
  ec_type connect(std::uint16_t port, const std::string& target = "/mcp", const headers& more = {});

  ec_type send(std::string_view text, bool binary = false);

  /// The next message; nothing at the end: see `code`.
  std::optional<std::string> read();

  /// Reads to the end; the close code, 0 for none.
  unsigned code();

  void vanish();
  ec_type close();

  asio::io_context io;
  boost::beast::websocket::stream<asio::ip::tcp::socket> ws{io};
  boost::beast::websocket::response_type response;

 private:
  template <class F>
  ec_type run(F start);
};

}  // namespace cafmcp::transport::test
