#pragma once
// simdjson's on-demand parser over bytes that may end anywhere. It reads a little past the end, so a message
// without that much room behind it is copied first. One a thread or connection; thread-compatible.

#include <simdjson.h>

#include <string>
#include <string_view>

namespace cafmcp::bench {

class json_reader {
 public:
  /// How many bytes behind a message have to be readable to save the copy.
  static constexpr std::size_t room_needed = simdjson::SIMDJSON_PADDING;

  /// The document in `message`, behind which `room` bytes may be read. It refers to this, and to `message`,
  /// and ends with the next call.
  simdjson::simdjson_result<simdjson::ondemand::document> read(std::string_view message, std::size_t room) {
    if (room >= room_needed)
      return parser_.iterate(message.data(), message.size(), message.size() + room);
    copy_.reserve(message.size() + room_needed);
    copy_.assign(message);
    return parser_.iterate(copy_.data(), copy_.size(), copy_.capacity());
  }

 private:
  simdjson::ondemand::parser parser_;
  std::string copy_;
};

}  // namespace cafmcp::bench
