#pragma once
// How operations write their parts: each part is its length (four bytes, little endian) and its bytes. Pure
// functions.

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace cafmcp::persistence {

/// Appends a part of at most 4 GiB.
void append_field(std::string& to, std::string_view part);

/// Appends a number as a part of eight bytes.
void append_number(std::string& to, std::uint64_t number);

/// The number in a part; nothing if it isn't one.
std::optional<std::uint64_t> number_in(std::string_view part) noexcept;

/// Takes the first part off `rest`; nothing, and `rest` as it was, if the bytes end before it does.
inline std::optional<std::string_view> take_field(std::string_view& rest) noexcept {
  if (rest.size() < 4)
    return std::nullopt;
  std::uint32_t size = 0;
  for (unsigned i = 0; i < 4; ++i)
    size |= static_cast<std::uint32_t>(static_cast<unsigned char>(rest[i])) << (8 * i);
  if (size > rest.size() - 4)
    return std::nullopt;
  const auto part = rest.substr(4, size);
  rest.remove_prefix(4 + std::size_t{size});
  return part;
}

/// Exactly `N` parts, with nothing behind them; nothing if the bytes are anything else.
template <std::size_t N>
std::optional<std::array<std::string_view, N>> fields_in(std::string_view bytes) noexcept {
  std::array<std::string_view, N> out;
  for (auto& part : out) {
    const auto taken = take_field(bytes);
    if (!taken)
      return std::nullopt;
    part = *taken;
  }
  if (!bytes.empty())
    return std::nullopt;
  return out;
}

}  // namespace cafmcp::persistence
