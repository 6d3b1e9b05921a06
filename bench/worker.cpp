#include "bench/worker.hpp"

#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/connect.hpp>
#include <boost/asio/detached.hpp>
#include <iterator>

namespace cafmcp::bench {

using namespace std::chrono_literals;

namespace {

// As many connects at once as fit into any sensible accept queue: one that overflows costs a second until the
// next try.
constexpr unsigned connects_at_once = 64;

// A local address has 28,000 ephemeral ports by default, so more connections than that take further loopback
// addresses.
constexpr unsigned connections_per_address = 20'000;

}  // namespace

waiter::waiter(worker& w) : worker_(w) {
  w.waiters_.insert(this);
}

waiter::~waiter() {
  worker_.waiters_.erase(this);
}

worker::worker(const plan& p, work_list& work, unsigned first, unsigned count, steady_clock::time_point begin,
               steady_clock::time_point end)
    : plan_(p), work_(work), next_(first), last_(first + count), begin_(begin), end_(end) {
  // Samples that are merged must have drawn different numbers.
  stats_.ids = id_sample{p.ids_file.empty() ? 0 : p.sample, p.seed + first};
}

void worker::run() {
  timer stop{context_, end_};
  stop.async_wait([this](error_code) { context_.stop(); });
  if (is_mcp(plan_.what))
    asio::co_spawn(context_.get_executor(), end_what_waits(), asio::detached);
  for (unsigned i = 0; i < connects_at_once; ++i)
    start_next();
  context_.run();
  count_unanswered();
}

// Looks at all that wait, seldom: nothing of this is on the way of a call.
task<void> worker::end_what_waits() {
  const auto often = std::clamp<steady_clock::duration>(plan_.timeout / 4, 10ms, 250ms);
  timer pause{context_};
  for (;;) {
    pause.expires_after(often);
    co_await pause.async_wait(awaiting);
    const auto latest = steady_clock::now() - plan_.timeout;
    std::vector<waiter*> late;
    std::copy_if(waiters_.begin(), waiters_.end(), std::back_inserter(late),
                 [&](waiter* w) { return w->waiting_since() < latest; });
    for (waiter* w : late) {  // none of them ends before the next operation of this thread
      failed(failure::timeout, "no answer in time");
      w->give_up();
    }
  }
}

void worker::count_unanswered() {
  const auto until = std::min(end_, steady_clock::now());
  for (const waiter* w : waiters_)
    if (const auto since = w->waiting_since(); since < until) {
      ++stats_.unanswered;
      stats_.oldest_unanswered = std::max(stats_.oldest_unanswered, std::chrono::nanoseconds{until - since});
    }
}

void worker::start_next() {
  if (next_ < last_)
    asio::co_spawn(context_.get_executor(), keep_connected(next_++), asio::detached);
}

void worker::failed(failure kind, std::string_view why, int status) {
  if (stats_.first_failure.empty())
    stats_.first_failure =
        std::string{to_string(kind)} + " at " + plan_.where.authority() + ": " + std::string{why};
  const auto now = steady_clock::now();
  if (now < begin_ || now >= end_)
    return;
  ++stats_.failures[static_cast<std::size_t>(kind)];
  if (kind == failure::status)
    ++stats_.statuses[status];
}

void worker::opened_session() {
  const auto now = steady_clock::now();
  if (now >= begin_ && now < end_)
    ++stats_.sessions;
}

void worker::answered_initialize(steady_clock::time_point sent, steady_clock::time_point now) {
  if (now >= begin_ && now < end_)
    stats_.initialize.record(static_cast<std::uint64_t>(std::chrono::nanoseconds{now - sent}.count()));
}

http_sessions worker::sessions_of(unsigned index) const {
  http_sessions out;
  if (plan_.what == mode::mcp_http)
    out.all.resize(plan_.sessions == 0 ? 1
                                       : plan_.sessions / plan_.connections +
                                             (index < plan_.sessions % plan_.connections ? 1 : 0));
  if (plan_.use == session_use::keep && !plan_.ids.empty())
    for (std::size_t i = 0; i < out.all.size(); ++i)
      out.all[i] = {session_fields(plan_.ids[index + i * plan_.connections], session_revision), true, true};
  return out;
}

task<bool> worker::exchange(tcp_socket socket, http_sessions& sessions) {
  switch (plan_.what) {
    case mode::ws_echo:
      return exchange_ws_echo(*this, std::move(socket));
    case mode::mcp_http:
      if (plan_.use == session_use::open)
        return exchange_open(*this, std::move(socket), sessions);
      if (plan_.use == session_use::resume)
        return exchange_resume(*this, std::move(socket), sessions);
      return exchange_mcp_http(*this, std::move(socket), sessions);
    case mode::mcp_ws:
      return exchange_mcp_ws(*this, std::move(socket));
    default:
      return exchange_http(*this, std::move(socket));
  }
}

task<error_code> worker::open(tcp_socket& socket, unsigned index) {
  error_code ec;
  socket.open(plan_.address.protocol(), ec);
  if (const unsigned host = index / connections_per_address;
      !ec && host > 0 && plan_.address.address().is_v4())
    socket.bind({asio::ip::address_v4{asio::ip::address_v4::loopback().to_uint() + host}, 0}, ec);
  if (ec)
    co_return ec;
  auto [connect_ec] = co_await socket.async_connect(plan_.address, awaiting);
  if (!connect_ec)
    prepare(socket, connect_ec);
  co_return connect_ec;
}

task<void> worker::keep_connected(unsigned index) {
  constexpr steady_clock::duration shortest = 10ms;
  constexpr steady_clock::duration longest = 1s;
  timer pause{context_};
  http_sessions sessions = sessions_of(index);
  auto wait = shortest;
  bool first_try = true;
  bool connected_before = false;
  for (;;) {
    tcp_socket socket{context_};
    const error_code ec = co_await open(socket, index);
    if (std::exchange(first_try, false))
      start_next();
    bool useful = false;
    if (ec) {
      failed(failure::connect, ec.message());
    } else {
      ++stats_.connects;
      if (std::exchange(connected_before, true))
        ++stats_.reconnects;
      useful = co_await exchange(std::move(socket), sessions);
    }
    if (useful) {
      wait = shortest;
      continue;
    }
    // A server that refuses is not helped by being asked at full speed.
    pause.expires_after(wait);
    co_await pause.async_wait(awaiting);
    wait = std::min(2 * wait, longest);
  }
}

}  // namespace cafmcp::bench
