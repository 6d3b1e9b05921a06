#pragma once
// One HTTP/1.1 connection: a coroutine on its context. Reading and writing are plain non-blocking system
// calls, tried at once; the coroutine waits for the socket only when it has to, so a keep-alive request costs
// one suspension. All buffers are in a `workspace` that is borrowed from the shard when bytes arrive and
// given back when the connection is idle: an idle connection is a socket and a coroutine frame. One timer
// entry serves all timeouts: a new deadline is a store, and the entry is moved only when it would fire too
// late. Not thread-safe: context thread only.

#include <boost/asio/awaitable.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "base/listener.hpp"
#include "supervisors/timer_wheel.hpp"
#include "transport/connection_set.hpp"
#include "transport/http.hpp"
#include "transport/request_parser.hpp"

namespace cafmcp::transport {

/// What a connection needs while it is busy. Its memory is used again by whichever connection borrows it
/// next.
struct workspace {
  boost::beast::flat_buffer in;  // received, not yet parsed
  head_scanner scanner;
  request req;
  std::optional<request_parser> parser;
  const handler* route = nullptr;  // null: `res` holds the router's answer
  response res;
  std::string out;          // the head of the answer, and its body if small
  std::size_t sent = 0;     // of `out` and the body behind it
  bool body_apart = false;  // the body is not in `out`

  /// Ready for another connection; lets go of big buffers.
  void reset() noexcept;
};

/// The connection itself. Held by its coroutine.
class connection final : public std::enable_shared_from_this<connection>,
                         public list_hook,
                         private otp::timer_entry {
 public:
  using clock = otp::timer_wheel::clock;

  connection(ticket right, const asio::ip::tcp::endpoint& remote);
  ~connection() override;

  /// Starts serving the socket. Once.
  void start(net::unique_fd fd);

  /// Closes the socket; what waits for it wakes up and ends.
  void abort();

  /// The server goes away: ends now if idle, else after the answer.
  void drain();

 private:
  friend class stream;
  enum class phase : unsigned char { idle, head, body, handler, cancelled, abandoned, write, linger, taken };
  enum class step : unsigned char { more, ready, refused, gone };

  // The way of a request: connection.cpp.
  asio::awaitable<void> run();
  asio::awaitable<step> read_body();
  asio::awaitable<void> handle_later();
  asio::awaitable<bool> flush_later();
  asio::awaitable<bool> hand_over();
  asio::awaitable<void> refuse();
  asio::awaitable<void> linger();
  void finished() noexcept;

  // Its steps, which never wait: connection_io.cpp.
  step parse_head();
  step receive();
  step fill_head();
  step begin_body();
  step take_body();
  bool handle_now();
  void handler_threw(const char* what);
  void fail_with(const refusal& why);
  void finish_response();
  bool flush_now();
  step interrupted();
  step refuse_with(const refusal& why);
  bool send_part(std::string_view first, std::string_view second);
  std::size_t unread() const noexcept;

  // Time.
  void enter(phase next, std::chrono::milliseconds timeout);
  void await_request();
  void on_timer() override;
  void expire();

  connection_set& set() noexcept { return *ticket_->set(); }

  std::optional<ticket> ticket_;
  shard& shard_;
  metrics& counters_;
  tcp_socket socket_;
  asio::ip::tcp::endpoint remote_;
  std::unique_ptr<workspace> work_;
  asio::cancellation_signal cancel_;
  std::function<void()> on_drain_;  // of a handler that took over
  const refusal* refusal_ = nullptr;
  clock::time_point deadline_ = clock::time_point::max();
  clock::time_point armed_for_{};
  phase phase_ = phase::idle;
  bool expired_ = false;  // the deadline of this phase is over
  bool closing_ = false;  // `abort` was called
  bool broken_ = false;   // the socket failed or the client is gone
  bool keep_ = false;     // the connection outlives this request
};

}  // namespace cafmcp::transport
