#pragma once
// The table of all methods: who may send them, in which revisions, and which capability they need. What isn't
// available is answered with -32601, whatever else the server could do. A lookup is a handful of comparisons
// in a sorted constant table. Pure: thread-safe. MCP: Schema Reference of each revision.

#include <cstdint>
#include <string_view>

#include "mcp/revision.hpp"

namespace cafmcp::mcp {

/// Every method, for a `switch`.
enum class method : unsigned char {
  completion_complete,
  elicitation_create,
  initialize,
  logging_set_level,
  cancelled,
  elicitation_complete,
  initialized,
  message,
  progress,
  prompts_list_changed,
  resources_list_changed,
  resources_updated,
  roots_list_changed,
  subscriptions_acknowledged,
  tasks_status,
  tools_list_changed,
  ping,
  prompts_get,
  prompts_list,
  resources_list,
  resources_read,
  resources_subscribe,
  resources_templates_list,
  resources_unsubscribe,
  roots_list,
  sampling_create_message,
  server_discover,
  subscriptions_listen,
  tasks_cancel,
  tasks_get,
  tasks_list,
  tasks_result,
  tools_call,
  tools_list,
};

/// Who sends it.
enum class direction : unsigned char { to_server = 1, to_client = 2, both = 3 };

/// What has to be offered (by the server) or declared (by the client) for a method to exist. Bits.
enum class capability : std::uint16_t {
  none = 0,
  tools = 1,
  resources = 2,
  subscribe = 4,
  prompts = 8,
  completions = 16,
  logging = 32,
  tasks = 64,
  roots = 128,
  sampling = 256,
  elicitation = 512,
  list_changed = 1024,  ///< of tools, resources and prompts
};

/// A set of capabilities.
using capability_set = std::uint16_t;

inline bool contains(capability_set set, capability c) noexcept {
  return (set & static_cast<capability_set>(c)) == static_cast<capability_set>(c);
}

/// A row of the table.
struct method_info {
  std::string_view name;
  mcp::method method;
  direction from;
  bool request;  ///< or a notification
  revision first;
  revision last;
  capability needed;
};

/// The row of a method; nullptr: no revision has it.
const method_info* find_method(std::string_view name) noexcept;

/// The name of a method.
std::string_view to_string(method m) noexcept;

/// Whether a method may be sent to the server (or to the client) in revision `r`.
bool available(const method_info& info, revision r, direction to) noexcept;

}  // namespace cafmcp::mcp
