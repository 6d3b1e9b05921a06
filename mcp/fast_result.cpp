#include "mcp/fast_result.hpp"

#include <simdjson.h>

#include <bit>
#include <cstdint>
#include <cstring>

#include "mcp/text.hpp"

namespace cafmcp::mcp {
namespace {

static_assert(std::endian::native == std::endian::little, "special_bytes counts from the lowest byte");

constexpr std::uint64_t each(std::uint8_t byte) {
  return 0x0101010101010101u * byte;
}

/// The high bits of those of eight bytes that JSON escapes. Bits above the lowest one that is set may be
/// wrong.
std::uint64_t special_bytes(std::uint64_t word) noexcept {
  const auto quote = word ^ each('"');
  const auto backslash = word ^ each('\\');
  const auto found =
      ((word - each(0x20)) & ~word) | ((quote - each(1)) & ~quote) | ((backslash - each(1)) & ~backslash);
  return found & each(0x80);
}

bool special(char c) noexcept {
  return static_cast<unsigned char>(c) < 0x20 || c == '"' || c == '\\';
}

/// How many bytes at the beginning of `s` stand for themselves.
std::size_t plain_run(std::string_view s) noexcept {
  std::size_t i = 0;
  for (std::uint64_t word = 0; i + sizeof word <= s.size(); i += sizeof word) {
    std::memcpy(&word, s.data() + i, sizeof word);
    if (const auto found = special_bytes(word); found != 0) {
      return i + static_cast<std::size_t>(std::countr_zero(found)) / 8;
    }
  }
  while (i < s.size() && !special(s[i])) {
    ++i;
  }
  return i;
}

void append_escape(std::string& out, char c) {
  constexpr std::string_view from = "\"\\\b\f\n\r\t";
  constexpr std::string_view to = "\"\\bfnrt";
  constexpr char hex[] = "0123456789abcdef";
  out += '\\';
  if (const auto at = from.find(c); at != std::string_view::npos) {
    out += to[at];
  } else {
    out += "u00";
    out += hex[static_cast<unsigned char>(c) >> 4];
    out += hex[static_cast<unsigned char>(c) & 15];
  }
}

void append_text(std::string& out, std::string_view s) {
  if (!simdjson::validate_utf8(s.data(), s.size())) {
    out += dump(json(std::string(s)));  // rare, and there is one way only to replace what isn't UTF-8
    return;
  }
  out += '"';
  while (!s.empty()) {
    const auto run = plain_run(s);
    out.append(s.data(), run);
    s.remove_prefix(run);
    if (!s.empty()) {
      append_escape(out, s.front());
      s.remove_prefix(1);
    }
  }
  out += '"';
}

}  // namespace

std::string finish_text(const call& c, std::string_view text, bool is_error, std::string_view structured) {
  constexpr std::size_t fixed_bytes = 160;
  std::string out;
  out.reserve(fixed_bytes + c.id.size() + text.size() + structured.size());
  out += R"({"jsonrpc":"2.0","id":)";
  append_raw(out, c.id);
  out += R"(,"result":{"content":[{"type":"text","text":)";
  append_text(out, text);
  out += "}]";
  if (!structured.empty() && has(c.version, feature::structured_content)) {
    out += R"(,"structuredContent":)";
    append_raw(out, structured);
  }
  out += is_error ? R"(,"isError":true}})" : "}}";
  return out;
}

}  // namespace cafmcp::mcp
