#include "mcp/methods.hpp"

#include <algorithm>
#include <iterator>

namespace cafmcp::mcp {
namespace {

using enum direction;
using enum revision;

/// Sorted by name, in the order of `method`.
constexpr method_info table[] = {
    {"completion/complete", method::completion_complete, to_server, true, v2024_11_05, v2026_07_28,
     capability::completions},
    {"elicitation/create", method::elicitation_create, to_client, true, v2025_06_18, v2025_11_25,
     capability::elicitation},
    {"initialize", method::initialize, to_server, true, v2024_11_05, v2025_11_25, capability::none},
    {"logging/setLevel", method::logging_set_level, to_server, true, v2024_11_05, v2025_11_25,
     capability::logging},
    {"notifications/cancelled", method::cancelled, both, false, v2024_11_05, v2026_07_28, capability::none},
    {"notifications/elicitation/complete", method::elicitation_complete, to_client, false, v2025_11_25,
     v2025_11_25, capability::elicitation},
    {"notifications/initialized", method::initialized, to_server, false, v2024_11_05, v2025_11_25,
     capability::none},
    {"notifications/message", method::message, to_client, false, v2024_11_05, v2026_07_28,
     capability::logging},
    {"notifications/progress", method::progress, both, false, v2024_11_05, v2026_07_28, capability::none},
    {"notifications/prompts/list_changed", method::prompts_list_changed, to_client, false, v2024_11_05,
     v2026_07_28, capability::prompts},
    {"notifications/resources/list_changed", method::resources_list_changed, to_client, false, v2024_11_05,
     v2026_07_28, capability::resources},
    {"notifications/resources/updated", method::resources_updated, to_client, false, v2024_11_05, v2026_07_28,
     capability::subscribe},
    {"notifications/roots/list_changed", method::roots_list_changed, to_server, false, v2024_11_05,
     v2025_11_25, capability::none},
    {"notifications/subscriptions/acknowledged", method::subscriptions_acknowledged, to_client, false,
     v2026_07_28, v2026_07_28, capability::none},
    {"notifications/tasks/status", method::tasks_status, both, false, v2025_11_25, v2025_11_25,
     capability::tasks},
    {"notifications/tools/list_changed", method::tools_list_changed, to_client, false, v2024_11_05,
     v2026_07_28, capability::tools},
    {"ping", method::ping, both, true, v2024_11_05, v2025_11_25, capability::none},
    {"prompts/get", method::prompts_get, to_server, true, v2024_11_05, v2026_07_28, capability::prompts},
    {"prompts/list", method::prompts_list, to_server, true, v2024_11_05, v2026_07_28, capability::prompts},
    {"resources/list", method::resources_list, to_server, true, v2024_11_05, v2026_07_28,
     capability::resources},
    {"resources/read", method::resources_read, to_server, true, v2024_11_05, v2026_07_28,
     capability::resources},
    {"resources/subscribe", method::resources_subscribe, to_server, true, v2024_11_05, v2025_11_25,
     capability::subscribe},
    {"resources/templates/list", method::resources_templates_list, to_server, true, v2024_11_05, v2026_07_28,
     capability::resources},
    {"resources/unsubscribe", method::resources_unsubscribe, to_server, true, v2024_11_05, v2025_11_25,
     capability::subscribe},
    {"roots/list", method::roots_list, to_client, true, v2024_11_05, v2025_11_25, capability::roots},
    {"sampling/createMessage", method::sampling_create_message, to_client, true, v2024_11_05, v2025_11_25,
     capability::sampling},
    {"server/discover", method::server_discover, to_server, true, v2026_07_28, v2026_07_28, capability::none},
    {"subscriptions/listen", method::subscriptions_listen, to_server, true, v2026_07_28, v2026_07_28,
     capability::none},
    {"tasks/cancel", method::tasks_cancel, both, true, v2025_11_25, v2025_11_25, capability::tasks},
    {"tasks/get", method::tasks_get, both, true, v2025_11_25, v2025_11_25, capability::tasks},
    {"tasks/list", method::tasks_list, both, true, v2025_11_25, v2025_11_25, capability::tasks},
    {"tasks/result", method::tasks_result, both, true, v2025_11_25, v2025_11_25, capability::tasks},
    {"tools/call", method::tools_call, to_server, true, v2024_11_05, v2026_07_28, capability::tools},
    {"tools/list", method::tools_list, to_server, true, v2024_11_05, v2026_07_28, capability::tools},
};

constexpr bool in_order() {
  for (std::size_t i = 0; i < std::size(table); ++i) {
    if (static_cast<std::size_t>(table[i].method) != i || (i > 0 && !(table[i - 1].name < table[i].name))) {
      return false;
    }
  }
  return true;
}
static_assert(in_order());

}  // namespace

const method_info* find_method(std::string_view name) noexcept {
  const auto* it = std::lower_bound(std::begin(table), std::end(table), name,
                                    [](const method_info& row, std::string_view n) { return row.name < n; });
  return it != std::end(table) && it->name == name ? it : nullptr;
}

std::string_view to_string(method m) noexcept {
  return table[static_cast<std::size_t>(m)].name;
}

bool available(const method_info& info, revision r, direction to) noexcept {
  const auto bits = static_cast<unsigned>(info.from) & static_cast<unsigned>(to);
  return bits != 0 && info.first <= r && r <= info.last;
}

}  // namespace cafmcp::mcp
