#include "bench/worker.hpp"

#include <sys/resource.h>

#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/connect.hpp>
#include <boost/asio/detached.hpp>
#include <memory>
#include <thread>

namespace cafmcp::bench {

using namespace std::chrono_literals;

namespace {

// As many connects at once as fit into any sensible accept queue: one that overflows costs a second until the
// next try.
constexpr unsigned connects_at_once = 64;

// A local address has 28,000 ephemeral ports by default, so more connections than that take further loopback
// addresses.
constexpr unsigned connections_per_address = 20'000;

result<void> raise_file_limit(unsigned connections) {
  rlimit limit{};
  getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
  const rlim_t wanted = connections + rlim_t{64} + 4 * max_threads;
  if (limit.rlim_max >= wanted)
    return {};
  return fail(errc::invalid, std::to_string(connections) + " connections need a limit of " +
                                 std::to_string(wanted) + " open files, and the hard limit is " +
                                 std::to_string(limit.rlim_max) + ": raise it with ulimit -Hn");
}

}  // namespace

worker::worker(const plan& p, unsigned first, unsigned count, steady_clock::time_point begin,
               steady_clock::time_point end)
    : plan_(p), next_(first), last_(first + count), begin_(begin), end_(end) {}

void worker::run() {
  timer stop{context_, end_};
  stop.async_wait([this](error_code) { context_.stop(); });
  for (unsigned i = 0; i < connects_at_once; ++i)
    start_next();
  context_.run();
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
      useful = plan_.what == mode::ws_echo ? co_await exchange_ws_echo(*this, std::move(socket))
                                           : co_await exchange_http(*this, std::move(socket));
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

result<stats> run_load(const plan& p) {
  if (auto raised = raise_file_limit(p.connections); raised.has_error())
    return raised.error();
  {
    asio::io_context context;
    tcp::socket probe{context};
    error_code ec;
    probe.connect(p.address, ec);
    if (ec)
      return fail(errc::unavailable, "cannot connect to " + p.where.authority() + ": " + ec.message());
  }
  const auto begin = steady_clock::now() + p.warmup;
  std::vector<std::unique_ptr<worker>> workers;
  unsigned first = 0;
  for (unsigned i = 0; i < p.threads; ++i) {
    const unsigned count = p.connections / p.threads + (i < p.connections % p.threads ? 1 : 0);
    workers.push_back(std::make_unique<worker>(p, first, count, begin, begin + p.duration));
    first += count;
  }
  {
    std::vector<std::jthread> threads;
    for (unsigned i = 1; i < p.threads; ++i)
      threads.emplace_back([&w = *workers[i]] { w.run(); });
    workers[0]->run();
  }
  stats all;
  for (const auto& w : workers)
    all.merge(w->counted());
  return all;
}

}  // namespace cafmcp::bench
