#include "bench/echo_server.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <thread>

namespace cafmcp::bench {

namespace {

// A context a thread, each told that no other thread runs it.
std::vector<std::unique_ptr<asio::io_context>> make_contexts(unsigned threads) {
  std::vector<std::unique_ptr<asio::io_context>> out;
  for (unsigned i = 0; i < threads; ++i)
    out.push_back(std::make_unique<asio::io_context>(1));
  return out;
}

}  // namespace

echo_server::echo_server(unsigned threads, answering how)
    : contexts_(make_contexts(threads)), acceptor_(*contexts_.front()), how_(how) {}

result<void> echo_server::listen(const tcp::endpoint& address) {
  return listen_on(acceptor_, address);
}

task<void> echo_server::accept() {
  timer pause{*contexts_.front()};
  for (std::size_t next = 0;; next = (next + 1) % contexts_.size()) {
    tcp_socket socket{*contexts_[next]};
    auto [ec] = co_await acceptor_.async_accept(socket, awaiting);
    if (!ec)
      prepare(socket, ec);
    if (ec) {
      // Out of file descriptors, most likely: to try again at once would only burn the core.
      pause.expires_after(std::chrono::milliseconds{10});
      co_await pause.async_wait(awaiting);
      continue;
    }
    asio::co_spawn(contexts_[next]->get_executor(), serve(std::move(socket), how_), asio::detached);
  }
}

void echo_server::run() {
  asio::co_spawn(first_context().get_executor(), accept(), asio::detached);
  std::vector<std::jthread> threads;
  for (std::size_t i = 1; i < contexts_.size(); ++i)
    threads.emplace_back([&context = *contexts_[i]] {
      const auto work = asio::make_work_guard(context);
      context.run();
    });
  first_context().run();
}

void echo_server::stop() {
  for (auto& context : contexts_)
    context->stop();
}

}  // namespace cafmcp::bench
