#include "admin/link_view.hpp"

#include "admin/drawing.hpp"

namespace cafmcp::admin {

namespace {

using json = nlohmann::ordered_json;

// Whole units, the largest that fits: "59 s", "2 min", "3 h", "4 d".
std::string in_time(std::uint64_t seconds) {
  constexpr std::uint64_t minute = 60, hour = 60 * minute, day = 24 * hour;
  if (seconds < 2 * minute)
    return std::to_string(seconds) + " s";
  if (seconds < 2 * hour)
    return std::to_string(seconds / minute) + " min";
  if (seconds < 2 * day)
    return std::to_string(seconds / hour) + " h";
  return grouped(seconds / day) + " d";
}

std::string since_of(const json& link) {
  return member_of(link, "since_seconds").is_number() ? in_time(number_of(link, "since_seconds")) : "-";
}

std::string tls_of(const json& link) {
  const auto& secure = member_of(link, "secure");
  return !secure.is_boolean() ? "-" : secure.get<bool>() ? "yes" : "no";
}

std::string rtt_of(const json& link) {
  return member_of(link, "rtt_ms").is_number() ? decimal(figure_of(link, "rtt_ms"), 2) + " ms" : "-";
}

}  // namespace

std::string draw_links(const json& links, bool colours) {
  if (!links.is_array() || links.empty())
    return "no other node is known yet\n";
  text_table table{{{"NODE"},
                    {"STATE"},
                    {"SINCE", true},
                    {"ADDRESS"},
                    {"TLS"},
                    {"RTT", true},
                    {"IN", true},
                    {"OUT", true},
                    {"RECONNECTS", true},
                    {"TROUBLE"}}};
  for (const auto& link : links) {
    const auto state = text_of(link, "state");
    const auto reconnects = number_of(link, "reconnects");
    table.add({{or_dash(text_of(link, "node")), "1"},
               {or_dash(state), state == "up" ? "32" : "31"},
               {since_of(link)},
               {or_dash(text_of(link, "address"))},
               {tls_of(link)},
               {rtt_of(link)},
               {in_bytes(figure_of(link, "bytes_in"))},
               {in_bytes(figure_of(link, "bytes_out"))},
               {grouped(reconnects), reconnects > 0 ? "33" : ""},
               {or_dash(text_of(link, "trouble"))}});
  }
  return table.draw(colours);
}

std::string draw_strangers(const json& strangers) {
  return grouped(number_of(strangers, "accepted")) + " accepted, " +
         grouped(number_of(strangers, "refused")) + " refused, " + grouped(number_of(strangers, "evicted")) +
         " evicted, " + grouped(number_of(strangers, "waiting")) + " waiting";
}

}  // namespace cafmcp::admin
