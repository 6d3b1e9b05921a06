// What makes a log line: pure functions.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <ctime>
#include <iterator>
#include <nlohmann/json.hpp>

#include "base/log.hpp"

namespace cafmcp::log {

namespace {

constexpr std::array<const char*, 6> text_levels{"TRACE", "DEBUG", "INFO ", "WARN ", "ERROR", "CRIT "};
constexpr std::array<const char*, 6> json_levels{"trace", "debug", "info", "warn", "error", "critical"};
constexpr std::array<const char*, 6> level_colours{"\x1b[2m",  "\x1b[2m",  "\x1b[32m",
                                                   "\x1b[33m", "\x1b[31m", "\x1b[1;31m"};

/// Length of the UTF-8 character at the start of `s` and its code point; length 0 if it is not one.
std::pair<std::size_t, char32_t> decode(std::string_view s) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(s[i]); };
  const std::size_t n = byte(0) < 0x80   ? 1
                        : byte(0) < 0xc2 ? 0
                        : byte(0) < 0xe0 ? 2
                        : byte(0) < 0xf0 ? 3
                        : byte(0) < 0xf5 ? 4
                                         : 0;
  if (n == 0 || n > s.size()) {
    return {0, 0};
  }
  char32_t c = n == 1 ? byte(0) : byte(0) & (0x7fU >> n);
  for (std::size_t i = 1; i < n; ++i) {
    if ((byte(i) & 0xc0U) != 0x80) {
      return {0, 0};
    }
    c = c << 6U | (byte(i) & 0x3fU);
  }
  const bool overlong = (n == 3 && c < 0x800) || (n == 4 && c < 0x10000);
  const bool no_character = (c >= 0xd800 && c < 0xe000) || c > 0x10ffff;
  return {overlong || no_character ? 0 : n, c};
}

/// Whether a terminal would do something else with `c` than to show it: controls (C0, DEL, C1), line and
/// paragraph separators, and the marks that change the direction of text.
bool unsafe(char32_t c) {
  return c < 0x20 || (c >= 0x7f && c < 0xa0) || c == 0x61c || (c >= 0x200e && c <= 0x200f) ||
         (c >= 0x2028 && c <= 0x202e) || (c >= 0x2066 && c <= 0x2069) || c == 0xfeff;
}

void append_escaped(std::string& out, std::string_view s, bool in_quotes) {
  while (!s.empty()) {
    const auto [n, c] = decode(s);
    const auto first = static_cast<unsigned char>(s[0]);
    if (n == 0) {
      fmt::format_to(std::back_inserter(out), "\\x{:02x}", first);
    } else if (c == '\n') {
      out += "\\n";
    } else if (c == '\t') {
      out += "\\t";
    } else if (c == '\r') {
      out += "\\r";
    } else if (c == '\\' || (c == '"' && in_quotes)) {
      out += '\\';
      out += s[0];
    } else if (unsafe(c)) {
      out += c < 0x80 ? fmt::format("\\x{:02x}", first) : fmt::format("\\u{:04x}", static_cast<unsigned>(c));
    } else {
      out.append(s.substr(0, n));
    }
    s.remove_prefix(n == 0 ? 1 : n);
  }
}

/// `s`, or its first bytes and a mark; never half a character.
std::string_view clip(std::string_view s, std::size_t max_bytes, std::string_view& mark) {
  mark = s.size() > max_bytes ? "..." : "";
  auto n = std::min(s.size(), max_bytes);
  for (int back = 0; n < s.size() && n > 0 && back < 3 && (static_cast<unsigned char>(s[n]) & 0xc0U) == 0x80;
       ++back) {
    --n;
  }
  return s.substr(0, n);
}

void append_text(std::string& out, std::string_view s) {
  std::string_view mark;
  s = clip(s, max_value_bytes, mark);
  bool quote = s.empty();
  for (const char c : s) {
    quote = quote || c == ' ' || c == '"' || c == '=' || c == '\\' || static_cast<unsigned char>(c) < 0x20 ||
            c == 0x7f;
  }
  out += quote ? "\"" : "";
  append_escaped(out, s, quote);
  out += mark;
  out += quote ? "\"" : "";
}

std::string clipped(std::string_view s) {
  std::string_view mark;
  s = clip(s, max_value_bytes, mark);
  return std::string(s).append(mark);
}

/// UTC with milliseconds, `2026-11-23T14:00:00.123Z`.
std::string timestamp(std::chrono::system_clock::time_point when) {
  const auto ms = std::chrono::floor<std::chrono::milliseconds>(when.time_since_epoch()).count();
  const auto part = (ms % 1000 + 1000) % 1000;
  const std::time_t seconds = (ms - part) / 1000;
  std::tm t{};
  ::gmtime_r(&seconds, &t);
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z", t.tm_year + 1900, t.tm_mon + 1, t.tm_mday,
                     t.tm_hour, t.tm_min, t.tm_sec, part);
}

std::string render_json(std::string_view ts, std::size_t l, std::string_view name, std::string_view msg,
                        fields fs) {
  nlohmann::ordered_json line{{"ts", ts}, {"level", json_levels[l]}, {"logger", name}, {"msg", clipped(msg)}};
  for (const auto& f : fs) {
    nlohmann::ordered_json value;
    if (const auto* s = std::get_if<std::string_view>(&f.value)) {
      value = clipped(*s);
    } else {
      std::visit([&](const auto& v) { value = v; }, f.value);
    }
    // A field that is named like a part of the line, or like another field, must not replace it.
    std::string key(f.key);
    while (line.contains(key)) {
      key += '_';
    }
    line[key] = std::move(value);
  }
  return line.dump(-1, ' ', true, nlohmann::ordered_json::error_handler_t::replace);
}

}  // namespace

std::string printable(std::string_view s, std::size_t max_bytes) {
  std::string out;
  std::string_view mark;
  append_escaped(out, clip(s, max_bytes, mark), false);
  return out.append(mark);
}

std::string render(format f, bool colours, std::chrono::system_clock::time_point when, level l,
                   std::string_view name, std::string_view msg, fields fs) {
  const auto index = static_cast<std::size_t>(l);
  auto line = timestamp(when);
  if (f == format::json) {
    return render_json(line, index, name, msg, fs);
  }
  line += ' ';
  line += colours ? level_colours[index] : "";
  line += text_levels[index];
  line += colours ? "\x1b[0m " : " ";
  line += printable(name);
  line += ' ';
  line += printable(msg);
  for (const auto& field : fs) {
    line += ' ';
    append_text(line, field.key);
    line += '=';
    if (const auto* s = std::get_if<std::string_view>(&field.value)) {
      append_text(line, *s);
    } else {
      std::visit([&](const auto& v) { fmt::format_to(std::back_inserter(line), "{}", v); }, field.value);
    }
  }
  return line;
}

}  // namespace cafmcp::log
