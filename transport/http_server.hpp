#pragma once
// The accepting part of an HTTP port: a loop on one context that takes connections from a listening socket
// and gives them to a `connection_set`. It works on a duplicate of the socket: it may die, or be destroyed,
// while the socket stays open and the connections go on, and another object may then accept from the same
// socket into the same set. Errors of accept(2) never end the loop: it counts them, sheds waiting clients
// with a reserve descriptor when the process has none left, and tries again after a pause. The object is
// thread-compatible; destroy it in any order relative to stopping or destroying the pool.

#include <memory>

#include "base/listener.hpp"
#include "base/result.hpp"
#include "supervisors/io_pool.hpp"
#include "transport/connection_set.hpp"

namespace cafmcp::transport {

class accept_loop;

/// Accepts connections.
class http_server {
 public:
  /// Will accept from `socket`, on context `context` of the pool, into `connections`.
  http_server(otp::io_pool& pool, const net::listener& socket, std::shared_ptr<connection_set> connections,
              std::size_t context = 0);
  http_server(const http_server&) = delete;
  http_server& operator=(const http_server&) = delete;

  /// Stops accepting.
  ~http_server();

  /// Starts to accept. `errc::io` if there are no descriptors left; may be tried again then.
  result<void> start();

  /// Stops accepting, soon; clients wait in the backlog of the listening socket from then on. May be called
  /// again.
  void stop_accepting();

  /// The connections, to drain them or to give them to a successor.
  const std::shared_ptr<connection_set>& connections() const noexcept { return connections_; }

 private:
  otp::io_pool& pool_;
  const int fd_;
  const boost::asio::ip::tcp::endpoint endpoint_;
  const std::size_t context_;
  std::shared_ptr<connection_set> connections_;
  std::weak_ptr<accept_loop> loop_;  // its pending operations hold it, so that it never outlives its context
};

}  // namespace cafmcp::transport
