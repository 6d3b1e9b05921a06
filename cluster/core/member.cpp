#include "cluster/core/member.hpp"

#include <nlohmann/json.hpp>

namespace cafmcp::cluster {

namespace {

constexpr std::uint32_t max_weight = 10'000;

}  // namespace

const char* to_string(member_state s) noexcept {
  return s == member_state::up ? "up" : "draining";
}

std::string encode(const member& m) {
  return nlohmann::ordered_json{{"name", m.name},     {"region", m.region},   {"zone", m.zone},
                                {"weight", m.weight}, {"address", m.address}, {"state", to_string(m.state)}}
      .dump();
}

std::optional<member> decode_member(std::string_view id, std::string_view value) {
  const auto json = nlohmann::json::parse(value, nullptr, false);
  if (!json.is_object() || id.empty())
    return {};
  member m;
  m.id = id;
  const auto text = [&](const char* key) {
    const auto i = json.find(key);
    return i != json.end() && i->is_string() ? i->get<std::string>() : std::string{};
  };
  m.name = text("name");
  m.region = text("region");
  m.zone = text("zone");
  m.address = text("address");
  m.state = text("state") == "draining" ? member_state::draining : member_state::up;
  const auto weight = json.find("weight");
  if (weight == json.end() || !weight->is_number_unsigned())
    return {};
  const auto w = weight->get<std::uint64_t>();
  if (w == 0 || w > max_weight || m.name.empty())
    return {};
  m.weight = static_cast<std::uint32_t>(w);
  return m;
}

}  // namespace cafmcp::cluster
