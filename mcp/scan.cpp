#include "mcp/scan.hpp"

#include <simdjson.h>

#include <algorithm>
#include <bit>
#include <bitset>
#include <cstdint>
#include <cstring>

#include "base/assert.hpp"
#include "mcp/text.hpp"

namespace cafmcp::mcp {
namespace {

static_assert(std::endian::native == std::endian::little, "the first marked byte is the lowest one");

constexpr std::uint64_t each_byte = 0x0101010101010101ULL;

/// Marks the bytes of `word` that end a run of plain string characters: `"`, `\` and control characters. The
/// lowest mark is exact; a borrow can only make false ones above it.
std::uint64_t specials(std::uint64_t word) noexcept {
  const auto zeros = [](std::uint64_t w) { return (w - each_byte) & ~w; };
  const auto control = (word - each_byte * 0x20) & ~word;
  return (control | zeros(word ^ each_byte * '"') | zeros(word ^ each_byte * '\\')) & each_byte * 0x80;
}

bool is_digit(char c) noexcept {
  return c >= '0' && c <= '9';
}

}  // namespace

char scanner::peek() noexcept {
  while (at_ != end_ && (*at_ == ' ' || *at_ == '\n' || *at_ == '\r' || *at_ == '\t')) {
    ++at_;
  }
  return at_ == end_ ? '\0' : *at_;
}

bool scanner::at_end() noexcept {
  peek();
  return at_ == end_;
}

bool scanner::take(char c) noexcept {
  if (peek() != c || at_ == end_) {
    return false;
  }
  ++at_;
  return true;
}

int scanner::separator(char closer) noexcept {
  if (take(',')) {
    return 1;
  }
  return take(closer) ? 0 : -1;
}

bool scanner::string(bool& escaped) noexcept {
  ++at_;
  for (;;) {
    while (end_ - at_ >= 8) {
      std::uint64_t word;
      std::memcpy(&word, at_, sizeof word);
      if (const auto marks = specials(word)) {
        at_ += std::countr_zero(marks) / 8;
        break;
      }
      at_ += 8;
    }
    while (at_ != end_ && static_cast<unsigned char>(*at_) >= 0x20 && *at_ != '"' && *at_ != '\\') {
      ++at_;
    }
    if (at_ == end_ || static_cast<unsigned char>(*at_) < 0x20) {
      return false;
    }
    if (*at_++ == '"') {
      return true;
    }
    escaped = true;
    if (!escape()) {
      return false;
    }
  }
}

bool scanner::hex_digits(unsigned& value) noexcept {
  if (end_ - at_ < 4) {
    return false;
  }
  value = 0;
  for (int i = 0; i < 4; ++i, ++at_) {
    const char c = *at_;
    const char lower = static_cast<char>(c | 0x20);
    if (!is_digit(c) && (lower < 'a' || lower > 'f')) {
      return false;
    }
    value = value << 4 | static_cast<unsigned>(is_digit(c) ? c - '0' : lower - 'a' + 10);
  }
  return true;
}

bool scanner::escape() noexcept {
  if (at_ == end_) {
    return false;
  }
  const char c = *at_++;
  if (c != 'u') {
    return c != '\0' && std::strchr("\"\\/bfnrt", c) != nullptr;
  }
  unsigned value = 0;
  if (!hex_digits(value) || (value >= 0xDC00 && value < 0xE000)) {
    return false;
  }
  if (value < 0xD800 || value >= 0xE000) {
    return true;
  }
  if (end_ - at_ < 6 || at_[0] != '\\' || at_[1] != 'u') {
    return false;
  }
  at_ += 2;
  return hex_digits(value) && value >= 0xDC00 && value < 0xE000;
}

bool scanner::digits() noexcept {
  const char* begin = at_;
  while (at_ != end_ && is_digit(*at_)) {
    ++at_;
  }
  return at_ != begin;
}

bool scanner::number() noexcept {
  const auto next_is = [this](char c) { return at_ != end_ && *at_ == c; };
  if (next_is('-')) {
    ++at_;
  }
  if (next_is('0')) {
    ++at_;
  } else if (!digits()) {
    return false;
  }
  if (next_is('.')) {
    ++at_;
    if (!digits()) {
      return false;
    }
  }
  if (next_is('e') || next_is('E')) {
    ++at_;
    if (next_is('+') || next_is('-')) {
      ++at_;
    }
    return digits();
  }
  return true;
}

bool scanner::literal(std::string_view text) noexcept {
  if (static_cast<std::size_t>(end_ - at_) < text.size() || std::string_view(at_, text.size()) != text) {
    return false;
  }
  at_ += text.size();
  return true;
}

bool scanner::scalar() noexcept {
  bool escaped = false;
  switch (peek()) {
    case '"':
      return string(escaped);
    case 't':
      return literal("true");
    case 'f':
      return literal("false");
    case 'n':
      return literal("null");
    default:
      return number();
  }
}

bool scanner::key() noexcept {
  bool escaped = false;
  return peek() == '"' && string(escaped) && take(':');
}

scan_status scanner::value(std::size_t open) noexcept {
  CAFMCP_ASSERT(max_depth_ <= max_scan_depth);
  std::bitset<max_scan_depth> objects;  // of the containers opened here, which are objects
  std::size_t level = 0;
  for (;;) {
    const char c = peek();
    if (c == '{' || c == '[') {
      if (open + level >= max_depth_) {
        return scan_status::too_deep;
      }
      objects[level++] = c == '{';
      ++at_;
      if (!take(c == '{' ? '}' : ']')) {
        if (c == '{' && !key()) {
          return scan_status::syntax;
        }
        continue;
      }
      --level;
    } else if (!scalar()) {
      return scan_status::syntax;
    }
    int more = 0;
    while (level > 0 && (more = separator(objects[level - 1] ? '}' : ']')) == 0) {
      --level;
    }
    if (level == 0) {
      return scan_status::ok;
    }
    if (more < 0 || (objects[level - 1] && !key())) {
      return scan_status::syntax;
    }
  }
}

bool scanner::member(std::span<field> wanted, field*& found) noexcept {
  found = nullptr;
  if (peek() != '"') {
    return false;
  }
  const char* begin = at_ + 1;
  bool escaped = false;
  if (!string(escaped)) {
    return false;
  }
  const std::string_view name(begin, static_cast<std::size_t>(at_ - begin - 1));
  // A name may be written with escapes: "\u0069d" is "id".
  const auto matches = [&](const field& f) { return escaped ? unescape(name) == f.name : name == f.name; };
  const auto it = std::find_if(wanted.begin(), wanted.end(), matches);
  if (it != wanted.end()) {
    found = &*it;
  }
  return take(':');
}

scan_status scanner::object(std::span<field> wanted) noexcept {
  if (!take('{')) {
    return scan_status::syntax;
  }
  if (take('}')) {
    return scan_status::ok;
  }
  for (;;) {
    field* found = nullptr;
    if (!member(wanted, found)) {
      return scan_status::syntax;
    }
    peek();
    const char* begin = at_;
    if (const auto status = value(1); status != scan_status::ok) {
      return status;
    }
    if (found != nullptr) {
      found->repeated = found->repeated || !found->value.empty();
      found->value = std::string_view(begin, static_cast<std::size_t>(at_ - begin));
    }
    if (const int more = separator('}'); more <= 0) {
      return more == 0 ? scan_status::ok : scan_status::syntax;
    }
  }
}

bool valid_json(std::string_view bytes, std::size_t max_depth) noexcept {
  scanner scan(bytes, max_depth);
  return simdjson::validate_utf8(bytes.data(), bytes.size()) && scan.value() == scan_status::ok &&
         scan.at_end();
}

bool read_fields(std::string_view object, std::span<field> wanted) noexcept {
  scanner scan(object, max_scan_depth);
  return scan.object(wanted) != scan_status::ok ||
         std::none_of(wanted.begin(), wanted.end(), [](const field& f) { return f.repeated; });
}

bool is_integer(std::string_view raw) noexcept {
  if (raw.starts_with('-')) {
    raw.remove_prefix(1);
  }
  return !raw.empty() && std::all_of(raw.begin(), raw.end(), is_digit);
}

}  // namespace cafmcp::mcp
