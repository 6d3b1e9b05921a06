#include "bench/bridge_server.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/websocket/stream.hpp>
#include <deque>

#include "bench/bridge_actor.hpp"
#include "supervisors/runtime.hpp"

namespace cafmcp::bench {

namespace websocket = beast::websocket;

// One connection: a coroutine reads, `answer` writes. The two don't wait for each other. Belongs to its
// context's thread.
class bridge_connection final : public sink, public std::enable_shared_from_this<bridge_connection> {
 public:
  // `session` answers what is read; without one it is written as it is.
  bridge_connection(tcp_socket socket, caf::actor session)
      : ws_(std::move(socket)), session_(std::move(session)) {}

  // Serves until the connection's end, then ends the session.
  task<void> run();

  // Writes now, or when what is before it is written. A peer that doesn't read is cut off.
  void answer(std::string text) override;

  // Makes `run` return soon.
  void close() {
    error_code ignored;
    ws_.next_layer().close(ignored);
  }

 private:
  static constexpr std::size_t max_backlog = 1024;

  void write_front();

  websocket::stream<tcp_socket> ws_;
  caf::actor session_;
  std::deque<std::string> backlog_;  // the first is being written
};

task<void> bridge_connection::run() {
  ws_.auto_fragment(false);
  ws_.read_message_max(max_body_bytes);
  ws_.text(true);
  beast::flat_buffer in;
  auto [ec] = co_await ws_.async_accept(awaiting);
  while (!ec) {
    std::size_t bytes = 0;
    std::tie(ec, bytes) = co_await ws_.async_read(in, awaiting);
    if (ec)
      break;
    std::string text{static_cast<const char*>(in.data().data()), bytes};
    in.clear();
    if (session_)
      ask(session_, std::move(text), shared_from_this());
    else
      answer(std::move(text));
  }
  end_actor(session_);
}

void bridge_connection::answer(std::string text) {
  if (backlog_.size() == max_backlog)
    return close();
  backlog_.push_back(std::move(text));
  if (backlog_.size() == 1)
    write_front();
}

void bridge_connection::write_front() {
  ws_.async_write(asio::buffer(backlog_.front()), [self = shared_from_this()](error_code ec, std::size_t) {
    if (ec)
      return self->close();
    self->backlog_.pop_front();
    if (!self->backlog_.empty())
      self->write_front();
  });
}

bridge_server::bridge_server(otp::runtime& runtime, bool with_actors)
    : runtime_(runtime),
      with_actors_(with_actors),
      acceptor_(runtime.pool().context(0)),
      open_(runtime.pool().size()) {}

bridge_server::~bridge_server() {
  stop();
}

result<void> bridge_server::start(const tcp::endpoint& address) {
  if (auto listening = listen_on(acceptor_, address); !listening)
    return listening;
  spawn(acceptor_.get_executor(), accept());
  return {};
}

void bridge_server::spawn(const executor& where, task<void> coroutine) {
  ++coroutines_;
  asio::co_spawn(where, std::move(coroutine), [this](const std::exception_ptr&) { --coroutines_; });
}

task<void> bridge_server::accept() {
  timer pause{acceptor_.get_executor()};
  for (std::size_t next = 0; acceptor_.is_open(); next = (next + 1) % open_.size()) {
    tcp_socket socket{runtime_.pool().context(next)};
    auto [ec] = co_await acceptor_.async_accept(socket, awaiting);
    if (!ec)
      prepare(socket, ec);
    if (!ec) {
      spawn(runtime_.pool().context(next).get_executor(), serve(std::move(socket), next));
    } else {
      // Out of file descriptors, most likely: to try again at once would only burn the core.
      pause.expires_after(std::chrono::milliseconds{10});
      co_await pause.async_wait(awaiting);
    }
  }
}

task<void> bridge_server::serve(tcp_socket socket, std::size_t index) {
  const auto connection = std::make_shared<bridge_connection>(
      std::move(socket), with_actors_ ? spawn_echo(runtime_, index) : caf::actor{});
  open_[index].insert(connection.get());
  co_await connection->run();
  open_[index].erase(connection.get());
}

void bridge_server::stop() {
  // Again for a connection that was handed out meanwhile, and until all have noticed.
  do {
    runtime_.pool().run_on_each([this](std::size_t index) {
      error_code ignored;
      if (index == 0)
        acceptor_.close(ignored);
      for (auto* connection : open_[index])
        connection->close();
    });
  } while (coroutines_ != 0);
}

}  // namespace cafmcp::bench
