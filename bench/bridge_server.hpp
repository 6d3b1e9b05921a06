#pragma once
// A WebSocket echo server on the contexts of a runtime, once with an actor for each connection between
// reading and writing and once without; all else is the same. Connections are handed out round-robin and stay
// where they are, as do their actors. Used from the thread that made the runtime.

#include <atomic>
#include <boost/asio/basic_socket_acceptor.hpp>
#include <unordered_set>
#include <vector>

#include "base/result.hpp"
#include "bench/net.hpp"
#include "supervisors/io_pool.hpp"

namespace cafmcp::otp {
class runtime;
}

namespace cafmcp::bench {

class bridge_connection;

class bridge_server {
 public:
  /// Will serve on all contexts of `runtime`, which outlives the server.
  bridge_server(otp::runtime& runtime, bool with_actors);

  /// Stops as `stop` does.
  ~bridge_server();

  /// Binds to `address` (port 0 takes a free one) and serves from now on. Errors: `io`, with the address.
  result<void> start(const tcp::endpoint& address);

  /// Where it listens, after `start`.
  tcp::endpoint address() const { return acceptor_.local_endpoint(); }

  /// Takes no more connections, closes those that are open and waits for their end. May be called again.
  void stop();

 private:
  task<void> accept();
  void spawn(const executor& where, task<void> coroutine);
  task<void> serve(tcp_socket socket, std::size_t index);

  otp::runtime& runtime_;
  bool with_actors_;
  tcp_acceptor acceptor_;
  // Those of each context, touched by its thread only.
  std::vector<std::unordered_set<bridge_connection*>> open_;
  std::atomic<std::size_t> coroutines_{0};
};

}  // namespace cafmcp::bench
