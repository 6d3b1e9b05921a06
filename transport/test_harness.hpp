#pragma once
// For tests: a server on a free loopback port with real threads, and a raw blocking client. Everything that
// waits has a deadline. Thread-compatible.

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

#include <chrono>
#include <cstdlib>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/listener.hpp"
#include "transport/http_server.hpp"

namespace cafmcp::transport::test {

/// Waits until `f` is true; false after 20 s.
inline bool eventually(const std::function<bool()>& f) {
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds{20};
  while (!f()) {
    if (std::chrono::steady_clock::now() > end)
      return false;
    ::poll(nullptr, 0, 1);
  }
  return true;
}

/// A response as it came; `status` 0 means that it is none, or that the connection ended in it.
struct reply {
  int status = 0;
  std::string head;
  std::string body;

  bool has(std::string_view line) const { return head.find(line) != std::string::npos; }
};

/// A TCP client that sends and reads what the test says.
class client {
 public:
  explicit client(std::uint16_t port) : fd_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    connect(port);
  }

  /// A client whose descriptor is made now, to be connected later.
  client() : fd_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {}

  bool connect(std::uint16_t port) {
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_port = htons(port);
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return ::connect(fd_.get(), reinterpret_cast<const sockaddr*>(&to), sizeof to) == 0;
  }

  int fd() const { return fd_.get(); }
  void close() { fd_.reset(); }
  void half_close() { ::shutdown(fd_.get(), SHUT_WR); }

  /// Sends all of it, as far as the other side takes it; how much that was.
  std::size_t send(std::string_view text) {
    std::size_t sent = 0;
    while (sent < text.size()) {
      const auto n = ::send(fd_.get(), text.data() + sent, text.size() - sent, MSG_NOSIGNAL);
      if (n <= 0)
        break;
      sent += static_cast<std::size_t>(n);
    }
    return sent;
  }

  /// Reads more into the buffer; false at the end of the connection, or after 20 s.
  bool fill() {
    pollfd p{fd_.get(), POLLIN, 0};
    if (::poll(&p, 1, 20'000) <= 0)
      return false;
    char part[16 * 1024];
    const auto n = ::recv(fd_.get(), part, sizeof part, 0);
    reset_ = reset_ || n < 0;
    if (n <= 0)
      return false;
    buffer_.append(part, static_cast<std::size_t>(n));
    return true;
  }

  /// The next response; `head_only` for an answer to HEAD.
  reply read(bool head_only = false) {
    reply out;
    auto end = std::string::npos;
    while ((end = buffer_.find("\r\n\r\n")) == std::string::npos)
      if (!fill())
        return out;
    out.head = buffer_.substr(0, end + 2);
    std::size_t size = 0;
    if (const auto at = out.head.find("Content-Length: "); at != std::string::npos && !head_only)
      size = std::strtoul(out.head.c_str() + at + 16, nullptr, 10);
    while (buffer_.size() < end + 4 + size)
      if (!fill())
        return out;
    out.body = buffer_.substr(end + 4, size);
    buffer_.erase(0, end + 4 + size);
    out.status = out.head.starts_with("HTTP/1.1 ") ? std::atoi(out.head.c_str() + 9) : 0;
    return out;
  }

  reply ask(std::string_view text) {
    send(text);
    return read();
  }

  /// Reads exactly `size` bytes, or less at the end.
  std::string take(std::size_t size) {
    while (buffer_.size() < size && fill()) {
    }
    auto out = buffer_.substr(0, size);
    buffer_.erase(0, size);
    return out;
  }

  /// Whether the other side closes (or resets) and sends nothing more.
  bool ended() {
    while (buffer_.empty() && fill()) {
    }
    return buffer_.empty() && ended_now();
  }

  /// Reads and drops everything; whether the other side then said good-bye, instead of resetting the
  /// connection.
  bool drops_to_clean_end() {
    while (fill()) {
    }
    char c = 0;
    return ::recv(fd_.get(), &c, 1, MSG_DONTWAIT) == 0 && !reset_;
  }

 private:
  bool ended_now() const {
    pollfd p{fd_.get(), POLLIN, 0};
    char c = 0;
    return ::poll(&p, 1, 0) == 1 && ::recv(fd_.get(), &c, 1, MSG_PEEK | MSG_DONTWAIT) <= 0;
  }

  net::unique_fd fd_;
  std::string buffer_;
  bool reset_ = false;
};

/// A door that coroutine handlers wait at. Thread-safe.
class gate {
 public:
  explicit gate(bool deaf = false) : deaf_(deaf) {}

  /// Waits until `open`; throws if cancelled, unless the gate is deaf to that.
  asio::awaitable<void> pass();

  /// Lets all pass that are waiting now.
  void open();

  std::size_t waiting() const { return waiting_.load(); }

 private:
  struct place;
  const bool deaf_;
  std::atomic<std::size_t> waiting_{0};
  std::mutex mutex_;
  std::vector<std::weak_ptr<place>> places_;  // weak: a timer must not outlive its context
};

/// The byte at `i` of the answer of GET /big.
inline char big_byte(std::size_t i) {
  return static_cast<char>('a' + i % 23);
}

/// A whole server. Routes: GET /hello, POST /echo (body), GET /big (4 MiB), GET /throw, GET /later, GET
/// /later-throw, GET /gate, GET /deaf, GET /close, any method on /any, GET /tree/…, and GET /raw, which takes
/// the connection over.
struct harness {
  explicit harness(const limits& bounds = {}, std::size_t threads = 2);
  ~harness();

  std::uint16_t port() const { return socket->endpoint().port(); }
  std::unique_ptr<http_server> make_server() { return std::make_unique<http_server>(*pool, *socket, set); }
  std::int64_t open() const { return counters->open.get(); }

  gate door;
  gate deaf_door{true};
  std::atomic<int> told_to_drain{0};
  std::atomic<int> events{0};
  std::shared_ptr<metrics> counters = std::make_shared<metrics>();
  std::optional<net::listener> socket;
  std::unique_ptr<otp::io_pool> pool;
  std::shared_ptr<connection_set> set;
  std::unique_ptr<http_server> server;
};

inline const std::string hello = "GET /hello HTTP/1.1\r\nHost: x\r\n\r\n";

}  // namespace cafmcp::transport::test
