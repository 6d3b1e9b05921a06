#include "transport/sse.hpp"

#include <sys/socket.h>

#include <array>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <cerrno>
#include <charconv>
#include <utility>

#include "mcp/errors.hpp"
#include "transport/streamable_http_error.hpp"

namespace cafmcp::transport {

namespace {

constexpr auto token = asio::as_tuple(asio::use_awaitable);

std::string hex(std::size_t n) {
  std::array<char, 16> digits;
  return {digits.data(), std::to_chars(digits.data(), digits.data() + digits.size(), n, 16).ptr};
}

}  // namespace

std::string event_head(const outgoing& message) {
  std::string out;
  if (!message.event_id.empty())
    out.append("id: ").append(message.event_id).append("\n");
  if (message.retry_ms > 0)
    out.append("retry: ").append(std::to_string(message.retry_ms)).append("\n");
  out += "data: ";
  return out;
}

// The connection and the timer that wakes the coroutine. Part of the coroutine, so that both go when it goes,
// be it with its context; the channel may be kept for longer.
struct sse_channel::holding {
  holding(sse_channel& c, stream& s) : channel(c), socket(s.socket()), waker(socket.get_executor()) {
    channel.held_ = this;
    channel.watch();
  }
  ~holding() { channel.held_ = nullptr; }
  holding(const holding&) = delete;
  holding& operator=(const holding&) = delete;

