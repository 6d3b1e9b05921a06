#include "mcp/text.hpp"

#include <simdjson.h>

#include <algorithm>
#include <cstdint>

namespace cafmcp::mcp {
namespace {

constexpr char hex[] = "0123456789abcdef";

void append_escaped(std::string& out, char c) {
  switch (c) {
    case '"':
      out += "\\\"";
      return;
    case '\\':
      out += "\\\\";
      return;
    case '\n':
      out += "\\n";
      return;
    case '\r':
      out += "\\r";
      return;
    case '\t':
      out += "\\t";
      return;
    default:
      out += "\\u00";
      out += hex[static_cast<unsigned char>(c) >> 4];
      out += hex[static_cast<unsigned char>(c) & 15];
  }
}

bool plain(char c) noexcept {
  return static_cast<unsigned char>(c) >= 0x20 && c != '"' && c != '\\';
}

/// Appends the inside of a JSON string for valid UTF-8.
void append_valid(std::string& out, std::string_view s) {
  while (!s.empty()) {
    const auto run = static_cast<std::size_t>(std::find_if_not(s.begin(), s.end(), plain) - s.begin());
    out.append(s.data(), run);
    if (run == s.size()) {
      return;
    }
    append_escaped(out, s[run]);
    s.remove_prefix(run + 1);
  }
}

/// The length of the valid UTF-8 character that `s` begins with; 0: none.
std::size_t character_length(std::string_view s) noexcept {
  for (std::size_t n = 1; n <= 4 && n <= s.size(); ++n) {
    if (simdjson::validate_utf8(s.data(), n)) {
      return n;
    }
  }
  return 0;
}

void append_utf8(std::string& out, std::uint32_t c) {
  if (c < 0x80) {
    out += static_cast<char>(c);
  } else if (c < 0x800) {
    out += static_cast<char>(0xC0 | (c >> 6));
    out += static_cast<char>(0x80 | (c & 0x3F));
  } else if (c < 0x10000) {
    out += static_cast<char>(0xE0 | (c >> 12));
    out += static_cast<char>(0x80 | ((c >> 6) & 0x3F));
    out += static_cast<char>(0x80 | (c & 0x3F));
  } else {
    out += static_cast<char>(0xF0 | (c >> 18));
    out += static_cast<char>(0x80 | ((c >> 12) & 0x3F));
    out += static_cast<char>(0x80 | ((c >> 6) & 0x3F));
    out += static_cast<char>(0x80 | (c & 0x3F));
  }
}

std::uint32_t hex4(std::string_view digits) noexcept {
  std::uint32_t value = 0;
  for (const char c : digits.substr(0, 4)) {
    const int digit = c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10;
    value = value << 4 | static_cast<std::uint32_t>(digit);
  }
  return value;
}

/// Takes the escape that `rest` begins with, after its backslash.
void append_unescaped(std::string& out, std::string_view& rest) {
  const char c = rest.front();
  rest.remove_prefix(1);
  if (c != 'u') {
    constexpr std::string_view from = "bfnrt";
    constexpr std::string_view to = "\b\f\n\r\t";
    const auto at = from.find(c);
    out += at == std::string_view::npos ? c : to[at];
    return;
  }
  std::uint32_t value = hex4(rest);
  rest.remove_prefix(4);
  if (value >= 0xD800 && value < 0xDC00) {
    value = 0x10000 + ((value - 0xD800) << 10) + (hex4(rest.substr(2)) - 0xDC00);
    rest.remove_prefix(6);
  }
  append_utf8(out, value);
}

}  // namespace

void append_string(std::string& out, std::string_view s) {
  out += '"';
  if (simdjson::validate_utf8(s.data(), s.size())) {
    append_valid(out, s);
  } else {
    while (!s.empty()) {
      const auto length = character_length(s);
      if (length == 0) {
        out += "\xEF\xBF\xBD";
      } else {
        append_valid(out, s.substr(0, length));
      }
      s.remove_prefix(std::max<std::size_t>(length, 1));
    }
  }
  out += '"';
}

void append_raw(std::string& out, std::string_view raw) {
  const auto begin = out.size();
  out += raw;
  // Inside strings valid JSON has no raw line ends, so all that are found stand between tokens.
  for (const char line_end : {'\n', '\r'}) {
    for (auto at = out.find(line_end, begin); at != std::string::npos; at = out.find(line_end, at + 1)) {
      out[at] = ' ';
    }
  }
}

std::string unescape(std::string_view inside) {
  std::string out;
  out.reserve(inside.size());
  while (!inside.empty()) {
    const auto run = std::min(inside.find('\\'), inside.size());
    out.append(inside.data(), run);
    inside.remove_prefix(run);
    if (!inside.empty()) {
      inside.remove_prefix(1);
      append_unescaped(out, inside);
    }
  }
  return out;
}

}  // namespace cafmcp::mcp
