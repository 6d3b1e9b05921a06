#pragma once
// A listening socket: nothing but the descriptor and its address. It lives in `main()`, so that it outlives
// the servers that accept from it: while a supervisor starts a new one, clients wait in the backlog instead
// of being refused. Movable; thread-compatible.

#include <boost/asio/ip/tcp.hpp>
#include <cstdint>
#include <string>
#include <utility>

#include "base/result.hpp"

namespace cafmcp::net {

/// A file descriptor that closes itself.
class unique_fd {
 public:
  unique_fd() = default;
  explicit unique_fd(int fd) noexcept : fd_(fd) {}
  unique_fd(unique_fd&& other) noexcept : fd_(other.release()) {}
  unique_fd& operator=(unique_fd&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  ~unique_fd() { reset(); }

  int get() const noexcept { return fd_; }
  explicit operator bool() const noexcept { return fd_ >= 0; }
  int release() noexcept { return std::exchange(fd_, -1); }
  void reset() noexcept;

 private:
  int fd_ = -1;
};

/// A listening socket and its address.
class listener {
 public:
  listener(unique_fd fd, boost::asio::ip::tcp::endpoint endpoint) noexcept
      : fd_(std::move(fd)), endpoint_(std::move(endpoint)) {}

  int fd() const noexcept { return fd_.get(); }

  /// Where it listens, with the port that was picked.
  const boost::asio::ip::tcp::endpoint& endpoint() const noexcept { return endpoint_; }

 private:
  unique_fd fd_;
  boost::asio::ip::tcp::endpoint endpoint_;
};

/// Listens on `host` (an address, a name, or empty for all addresses) and `port` (0 picks a free one).
/// Resolving a name blocks. Errors are `errc::io` with a line for the user.
result<listener> listen(const std::string& host, std::uint16_t port, int backlog = 4096);

}  // namespace cafmcp::net
