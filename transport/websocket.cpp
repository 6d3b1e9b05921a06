#include "transport/websocket.hpp"

#include <netinet/tcp.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/websocket/stream.hpp>
#include <cerrno>
#include <utility>

#include "mcp/errors.hpp"
#include "transport/streamable_http_error.hpp"
#include "transport/streamable_http_headers.hpp"
#include "transport/websocket_layer.hpp"

namespace cafmcp::transport {

namespace websocket = boost::beast::websocket;

namespace {

constexpr auto token = asio::as_tuple(asio::use_awaitable);

// A read buffer that grew beyond this is handed on with its message, instead of being copied from and kept.
constexpr std::size_t keep_bytes = 16 * 1024;

constexpr auto opcode_text = '\x81';
constexpr auto opcode_close = '\x88';
constexpr auto opcode_ping = '\x89';

// The head of an unmasked, unfragmented frame (RFC 6455, 5.2).
std::string frame_head(char opcode, std::size_t size) {
  std::string out(1, opcode);
  int bytes = 0;
  if (size < 126) {
    out += static_cast<char>(size);
  } else if (size < 65536) {
    out += '\x7e';
    bytes = 2;
  } else {
    out += '\x7f';
    bytes = 8;
  }
  while (bytes-- > 0)
    out += static_cast<char>(size >> (8 * bytes));
  return out;
}

// For how long nothing has come from the client. The kernel keeps this anyway, so nothing is to be done when
// something comes; and a big message on its slow way counts as life, which no pong can get past.
std::chrono::milliseconds silence(int fd) {
  tcp_info info{};
  socklen_t size = sizeof info;
  if (::getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &size) != 0)
    return std::chrono::hours{24};
  return std::chrono::milliseconds{info.tcpi_last_data_recv};
}

std::pair<unsigned, std::string_view> goodbye_of(channel_end why) {
  switch (why) {
    case channel_end::complete:
    case channel_end::ended:
      return {1000, "the session has ended"};
    case channel_end::replaced:
      return {1000, "replaced by a newer connection"};
    case channel_end::going_away:
      return {1001, "this node is going away; connect anew"};
    case channel_end::refused:
      break;
  }
  return {1008, "policy violation"};
}

}  // namespace

websocket_channel::websocket_channel(stream& s, std::shared_ptr<const mcp_options> options)
    : options_(std::move(options)), context_(s.head().context), timers_(s.timers()), socket_(&s.socket()) {}

bool websocket_channel::fits(std::size_t more) {
  if (out_.bytes() + more <= options_->backlog_bytes)
    return true;
  options_->counters->slow_readers.add();
  cut();
  return false;
}

bool websocket_channel::send(outgoing&& message) {
  if (phase_ != phase::open)
    return false;
  if (message.bytes.empty())
    return true;  // a priming event: only for SSE
  if (!fits(message.bytes.size()))
    return false;
  options_->counters->messages_out.add();
  auto head = frame_head(opcode_text, message.bytes.size());
  out_.push(std::move(head), std::move(message.bytes));
  flush_soon();
  return true;
}

void websocket_channel::close(channel_end why) {
  if (phase_ != phase::open)
    return;
  attached_ = false;
  const auto [code, text] = goodbye_of(why);
  say_goodbye(code, text);
}

void websocket_channel::write_frame(std::string bytes) {
  if (phase_ == phase::closing || socket_ == nullptr || !fits(bytes.size()))
    return;
  if (bytes.size() >= 4 && bytes[0] == opcode_close)
    code_ = static_cast<unsigned>(static_cast<unsigned char>(bytes[2]) << 8 |
                                  static_cast<unsigned char>(bytes[3]));
  out_.push(std::move(bytes));
  flush_soon();
}

void websocket_channel::say_goodbye(unsigned code, std::string_view why) {
  if (phase_ != phase::open)
    return;
  phase_ = phase::closing;
  code_ = code;
  auto frame = frame_head(opcode_close, why.size() + 2);
  frame += static_cast<char>(code >> 8);
  frame += static_cast<char>(code);
  frame += why;
  out_.push(std::move(frame));
  flush_soon();
  timers_.schedule_after(*this, options_->close_timeout);
}

