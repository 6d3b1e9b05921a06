#pragma once
// What waits to be written to a socket: a queue of pieces that are sent with as few system calls as the
// kernel allows, many at once, each from where it is. Nothing is copied: a message stays the string that it
// came as, with a few bytes of framing before and behind it. `flush` never waits; whoever owns the socket
// waits for it to become writable. Not thread-safe: belongs to one connection.

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace cafmcp::transport {

/// The queue.
class outbox {
 public:
  /// What `flush` came to.
  enum class state : unsigned char {
    empty,    ///< all is sent
    blocked,  ///< the kernel takes no more now
    broken,   ///< the connection is gone
  };

  /// Queues `head`, `body` and `tail`, which must be static text. Short heads cost no allocation.
  void push(std::string head, std::string body = {}, std::string_view tail = {});

  /// Sends what the kernel takes now.
  state flush(int fd);

  /// Takes out all pieces of which nothing has been sent (with `begun`: not all), and returns their bodies,
  /// but for empty ones.
  std::vector<std::string> take_unsent(bool begun = false);

  /// The memory that is waiting: unsent pieces, and what the queue itself needs for each.
  std::size_t bytes() const noexcept { return bytes_; }

  bool empty() const noexcept { return first_ == pieces_.size(); }

 private:
  struct piece {
    std::string head;
    std::string body;
    std::string_view tail;

    std::size_t size() const noexcept { return head.size() + body.size() + tail.size(); }
  };

  void taken(std::size_t n);

  std::vector<piece> pieces_;
  std::size_t first_ = 0;  // the first piece that is not sent
  std::size_t sent_ = 0;   // so much of it is
  std::size_t bytes_ = 0;
};

}  // namespace cafmcp::transport
