#include "mcp/session_state.hpp"

#include <array>
#include <charconv>

#include "mcp/scan.hpp"

namespace cafmcp::mcp {
namespace {

constexpr std::array<std::string_view, 8> level_names{"debug", "info",     "notice", "warning",
                                                      "error", "critical", "alert",  "emergency"};

bool apply_initialize(session_state& state, std::string_view text) {
  const auto r = parse_revision(text);
  if (!r || !has(*r, feature::session)) {
    return false;
  }
  state.version = *r;
  state.phase = session_phase::initializing;
  return true;
}

bool apply_offered(session_state& state, std::string_view text) {
  capability_set set = 0;
  const auto [end, fault] = std::from_chars(text.data(), text.data() + text.size(), set);
  if (fault != std::errc() || end != text.data() + text.size()) {
    return false;
  }
  state.offered = set;
  return true;
}

bool apply_log_level(session_state& state, std::string_view text) {
  const auto level = parse_log_level(text);
  if (!level) {
    return false;
  }
  state.min_level = level;
  return true;
}

bool applied(session_state& state, const change& c) {
  switch (c.kind) {
    case change_kind::initialize:
      return apply_initialize(state, c.bytes);
    case change_kind::offered:
      return apply_offered(state, c.bytes);
    case change_kind::client_info:
      state.client_info = c.bytes;
      return true;
    case change_kind::client_capabilities:
      state.client_capabilities = c.bytes;
      return true;
    case change_kind::ready:
      state.phase = session_phase::ready;
      return true;
    case change_kind::log_level:
      return apply_log_level(state, c.bytes);
    case change_kind::subscribe:
      state.subscriptions.insert(c.bytes);
      return true;
    case change_kind::unsubscribe:
      state.subscriptions.erase(c.bytes);
      return true;
  }
  return false;
}

}  // namespace

std::string_view to_string(log_level l) noexcept {
  return level_names[static_cast<std::size_t>(l)];
}

std::optional<log_level> parse_log_level(std::string_view text) noexcept {
  for (std::size_t i = 0; i < level_names.size(); ++i) {
    if (level_names[i] == text) {
      return static_cast<log_level>(i);
    }
  }
  return std::nullopt;
}

cafmcp::result<void> apply(session_state& state, const change& c) {
  if (!applied(state, c)) {
    return fail(errc::invalid, "session change of kind " + std::to_string(static_cast<unsigned>(c.kind)) +
                                   " cannot be applied; it may be of a newer version");
  }
  return {};
}

std::vector<change> changes_of(const session_state& state) {
  std::vector<change> out;
  if (state.phase != session_phase::fresh) {
    out.push_back({change_kind::initialize, std::string(to_string(state.version))});
    out.push_back({change_kind::offered, std::to_string(state.offered)});
    out.push_back({change_kind::client_info, state.client_info});
    out.push_back({change_kind::client_capabilities, state.client_capabilities});
  }
  if (state.phase == session_phase::ready) {
    out.push_back({change_kind::ready, {}});
  }
  if (state.min_level) {
    out.push_back({change_kind::log_level, std::string(to_string(*state.min_level))});
  }
  for (const auto& uri : state.subscriptions) {
    out.push_back({change_kind::subscribe, uri});
  }
  return out;
}

capability_set declared(const session_state& state) noexcept {
  std::array<field, 3> wanted{{{"roots"}, {"sampling"}, {"elicitation"}}};
  constexpr capability bits[] = {capability::roots, capability::sampling, capability::elicitation};
  capability_set set = 0;
  if (read_fields(state.client_capabilities, wanted)) {
    for (std::size_t i = 0; i < wanted.size(); ++i) {
      set |= is_object(wanted[i].value) ? static_cast<capability_set>(bits[i]) : 0;
    }
  }
  return set;
}

}  // namespace cafmcp::mcp