// The client does not read. It is told, should it begin to; what it has not begun to take goes.
void websocket_channel::cut() {
  for (auto& message : out_.take_unsent())
    missed_.push_back(std::move(message));
  say_goodbye(1013, "you read too slowly; connect anew to resume");
}

void websocket_channel::flush_soon() {
  if (flush_posted_ || in_burst_ || blocked_ || socket_ == nullptr)
    return;
  flush_posted_ = true;
  // What else is sent in this turn goes out with it.
  asio::post(socket_->get_executor(), [self = shared_from_this()] {
    self->flush_posted_ = false;
    self->flush();
  });
}

void websocket_channel::reads_next() {
  in_burst_ = false;
  if (!out_.empty())
    flush();
}

void websocket_channel::flush() {
  if (socket_ == nullptr || !socket_->is_open() || blocked_)
    return;
  boost::system::error_code ec;
  switch (out_.flush(socket_->native_handle())) {
    case outbox::state::empty:
      return;
    case outbox::state::broken:
      socket_->close(ec);  // the reader sees it
      return;
    case outbox::state::blocked:
      blocked_ = true;
      socket_->async_wait(tcp_socket::wait_write, [self = shared_from_this()](boost::system::error_code) {
        self->blocked_ = false;
        self->flush();
      });
      return;
  }
}

void websocket_channel::on_timer() {
  if (socket_ == nullptr || !socket_->is_open())
    return;
  boost::system::error_code ec;
  // A client that lives has answered the last ping, an interval ago. One that went silent right behind the
  // ping before that has been so for nearly two.
  if (phase_ != phase::open || 2 * silence(socket_->native_handle()) >= 3 * options_->ping_interval) {
    socket_->set_option(asio::socket_base::linger{true, 0}, ec);  // frees the send buffer at once
    socket_->close(ec);
    return;
  }
  write_frame(frame_head(opcode_ping, 0));
  if (phase_ == phase::open)
    timers_.schedule_after(*this, options_->ping_interval);
}

// One message of the client.
bool websocket_channel::take(std::string& bytes, bool text, session_port& port) {
  if (phase_ != phase::open)
    return false;
  if (!text) {
    say_goodbye(1003, "only text frames are understood");
    return false;
  }
  options_->counters->messages_in.add();
  std::string message = bytes.size() > keep_bytes ? std::move(bytes) : bytes;
  in_burst_ = true;
  if (port.receive(std::move(message), shared_from_this()))
    return true;
  say_goodbye(1013, "the session has too much to do; try again later");
  return false;
}

asio::awaitable<void> websocket_channel::read(stream& s, std::string leftover,
                                              std::shared_ptr<session_port> port) {
  using ws_stream = websocket::stream<websocket_layer, false>;
  ws_stream ws{s.socket(), *this, std::move(leftover)};
  ws.read_message_max(options_->message_bytes);
  const auto& head = s.head();
  const bool named = has_token(head, "Sec-WebSocket-Protocol", "mcp", false);
  ws.set_option(websocket::stream_base::decorator{[named, &port](websocket::response_type& res) {
    res.erase(http::field::server);
    res.set("Mcp-Session-Id", port->id());
    if (named)
      res.set(http::field::sec_websocket_protocol, "mcp");
  }});
  {
    const auto upgrade = head.to_beast();
    const auto accepted = co_await ws.async_accept(upgrade, token);
    if (std::get<0>(accepted))
      co_return;
  }
  s.release();
  attached_ = true;
  port->attach(shared_from_this(), {});
  if (s.draining())
    say_goodbye(1001, goodbye_of(channel_end::going_away).second);
  std::string bytes;
  for (;;) {
    auto to = asio::dynamic_buffer(bytes);
    const auto got = co_await ws.async_read(to, token);
    if (std::get<0>(got))
      co_return;
    take(bytes, ws.got_text(), *port);
    bytes.clear();
    if (bytes.capacity() > keep_bytes)
      std::string{}.swap(bytes);
  }
}

