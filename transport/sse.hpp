#pragma once
// What a session sends to an HTTP client: the answer to one POST, or the stream of a GET. The answer of a
// POST decides late what it is: if the session's first message comes together with the end it is one JSON
// body, else it becomes a stream of server-sent events, as it also does when nothing comes for a while, so
// that no proxy or client gives up waiting. A connection that has answered goes on with HTTP.
//
// The channel is shared by its session and by the coroutine that has taken the connection over; the session
// may keep it for longer than the connection lives. Messages are queued up to a bound, for a client that
// reads more slowly than that the connection is cut. Context thread only.

#include <boost/asio/awaitable.hpp>
#include <boost/asio/steady_timer.hpp>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "transport/gateway.hpp"
#include "transport/http.hpp"
#include "transport/outbox.hpp"
#include "transport/streamable_http_options.hpp"

namespace cafmcp::transport {

/// One answer or stream.
class sse_channel final : public client_channel, public std::enable_shared_from_this<sse_channel> {
 public:
  /// A channel for the connection of `req`. `session_header`: what `Mcp-Session-Id` says; empty: no such
  /// header.
  sse_channel(std::shared_ptr<const mcp_options> options, const request& req, std::string session_header);

  std::size_t context() const noexcept override { return context_; }
  bool is_socket() const noexcept override { return false; }
  bool send(outgoing&& message) override;
  void close(channel_end why) override;

  /// Whether all is there and fits one plain HTTP answer.
  bool is_single() const;

  /// Makes that answer.
  void fill(response& res);

  /// Answers a POST, whichever way. For `response::take_over`.
  asio::awaitable<after> answer(stream& s, std::shared_ptr<session_port> port);

  /// Serves the stream of a GET: attaches itself to the session. For `response::take_over`.
  asio::awaitable<after> listen(stream& s, std::shared_ptr<session_port> port, std::string last_event_id);

 private:
  using timer =
      asio::basic_waitable_timer<std::chrono::steady_clock, asio::wait_traits<std::chrono::steady_clock>,
                                 tcp_socket::executor_type>;
  struct holding;

  after finish(bool clean, session_port& port);
  asio::awaitable<void> wait();
  asio::awaitable<bool> flush(stream& s);
  asio::awaitable<bool> pump(stream& s);
  void start_stream();
  void queue_events();
  void queue_chunk(std::string head, std::string body);
  void watch();
  void cut();
  void wake();
  bool usable() const;

  const std::shared_ptr<const mcp_options> options_;
  const std::size_t context_;
  const unsigned version_;
  const std::string session_header_;
  holding* held_ = nullptr;        // what the coroutine has, while it runs
  std::vector<outgoing> waiting_;  // not yet in the outbox
  std::size_t waiting_bytes_ = 0;
  outbox out_;
  std::optional<channel_end> ended_;  // by the session
  bool drained_ = false;              // the server goes away
  bool keep_ = false;                 // the connection outlives the answer
  bool started_ = false;              // the head of a stream is out
  bool lost_ = false;                 // the client is gone, or cut
};

/// The framing before the bytes of an event's data; `"\n\n"` goes behind them.
std::string event_head(const outgoing& message);

}  // namespace cafmcp::transport
