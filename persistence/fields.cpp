#include "persistence/fields.hpp"

#include "base/assert.hpp"

namespace cafmcp::persistence {

void append_field(std::string& to, std::string_view part) {
  CAFMCP_ASSERT(part.size() <= 0xffffffffu);
  for (unsigned i = 0; i < 4; ++i)
    to += static_cast<char>(part.size() >> (8 * i) & 0xff);
  to += part;
}

void append_number(std::string& to, std::uint64_t number) {
  std::string bytes;
  for (unsigned i = 0; i < 8; ++i)
    bytes += static_cast<char>(number >> (8 * i) & 0xff);
  append_field(to, bytes);
}

std::optional<std::uint64_t> number_in(std::string_view part) noexcept {
  if (part.size() != 8)
    return std::nullopt;
  std::uint64_t number = 0;
  for (unsigned i = 0; i < 8; ++i)
    number |= static_cast<std::uint64_t>(static_cast<unsigned char>(part[i])) << (8 * i);
  return number;
}

}  // namespace cafmcp::persistence
