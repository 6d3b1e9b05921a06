// The way of a connection: when it waits, for what, and what comes next.
#include "transport/connection.hpp"

#include <sys/socket.h>

#include <array>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "base/assert.hpp"

namespace cafmcp::transport {

using namespace std::chrono_literals;

namespace {

constexpr auto token = asio::as_tuple(asio::use_awaitable);

// How long, and for how much, a connection that was refused is read on, so that its client sees the answer
// and no reset.
constexpr auto linger_time = 2000ms;
constexpr std::size_t linger_bytes = 512 * 1024;

// What a handler that was cancelled gets to unwind before its client is answered without it.
constexpr auto unwind_time = 100ms;

// A client must take this much of a response in each `write_timeout`.
constexpr std::size_t write_progress = 16 * 1024;

}  // namespace

connection::connection(ticket right, const asio::ip::tcp::endpoint& remote)
    : ticket_(std::move(right)),
      shard_(set().at(ticket_->shard())),
      counters_(set().counters()),
      socket_(shard_.io),
      remote_(remote) {}

connection::~connection() {
  // Before the members go: the last of them may hold the set with the list.
  timer_entry::cancel();
  list_hook::unlink();
}

void connection::start(net::unique_fd fd) {
  boost::system::error_code ec;
  socket_.assign(remote_.protocol(), fd.get(), ec);
  if (ec)
    return;
  fd.release();
  socket_.set_option(asio::ip::tcp::no_delay{true}, ec);
  shard_.connections.push_back(*this);
  enter(phase::idle, shard_.bounds.idle_timeout);
  asio::co_spawn(shard_.io, run(),
                 asio::bind_cancellation_slot(
                     cancel_.slot(), [self = shared_from_this()](std::exception_ptr) { self->finished(); }));
}

void connection::finished() noexcept {
  timer_entry::cancel();
  boost::system::error_code ec;
  socket_.close(ec);
  shard_.give_back(std::move(work_));
  list_hook::unlink();
  ticket_.reset();
}

asio::awaitable<void> connection::run() {
  co_await asio::this_coro::throw_if_cancelled(false);
  bool going = true;
  while (going) {
    auto next = work_ && work_->in.size() > 0 ? parse_head() : step::more;
    while (next == step::more) {
      await_request();
      if (phase_ == phase::idle && set().draining() && unread() == 0)
        co_return;
      const auto waited = co_await socket_.async_wait(tcp_socket::wait_read, token);
      next = std::get<0>(waited) || closing_ || expired_ ? interrupted() : fill_head();
    }
    if (next == step::ready)
      next = begin_body();
    if (next == step::more)
      next = co_await read_body();
    if (next == step::refused) {
      co_await refuse();
      co_return;
    }
    if (next == step::gone)
      co_return;
    if (!handle_now())
      co_await handle_later();
    if (closing_ || phase_ == phase::abandoned)
      co_return;
    if (work_->res.takeover_) {
      going = co_await hand_over();
      continue;
    }
    finish_response();
    bool sent = flush_now();
    if (!sent)
      sent = co_await flush_later();
    if (!sent)
      co_return;
    going = keep_ && !broken_;
  }
  if (!broken_ && !closing_ && (unread() > 0 || (work_ && work_->in.size() > 0)))
    co_await linger();
}

asio::awaitable<connection::step> connection::read_body() {
  enter(phase::body, shard_.bounds.request_timeout);
  if (work_->parser->expects_continue() && work_->req.body.empty()) {
    constexpr std::string_view go_on = "HTTP/1.1 100 Continue\r\n\r\n";
    work_->sent = 0;
    if (!send_part(go_on, {}) || work_->sent < go_on.size())
      co_return step::gone;
  }
  auto next = step::more;
  while (next == step::more) {
    const auto waited = co_await socket_.async_wait(tcp_socket::wait_read, token);
    next = std::get<0>(waited) || closing_ || expired_ ? interrupted() : receive();
    if (next == step::ready)
      next = take_body();
  }
  co_return next;
}

asio::awaitable<void> connection::handle_later() {
  enter(phase::handler, shard_.bounds.request_timeout);
  bool failed = true;
  try {
    co_await work_->route->later(work_->req, work_->res);
    failed = false;
  } catch (const std::exception& e) {
    if (!expired_ && !closing_)
      handler_threw(e.what());
  } catch (...) {
    if (!expired_ && !closing_)
      handler_threw("something that is no std::exception");
  }
  // A handler that was cancelled usually throws; one that made it all the same is heard.
  if (failed && expired_ && phase_ == phase::cancelled) {
    fail_with(refusals::handler_timeout);
    keep_ = false;
  }
}

asio::awaitable<bool> connection::hand_over() {
  // The function object holds what its coroutine refers to.
  const auto f = std::move(work_->res.takeover_);
  work_->res.takeover_ = nullptr;
  struct counted {
    explicit counted(gauge& g) : streams(g) { streams.add(1); }
    ~counted() { streams.add(-1); }
    gauge& streams;
  } guard{counters_.streams};
  phase_ = phase::taken;
  expired_ = false;
  deadline_ = clock::time_point::max();
  stream self{*this};
  auto then = after::close;
  try {
    then = co_await f(self);
  } catch (const std::exception& e) {
    if (!closing_)
      handler_threw(e.what());
  } catch (...) {
    if (!closing_)
      handler_threw("something that is no std::exception");
  }
  on_drain_ = nullptr;
  phase_ = phase::write;
  const bool again = then == after::keep_alive && work_ && keep_ && !closing_ && !set().draining();
  co_return again;
}

asio::awaitable<bool> connection::flush_later() {
  enter(phase::write, shard_.bounds.write_timeout);
  auto mark = work_->sent;
  for (;;) {
    const auto waited = co_await socket_.async_wait(tcp_socket::wait_write, token);
    if (std::get<0>(waited) || closing_)
      co_return false;
    if (flush_now())
      co_return !broken_;
    if (work_->sent - mark >= write_progress) {
      mark = work_->sent;
      enter(phase::write, shard_.bounds.write_timeout);
    }
  }
}

asio::awaitable<void> connection::refuse() {
  counters_.bad_requests.add();
  fail_with(*refusal_);
  keep_ = false;
  finish_response();
  bool sent = flush_now();
  if (!sent)
    sent = co_await flush_later();
  if (sent && !broken_)
    co_await linger();
}

asio::awaitable<void> connection::linger() {
  boost::system::error_code ec;
  socket_.shutdown(tcp_socket::shutdown_send, ec);
  enter(phase::linger, linger_time);
  static thread_local std::array<char, 16 * 1024> nowhere;
  for (std::size_t left = linger_bytes; left > 0 && !closing_;) {
    const auto n =
        ::recv(socket_.native_handle(), nowhere.data(), std::min(left, nowhere.size()), MSG_DONTWAIT);
    if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR))
      co_return;
    if (n > 0) {
      left -= static_cast<std::size_t>(n);
      continue;
    }
    const auto waited = co_await socket_.async_wait(tcp_socket::wait_read, token);
    if (std::get<0>(waited))
      co_return;
  }
}

