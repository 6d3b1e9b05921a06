#include "cluster/runtime/link/frame.hpp"

#include <cstring>

namespace cafmcp::cluster {

namespace {

constexpr std::uint8_t more_flag = 1;

// Beside one frame of the largest size, so that small ones are read many at a time.
constexpr std::size_t read_ahead_bytes = 128 << 10;

}  // namespace

void append_frame_header(std::string& out, frame_kind kind, std::size_t body_bytes, bool more) {
  const auto length = static_cast<std::uint32_t>(body_bytes);
  char head[frame_header_bytes];
  std::memcpy(head, &length, sizeof length);
  head[4] = static_cast<char>(kind);
  head[5] = static_cast<char>(more ? more_flag : 0);
  out.append(head, sizeof head);
}

void append_frame(std::string& out, frame_kind kind, std::string_view body, bool more) {
  append_frame_header(out, kind, body.size(), more);
  out.append(body);
}

frame_reader::frame_reader(std::size_t max_body_bytes)
    : max_body_bytes_(max_body_bytes), buffer_(max_body_bytes + frame_header_bytes + read_ahead_bytes) {}

std::span<char> frame_reader::space() {
  // What is left is part of one frame, and there is room for all of it.
  if (begin_ > 0) {
    std::memmove(buffer_.data(), buffer_.data() + begin_, end_ - begin_);
    end_ -= begin_;
    begin_ = 0;
  }
  return {buffer_.data() + end_, buffer_.size() - end_};
}

frame_reader::outcome frame_reader::next(frame& out) {
  const auto have = end_ - begin_;
  if (have < frame_header_bytes)
    return outcome::incomplete;
  const auto* head = buffer_.data() + begin_;
  std::uint32_t length = 0;
  std::memcpy(&length, head, sizeof length);
  const auto flags = static_cast<std::uint8_t>(head[5]);
  if (length > max_body_bytes_ || flags > more_flag)
    return outcome::broken;
  if (have < frame_header_bytes + length)
    return outcome::incomplete;
  out.kind = static_cast<frame_kind>(head[4]);
  out.more = flags == more_flag;
  out.body = {head + frame_header_bytes, length};
  begin_ += frame_header_bytes + length;
  return outcome::frame;
}

void frame_reader::drop() {
  buffer_ = {};
  begin_ = end_ = 0;
}

}  // namespace cafmcp::cluster
