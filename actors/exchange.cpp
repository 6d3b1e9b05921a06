#include "actors/exchange.hpp"

#include <charconv>

namespace cafmcp::actors {

std::string to_string(const event_id& id) {
  return std::to_string(id.epoch) + '-' + std::to_string(id.stream) + '-' + std::to_string(id.number);
}

event_id parse_event_id(std::string_view text) noexcept {
  event_id out;
  const auto* at = text.data();
  const auto* const end = at + text.size();
  for (auto* part : {&out.epoch, &out.stream, &out.number}) {
    const auto [next, failed] = std::from_chars(at, end, *part);
    if (failed != std::errc() || (part == &out.number ? next != end : next == end || *next != '-'))
      return {};
    at = next == end ? end : next + 1;
  }
  return out;
}

}  // namespace cafmcp::actors