void connection::abort() {
  if (closing_)
    return;
  const auto self = shared_from_this();  // a cancelled handler may end everything at once
  closing_ = true;
  cancel_.emit(asio::cancellation_type::terminal);
  boost::system::error_code ec;
  socket_.close(ec);
}

void connection::drain() {
  const auto self = shared_from_this();
  if (phase_ == phase::idle && unread() == 0)
    abort();
  else if (phase_ == phase::taken && on_drain_)
    std::exchange(on_drain_, nullptr)();
}

void connection::enter(phase next, std::chrono::milliseconds timeout) {
  phase_ = next;
  expired_ = false;
  deadline_ = clock::now() + timeout;
  if (armed() && armed_for_ <= deadline_)
    return;
  armed_for_ = deadline_;
  shard_.timers.schedule(*this, deadline_);
}

void connection::on_timer() {
  if (deadline_ == clock::time_point::max())
    return;
  if (clock::now() >= deadline_)
    return expire();
  armed_for_ = deadline_;
  shard_.timers.schedule(*this, deadline_);
}

void connection::expire() {
  const auto self = shared_from_this();
  deadline_ = clock::time_point::max();
  boost::system::error_code ec;
  switch (phase_) {
    case phase::head:
    case phase::body:
      (phase_ == phase::head ? counters_.timeouts_header : counters_.timeouts_body).add();
      expired_ = true;
      socket_.cancel(ec);
      return;
    case phase::handler:
      counters_.timeouts_handler.add();
      enter(phase::cancelled, unwind_time);
      expired_ = true;
      cancel_.emit(asio::cancellation_type::terminal);
      return;
    case phase::cancelled: {
      // The handler does not listen. Nobody else writes now: the client is answered from here, the slot stays
      // taken.
      phase_ = phase::abandoned;
      const auto text = closing_answer(refusals::handler_timeout, 0);
      ::send(socket_.native_handle(), text.data(), text.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
      socket_.shutdown(tcp_socket::shutdown_both, ec);
      return;
    }
    case phase::write:
      counters_.timeouts_write.add();
      socket_.set_option(asio::socket_base::linger{true, 0},
                         ec);  // close() resets, and frees the send buffer
      return abort();
    case phase::idle:
      counters_.timeouts_idle.add();
      return abort();
    case phase::linger:
    case phase::taken:
      return abort();
    case phase::abandoned:
      return;
  }
}

tcp_socket& stream::socket() noexcept {
  return owner_.socket_;
}

const asio::ip::tcp::endpoint& stream::remote() const noexcept {
  return owner_.remote_;
}

request& stream::head() noexcept {
  return owner_.work_->req;
}

otp::timer_service& stream::timers() noexcept {
  return owner_.shard_.timers;
}

std::string stream::take_leftover() {
  auto& in = owner_.work_->in;
  std::string out{static_cast<const char*>(in.data().data()), in.size()};
  in.consume(in.size());
  return out;
}

void stream::release() noexcept {
  owner_.shard_.give_back(std::move(owner_.work_));
}

void stream::close_after(std::chrono::milliseconds delay) {
  if (delay.count() == 0)
    owner_.deadline_ = connection::clock::time_point::max();
  else
    owner_.enter(connection::phase::taken, delay);
}

bool stream::draining() const noexcept {
  return owner_.set().draining();
}

void stream::on_drain(std::function<void()> f) {
  owner_.on_drain_ = std::move(f);
}

void stream::count(std::size_t bytes_in, std::size_t bytes_out) noexcept {
  owner_.counters_.bytes_in.add(bytes_in);
  owner_.counters_.bytes_out.add(bytes_out);
}

}  // namespace cafmcp::transport