asio::awaitable<after> websocket_channel::run(stream& s, std::shared_ptr<session_port> port) {
  options_->counters->websockets.add(1);
  struct ending {
    explicit ending(websocket_channel& c) : channel(c) {}
    // Also when the coroutine is destroyed with its context.
    ~ending() {
      channel.timer_entry::cancel();
      channel.socket_ = nullptr;
      channel.phase_ = phase::done;
      channel.options_->counters->websockets.add(-1);
    }
    websocket_channel& channel;
  } guard{*this};
  s.on_drain([weak = weak_from_this()] {
    if (const auto self = weak.lock())
      self->say_goodbye(1001, goodbye_of(channel_end::going_away).second);
  });
  timers_.schedule_after(*this, options_->ping_interval);
  auto leftover = s.take_leftover();
  co_await read(s, std::move(leftover), port);
  co_await finish();
  for (auto& message : out_.take_unsent(true))
    missed_.push_back(std::move(message));
  if (attached_ || !missed_.empty())
    port->detach(shared_from_this(), std::move(missed_));
  co_await linger();
  co_return after::close;
}

// Nothing is read any more: sends what is queued, a good-bye for the most part.
asio::awaitable<void> websocket_channel::finish() {
  if (phase_ == phase::open)
    timers_.schedule_after(*this, options_->close_timeout);
  phase_ = phase::done;
  while (socket_->is_open() && out_.flush(socket_->native_handle()) == outbox::state::blocked)
    co_await socket_->async_wait(tcp_socket::wait_write, token);
  count_end();
}

// A client that still sends what broke a rule would lose the good-bye to a reset. So what it sends is taken,
// about as much as a message may have, until it closes too; `on_timer` ends the waiting.
asio::awaitable<void> websocket_channel::linger() {
  boost::system::error_code ec;
  socket_->shutdown(tcp_socket::shutdown_send, ec);
  static thread_local std::array<char, keep_bytes> nowhere;
  for (auto left = 2 * options_->message_bytes; left > 0 && socket_->is_open();) {
    const auto n =
        ::recv(socket_->native_handle(), nowhere.data(), std::min(left, nowhere.size()), MSG_DONTWAIT);
    if (n > 0)
      left -= static_cast<std::size_t>(n);
    else if (n == 0 || (errno != EAGAIN && errno != EINTR))
      co_return;
    else
      co_await socket_->async_wait(tcp_socket::wait_read, token);
  }
}

void websocket_channel::count_end() {
  auto how = close_class::violated;
  if (code_ == 0)
    how = close_class::lost;
  else if (code_ == 1000 || code_ == 1001)
    how = close_class::normal;
  else if (code_ == 1013)
    how = close_class::overload;
  options_->counters->closes[static_cast<std::size_t>(how)].add();
}

bool wants_websocket(const request& req) {
  return has_token(req, "Upgrade", "websocket", true);
}

bool check_upgrade(const request& req, response& res) {
  if (req.version < 11 || !has_token(req, "Connection", "upgrade", true)) {
    rpc_fail(res, 400, mcp::code::transport,
             "Bad Request: a WebSocket needs HTTP/1.1 and Connection: Upgrade");
    return false;
  }
  const auto key = req[http::field::sec_websocket_key];
  const auto good = [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '+' || c == '/';
  };
  if (req.count(http::field::sec_websocket_key) != 1 || key.size() != 24 || !key.ends_with("==") ||
      !std::all_of(key.begin(), key.end() - 2, good)) {
    rpc_fail(res, 400, mcp::code::transport, "Bad Request: Sec-WebSocket-Key must be 16 bytes in base64");
    return false;
  }
  if (req[http::field::sec_websocket_version] != "13") {
    res.header("Sec-WebSocket-Version", "13");
    rpc_fail(res, 426, mcp::code::transport, "Upgrade Required: Sec-WebSocket-Version must be 13");
    return false;
  }
  return true;
}

asio::awaitable<after> serve_websocket(stream& s, std::shared_ptr<const mcp_options> options,
                                       std::shared_ptr<session_port> port) {
  const auto channel = std::make_shared<websocket_channel>(s, std::move(options));
  co_return co_await channel->run(s, std::move(port));
}

}  // namespace cafmcp::transport
