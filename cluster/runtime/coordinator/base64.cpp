#include "cluster/runtime/coordinator/base64.hpp"

#include <array>
#include <cstdint>

namespace cafmcp::cluster {

namespace {

constexpr std::string_view alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr std::uint8_t no_digit = 64;

constexpr auto digits = [] {
  std::array<std::uint8_t, 256> out{};
  out.fill(no_digit);
  for (std::size_t i = 0; i < alphabet.size(); ++i)
    out[static_cast<unsigned char>(alphabet[i])] = static_cast<std::uint8_t>(i);
  return out;
}();

}  // namespace

std::string to_base64(std::string_view bytes) {
  std::string out;
  out.reserve((bytes.size() + 2) / 3 * 4);
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    const auto byte = [&](std::size_t k) -> std::uint32_t {
      return i + k < bytes.size() ? static_cast<unsigned char>(bytes[i + k]) : 0U;
    };
    const auto group = byte(0) << 16U | byte(1) << 8U | byte(2);
    out += alphabet[group >> 18U];
    out += alphabet[group >> 12U & 63U];
    out += i + 1 < bytes.size() ? alphabet[group >> 6U & 63U] : '=';
    out += i + 2 < bytes.size() ? alphabet[group & 63U] : '=';
  }
  return out;
}

std::optional<std::string> from_base64(std::string_view text) {
  if (text.size() % 4 != 0)
    return std::nullopt;
  const auto padding = text.ends_with("==") ? 2U : text.ends_with('=') ? 1U : 0U;
  std::string out;
  out.reserve(text.size() / 4 * 3);
  std::uint32_t group = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto digit = i + padding < text.size() ? digits[static_cast<unsigned char>(text[i])] : 0U;
    if (digit == no_digit)
      return std::nullopt;
    group = group << 6U | digit;
    if (i % 4 != 3)
      continue;
    out += static_cast<char>(group >> 16U & 255U);
    out += static_cast<char>(group >> 8U & 255U);
    out += static_cast<char>(group & 255U);
    group = 0;
  }
  for (auto i = padding; i > 0 && !out.empty(); --i)
    out.pop_back();
  return out;
}

}  // namespace cafmcp::cluster
