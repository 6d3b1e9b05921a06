#pragma once
// The notifications that a server sends, written for one session: nothing comes back when this client must
// not get it (another revision, a capability that wasn't offered, a log level it doesn't want, no
// subscription). Pure functions: thread-safe. MCP: Logging; Progress; Cancellation; list changed; Resources,
// Subscriptions.

#include <optional>
#include <string>
#include <string_view>

#include "mcp/session_state.hpp"

namespace cafmcp::mcp {

/// notifications/message. `data` is raw JSON of any kind; an empty `logger` is left out.
std::optional<std::string> log_message(const session_state& state, log_level level, std::string_view logger,
                                       std::string_view data);

/// notifications/progress for the token of a call (raw). `total` and `message` are left out when absent; the
/// message also before 2025-03-26. Nothing without a token, or for numbers that JSON can't hold.
std::optional<std::string> progress_message(revision r, std::string_view token, double progress,
                                            std::optional<double> total = {}, std::string_view message = {});

/// Which list changed.
enum class changed_list : unsigned char { tools, resources, prompts };

/// notifications/{tools,resources,prompts}/list_changed.
std::optional<std::string> list_changed(const session_state& state, changed_list which);

/// notifications/resources/updated, if the session subscribed to exactly this URI.
std::optional<std::string> resource_updated(const session_state& state, std::string_view uri);

/// notifications/cancelled for a request of ours (raw id).
std::string cancel_message(std::string_view id, std::string_view reason = {});

}  // namespace cafmcp::mcp
