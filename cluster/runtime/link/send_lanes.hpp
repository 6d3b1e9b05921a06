#pragma once
// What a link has to send, in the order in which it goes out. Control goes first. Data keeps its order, is
// cut into fragments and goes as far as the peer's credit reaches; what has none waits here. What has its
// credit is one batch, so control waits behind one batch at most.
// Not thread-safe, but for `backlog`.

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <string>
#include <string_view>

#include "cluster/runtime/link/frame.hpp"

namespace cafmcp::cluster {

/// How many bytes of messages wait on this side, counted from the moment in which an actor sends; each
/// message with what it takes beside its bytes, so that many small ones are no way round the bound.
/// Thread-safe.
class backlog {
 public:
  /// What a message takes beside its bytes, about.
  static constexpr std::size_t message_bytes = 128;

  explicit backlog(std::size_t limit) noexcept : limit_(limit) {}

  /// Takes room for `bytes`; false if there is too little, and nothing is taken.
  bool reserve(std::size_t bytes) noexcept {
    if (bytes_.fetch_add(bytes, std::memory_order_relaxed) + bytes <= limit_)
      return true;
    release(bytes);
    return false;
  }

  /// Takes room that there may not be, for short frames that must go out. False: twice the limit is reached.
  bool force(std::size_t bytes) noexcept {
    return bytes_.fetch_add(bytes, std::memory_order_relaxed) + bytes <= 2 * limit_;
  }

  void release(std::size_t bytes) noexcept { bytes_.fetch_sub(bytes, std::memory_order_relaxed); }
  std::size_t bytes() const noexcept { return bytes_.load(std::memory_order_relaxed); }
  std::size_t limit() const noexcept { return limit_; }

 private:
  std::size_t limit_;
  std::atomic<std::size_t> bytes_{0};
};

/// The ids before a message, without an allocation.
struct message_head {
  message_head& put(std::uint64_t x) noexcept {
    for (; x >= 0x80; x >>= 7U)
      bytes[size++] = static_cast<char>(x | 0x80U);
    bytes[size++] = static_cast<char>(x);
    return *this;
  }
  std::string_view view() const noexcept { return {bytes, size}; }

  char bytes[30];
  std::uint8_t size = 0;
};

/// A message that has to wait. Head and payload stay apart, since putting large ones together would copy
/// them.
struct waiting_message {
  std::size_t size() const noexcept { return head.size + payload.size(); }

  frame_kind kind;
  message_head head;
  std::string payload;
};

/// The lanes.
class send_lanes {
 public:
  /// What is written in one go, about.
  static constexpr std::size_t batch_bytes = 128 << 10;

  /// Control frames that wait for a peer that doesn't read.
  static constexpr std::size_t max_control_bytes = 1 << 20;

  /// Bytes of messages that leave are released from `waiting`, which must outlive this.
  send_lanes(std::size_t fragment_bytes, backlog& waiting) noexcept
      : fragment_bytes_(fragment_bytes), backlog_(waiting) {}

  /// Adds a control frame. False: there are too many.
  bool control(frame_kind kind, std::string_view body);

  /// Adds a message, whose body is `head` and then `payload`; both are counted in the backlog. The payload is
  /// taken if it has to wait.
  void data(frame_kind kind, const message_head& head, std::string&& payload);

  /// The peer takes so many bytes more.
  void add_credit(std::int64_t bytes) noexcept { credit_ += bytes; }
  std::int64_t credit() const noexcept { return credit_; }

  /// The next bytes to write; false if there are none that may go.
  bool take(std::string& out);

  /// Forgets everything, for a link that is over.
  void clear();

 private:
  struct queued {
    std::size_t left() const noexcept { return message.size() - at; }

    waiting_message message;
    std::size_t at = 0;  // what has gone of the payload; the head is emptied when it has
  };

  bool goes_at_once(std::size_t bytes) const noexcept;
  void fill();

  std::size_t fragment_bytes_;
  backlog& backlog_;
  std::string control_;
  std::string batch_;
  std::deque<queued> queue_;
  std::int64_t credit_ = 0;
};

}  // namespace cafmcp::cluster