  sse_channel& channel;
  tcp_socket& socket;
  timer waker;
};

sse_channel::sse_channel(std::shared_ptr<const mcp_options> options, const request& req,
                         std::string session_header)
    : options_(std::move(options)),
      context_(req.context),
      version_(req.version),
      session_header_(std::move(session_header)),
      keep_(req.keep_alive) {}

bool sse_channel::send(outgoing&& message) {
  if (ended_ || drained_ || lost_)
    return false;
  const auto size = message.bytes.size() + sizeof message;
  if (waiting_bytes_ + out_.bytes() + size > options_->backlog_bytes) {
    options_->counters->slow_readers.add();
    cut();
    return false;
  }
  options_->counters->messages_out.add();
  waiting_bytes_ += size;
  waiting_.push_back(std::move(message));
  wake();
  return true;
}

void sse_channel::close(channel_end why) {
  if (!ended_)
    ended_ = why;
  wake();
}

void sse_channel::cut() {
  lost_ = true;
  if (held_ == nullptr)
    return;
  boost::system::error_code ec;
  held_->socket.set_option(asio::socket_base::linger{true, 0}, ec);  // frees the send buffer at once
  held_->socket.close(ec);
  wake();
}

void sse_channel::wake() {
  if (held_ != nullptr)
    held_->waker.cancel();
}

bool sse_channel::usable() const {
  return held_ != nullptr && !lost_ && held_->socket.is_open();
}

bool sse_channel::is_single() const {
  return ended_ && !started_ && !lost_ &&
         (waiting_.empty() || (waiting_.size() == 1 && !waiting_[0].bytes.empty()));
}

void sse_channel::fill(response& res) {
  if (!session_header_.empty())
    res.header("Mcp-Session-Id", session_header_);
  if (!waiting_.empty()) {
    res.status = waiting_[0].http_status;
    res.content_type = "application/json";
    res.body = std::move(waiting_[0].bytes);
    waiting_.clear();
    return;
  }
  switch (*ended_) {
    case channel_end::complete:
      res.status = 202;
      return;
    case channel_end::ended:
      return rpc_fail(res, 404, mcp::code::unknown_session, "Session not found");
    case channel_end::refused:
      return rpc_fail(res, 400, mcp::code::invalid_request, "Invalid Request");
    case channel_end::replaced:
    case channel_end::going_away:
      return rpc_busy(res, "the session is moving: try again");
  }
}

// Sees the end of a connection that nobody reads from; a client that only ends its own sending counts as gone
// too. Bytes of a next request are left alone.
void sse_channel::watch() {
  held_->socket.async_wait(tcp_socket::wait_read, [self = shared_from_this()](boost::system::error_code ec) {
    if (ec || !self->usable())
      return;
    char c = 0;
    const auto n = ::recv(self->held_->socket.native_handle(), &c, 1, MSG_PEEK | MSG_DONTWAIT);
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
      return self->watch();
    if (n > 0)
      return;
    self->lost_ = true;
    self->wake();
  });
}

// Until there is something to do, but no longer than a stream may be silent.
asio::awaitable<void> sse_channel::wait() {
  if (!waiting_.empty() || ended_ || drained_ || lost_)
    co_return;
  held_->waker.expires_after(options_->keepalive_interval);
  co_await held_->waker.async_wait(token);
}

asio::awaitable<bool> sse_channel::flush(stream& s) {
  for (;;) {
    if (!usable())
      co_return false;
    const auto got = out_.flush(held_->socket.native_handle());
    if (got == outbox::state::broken)
      co_return false;
    if (got == outbox::state::empty)
      break;
    s.close_after(options_->write_timeout);
    co_await held_->socket.async_wait(tcp_socket::wait_write, token);
  }
  s.close_after(std::chrono::milliseconds{0});
  co_return true;
}

void sse_channel::start_stream() {
  response res;
  res.content_type = "text/event-stream";
  res.header("Cache-Control", "no-cache");
  res.header("X-Accel-Buffering", "no");
  if (!session_header_.empty())
    res.header("Mcp-Session-Id", session_header_);
  keep_ = keep_ && version_ > 10;
  std::string head;
  serialise_head(res, version_, keep_, head);
  out_.push(std::move(head));
  started_ = true;
}

// One event or comment without the empty line at its end.
void sse_channel::queue_chunk(std::string head, std::string body) {
  if (version_ == 10)
    return out_.push(std::move(head), std::move(body), "\n\n");
  const auto size = head.size() + body.size() + 2;
  out_.push(hex(size) + "\r\n" + std::move(head), std::move(body), "\n\n\r\n");
}

void sse_channel::queue_events() {
  waiting_bytes_ = 0;
  for (auto& m : std::exchange(waiting_, {}))
    queue_chunk(event_head(m), std::move(m.bytes));
}

asio::awaitable<bool> sse_channel::pump(stream& s) {
  struct counted {
    explicit counted(gauge& g) : streams(g) { streams.add(1); }
    ~counted() { streams.add(-1); }
    gauge& streams;
  } guard{options_->counters->sse_streams};
  for (;;) {
    const bool last = waiting_.empty() && (ended_ || drained_);
    if (last && version_ > 10)
      out_.push("0\r\n\r\n");
    const bool flushed = co_await flush(s);
    if (!flushed || last)
      co_return flushed;
    co_await wait();
    if (!waiting_.empty())
      queue_events();
    else if (usable() && !ended_ && !drained_)
      queue_chunk(": keep-alive", {});
  }
}

asio::awaitable<after> sse_channel::answer(stream& s, std::shared_ptr<session_port> port) {
  holding hold{*this, s};
  co_await wait();
  bool clean = false;
  if (usable() && is_single()) {
    keep_ = keep_ && !s.draining();
    response res;
    fill(res);
    std::string head;
    const bool whole = serialise(res, version_, keep_, false, head);
    std::string apart = whole ? std::string{} : std::move(res.body);
    out_.push(std::move(head), std::move(apart));
    clean = co_await flush(s);
  } else if (usable()) {
    start_stream();
    clean = co_await pump(s);
  }
  co_return finish(clean, *port);
}

asio::awaitable<after> sse_channel::listen(stream& s, std::shared_ptr<session_port> port,
                                           std::string last_event_id) {
  s.release();
  keep_ = false;
  holding hold{*this, s};
  s.on_drain([weak = weak_from_this()] {
    if (const auto self = weak.lock()) {
      self->drained_ = true;
      self->wake();
    }
  });
  drained_ = s.draining();
  start_stream();
  port->attach(shared_from_this(), std::move(last_event_id));
  const bool clean = co_await pump(s);
  co_return finish(clean, *port);
}

after sse_channel::finish(bool clean, session_port& port) {
  boost::system::error_code ec;
  held_->socket.cancel(ec);  // `watch`
  lost_ = true;              // nothing can be sent any more
  waiting_.clear();
  if (!ended_)
    port.detach(shared_from_this(), {});
  return clean && keep_ ? after::keep_alive : after::close;
}

}  // namespace cafmcp::transport
