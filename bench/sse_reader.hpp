#pragma once
// Server-sent events as the WHATWG's specification has them, as far as MCP needs: the data of each event.
// Takes a stream in pieces of any size and tells `Sink` about each event that has data; fields other than
// `data` and comments are passed over. Bounded: an event above the limit ends the reading. Thread-compatible.

#include <string>
#include <string_view>

namespace cafmcp::bench {

class sse_reader {
 public:
  /// Takes events with up to `limit` bytes of data, and lines up to that and a little more.
  explicit sse_reader(std::size_t limit) : limit_(limit) {}

  /// Begins a new stream; what was begun is dropped.
  void clear();

  /// Takes the next piece; `event(std::string&)` is called for each event that it completes, and may swap the
  /// string. False when an event is too long.
  template <class Sink>
  bool take(std::string_view piece, Sink&& event) {
    while (!piece.empty()) {
      const auto end = piece.find_first_of("\r\n");
      if (!add(piece.substr(0, end)))
        return false;
      if (end == std::string_view::npos)
        break;
      // A line ends with \r, \n or both; the \n of a pair may come with the next piece.
      const bool second_half = piece[end] == '\n' && end == 0 && after_return_ && line_.empty();
      after_return_ = piece[end] == '\r';
      piece.remove_prefix(end + 1);
      if (second_half)
        continue;
      if (end_line()) {
        event(data_);
        data_.clear();
      }
      if (data_.size() > limit_)
        return false;
    }
    return true;
  }

 private:
  bool add(std::string_view piece);
  bool end_line();  // true when it ended an event with data

  std::size_t limit_;
  std::string line_;
  std::string data_;
  bool has_data_ = false;
  bool after_return_ = false;
};

}  // namespace cafmcp::bench
