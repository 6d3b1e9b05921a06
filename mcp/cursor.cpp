#include "mcp/cursor.hpp"

#include <cstdint>

namespace cafmcp::mcp {
namespace {

constexpr std::string_view alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
constexpr std::size_t check_bytes = 4;

/// FNV-1a: tells a cursor from a made-up string. Not a signature, as there is nothing to protect.
std::uint32_t check_of(char list, std::string_view name) noexcept {
  std::uint32_t hash = 2166136261U;
  const auto add = [&](char c) { hash = (hash ^ static_cast<unsigned char>(c)) * 16777619U; };
  add(list);
  for (const char c : name) {
    add(c);
  }
  return hash;
}

std::string encode(std::string_view bytes) {
  std::string out;
  std::uint32_t bits = 0;
  int count = 0;
  for (const char c : bytes) {
    bits = bits << 8 | static_cast<unsigned char>(c);
    for (count += 8; count >= 6; count -= 6) {
      out += alphabet[bits >> (count - 6) & 63];
    }
  }
  if (count > 0) {
    out += alphabet[bits << (6 - count) & 63];
  }
  return out;
}

std::optional<std::string> decode(std::string_view text) {
  std::string out;
  std::uint32_t bits = 0;
  int count = 0;
  for (const char c : text) {
    const auto value = alphabet.find(c);
    if (value == std::string_view::npos) {
      return std::nullopt;
    }
    bits = bits << 6 | static_cast<std::uint32_t>(value);
    count += 6;
    if (count >= 8) {
      count -= 8;
      out += static_cast<char>(bits >> count & 255);
    }
  }
  return out;
}

}  // namespace

std::string make_cursor(char list, std::string_view name) {
  const auto check = check_of(list, name);
  std::string bytes;
  for (std::size_t i = 0; i < check_bytes; ++i) {
    bytes += static_cast<char>(check >> (8 * i) & 255);
  }
  bytes += name;
  return encode(bytes);
}

std::optional<std::string> read_cursor(char list, std::string_view cursor) {
  auto bytes = decode(cursor);
  if (!bytes || bytes->size() < check_bytes) {
    return std::nullopt;
  }
  auto name = bytes->substr(check_bytes);
  // Compared as a whole, so that there is one spelling of each cursor.
  if (make_cursor(list, name) != cursor) {
    return std::nullopt;
  }
  return name;
}

}  // namespace cafmcp::mcp
