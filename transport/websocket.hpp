#pragma once
// MCP over a WebSocket: one JSON-RPC message a text frame, both ways. Beast does the handshake, reads frames
// and checks them; everything that is written goes through one `outbox`, so that many messages become one
// system call without being copied, and a client that does not read is found and cut. A session's id is given
// out at the upgrade, and the session outlives the socket.
//
// The reading coroutine owns the connection; the session holds the channel, also for longer. Context thread
// only.

#include <boost/asio/awaitable.hpp>
#include <memory>
#include <string>
#include <string_view>

#include "supervisors/io_pool.hpp"
#include "transport/gateway.hpp"
#include "transport/http.hpp"
#include "transport/outbox.hpp"
#include "transport/streamable_http_options.hpp"

namespace cafmcp::transport {

/// One client's WebSocket.
class websocket_channel final : public client_channel,
                                public std::enable_shared_from_this<websocket_channel>,
                                private otp::timer_entry {
 public:
  websocket_channel(stream& s, std::shared_ptr<const mcp_options> options);

  std::size_t context() const noexcept override { return context_; }
  bool is_socket() const noexcept override { return true; }
  bool send(outgoing&& message) override;
  void close(channel_end why) override;

  /// Serves the connection until its end.
  asio::awaitable<after> run(stream& s, std::shared_ptr<session_port> port);

  /// Queues a whole frame of Beast's (or the answer to the upgrade); nothing goes behind our own good-bye.
  void write_frame(std::string bytes);

  /// Sends what is queued: Beast has handed out all messages that it has, and reads from the socket next.
  void reads_next();

 private:
  enum class phase : unsigned char {
    open,
    closing,  // our good-bye is queued: what still comes is dropped
    done,     // the coroutine is finishing or gone
  };

  asio::awaitable<void> read(stream& s, std::string leftover, std::shared_ptr<session_port> port);
  bool take(std::string& bytes, bool text, session_port& port);
  asio::awaitable<void> finish();
  asio::awaitable<void> linger();
  void say_goodbye(unsigned code, std::string_view why);
  void cut();
  bool fits(std::size_t more);
  void flush_soon();
  void flush();
  void on_timer() override;
  void count_end();

  const std::shared_ptr<const mcp_options> options_;
  const std::size_t context_;
  otp::timer_service& timers_;
  tcp_socket* socket_;  // null when the coroutine has ended
  outbox out_;
  std::vector<std::string> missed_;  // taken from the session, and not sent
  unsigned code_ = 0;                // of the good-bye that was sent; 0: none
  phase phase_ = phase::open;
  bool attached_ = false;  // the session has not closed it
  bool flush_posted_ = false;
  bool in_burst_ = false;  // messages are being handed out: `reads_next` comes soon
  bool blocked_ = false;   // waits for the socket to become writable
};

/// Whether a GET asks for a WebSocket.
bool wants_websocket(const request& req);

/// Whether it asks correctly (RFC 6455, 4.2.1); else `res` says what is wrong.
bool check_upgrade(const request& req, response& res);

/// Completes the upgrade and serves the session. For `response::take_over`.
asio::awaitable<after> serve_websocket(stream& s, std::shared_ptr<const mcp_options> options,
                                       std::shared_ptr<session_port> port);

}  // namespace cafmcp::transport
