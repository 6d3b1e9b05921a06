#pragma once
// What a link's byte stream is made of: frames of at most a few dozen KiB, `u32 length, u8 kind, u8 flags,
// body` in little endian. Two lanes: control frames are short and overtake data; data frames keep their
// order, carry the messages, large ones in several frames (`more`), and spend the receiver's credit.
// Not thread-safe.

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace cafmcp::cluster {

/// What a frame says. The numbers are the protocol.
enum class frame_kind : std::uint8_t {
  // The control lane.
  ping = 1,      ///< a time of the sender's, to be sent back
  pong,          ///< that time
  credit,        ///< so many more bytes of data may come
  actor_credit,  ///< the same for one receiving actor

  // The data lane.
  release = 16,  ///< handles that nobody holds any more, with how often they were received
  lookup,        ///< a request for the actor with a name
  message,       ///< a message to an actor
  request,       ///< a message that wants an answer
  response,      ///< the answer
  down,          ///< an actor has ended
  stop,          ///< an actor is asked to end
};

/// Whether frames of that kind go ahead of data.
constexpr bool is_control(frame_kind kind) noexcept {
  return kind < frame_kind::release;
}

/// Bytes before a frame's body.
inline constexpr std::size_t frame_header_bytes = 6;

/// One frame; `body` points into the reader's buffer.
struct frame {
  frame_kind kind{};
  bool more = false;  ///< the next frame goes on where this one ends
  std::string_view body;
};

/// Appends a header, which `body_bytes` bytes must follow.
void append_frame_header(std::string& out, frame_kind kind, std::size_t body_bytes, bool more);

/// Appends a whole frame.
void append_frame(std::string& out, frame_kind kind, std::string_view body, bool more = false);

/// Cuts frames out of a byte stream that may be anything.
class frame_reader {
 public:
  enum class outcome : std::uint8_t { frame, incomplete, broken };

  /// A body of more than `max_body_bytes` breaks the stream.
  explicit frame_reader(std::size_t max_body_bytes);

  /// Where the next bytes of the stream go; never empty. Frames handed out before are gone.
  std::span<char> space();

  /// So many bytes were put there.
  void filled(std::size_t bytes) noexcept { end_ += bytes; }

  /// The next whole frame. A broken stream stays broken. Flags that nobody knows break it.
  outcome next(frame& out);

  /// Gives the memory back; for a stream that is over.
  void drop();

 private:
  std::size_t max_body_bytes_;
  std::vector<char> buffer_;
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
};

}  // namespace cafmcp::cluster
