#pragma once
// The bare server that is the ceiling of every comparison: Beast, one `io_context` and thread a core,
// coroutines, no actors, sessions, limits or timeouts. It answers MCP messages over HTTP (`POST /mcp`) and
// WebSocket (upgrade on any path) on one port. Connections are handed out round-robin and stay where they
// are.

#include <boost/asio/basic_socket_acceptor.hpp>
#include <memory>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "bench/net.hpp"

namespace cafmcp::bench {

/// How the bare server answers.
enum class answering : unsigned char {
  text,  ///< a JSON-RPC result with the message's text, whatever the method (`answer.hpp`)
  raw,   ///< likewise over HTTP; WebSocket messages are returned as they are
  mcp,   ///< as an MCP server does, with canned results (`canned.hpp`)
};

class echo_server {
 public:
  /// Will use `threads` contexts.
  echo_server(unsigned threads, answering how);

  /// Binds to `address`; port 0 takes a free one. Errors: `io`, with the address.
  result<void> listen(const tcp::endpoint& address);

  /// Where it listens, after `listen`.
  tcp::endpoint address() const { return acceptor_.local_endpoint(); }

  /// Serves until `stop`, with this thread as one of its threads.
  void run();

  /// Ends `run`. Thread-safe, and allowed before `run`.
  void stop();

  /// The context of the thread that calls `run`, for signals.
  asio::io_context& first_context() { return *contexts_.front(); }

 private:
  task<void> accept();

  std::vector<std::unique_ptr<asio::io_context>> contexts_;
  tcp_acceptor acceptor_;
  answering how_;
};

/// Serves one connection until its end; goes on as WebSocket when the peer asks for it. In
/// `echo_connection.cpp`.
task<void> serve(tcp_socket socket, answering how);

}  // namespace cafmcp::bench
