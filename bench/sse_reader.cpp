#include "bench/sse_reader.hpp"

#include <algorithm>
#include <utility>

namespace cafmcp::bench {

namespace {

constexpr std::size_t room_for_field_name = 64;

}  // namespace

void sse_reader::clear() {
  line_.clear();
  data_.clear();
  has_data_ = after_return_ = false;
}

bool sse_reader::add(std::string_view piece) {
  if (piece.empty())
    return true;
  after_return_ = false;
  if (line_.size() + piece.size() > limit_ + room_for_field_name)
    return false;
  line_ += piece;
  return true;
}

bool sse_reader::end_line() {
  if (line_.empty())
    return std::exchange(has_data_, false);
  std::string_view line = line_;
  if (line == "data" || line.starts_with("data:")) {
    line.remove_prefix(std::min<std::size_t>(line.size(), 5));
    if (line.starts_with(' '))
      line.remove_prefix(1);
    if (std::exchange(has_data_, true))
      data_ += '\n';
    data_ += line;
  }
  line_.clear();
  return false;
}

}  // namespace cafmcp::bench
