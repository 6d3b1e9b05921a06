#include "mcp/notify.hpp"

#include <charconv>
#include <cmath>

#include "mcp/text.hpp"
#include "mcp/writer.hpp"

namespace cafmcp::mcp {
namespace {

/// The shortest text that reads back as the same number: 50, 0.1.
void append_number(std::string& out, double value) {
  char text[32];
  out.append(text, std::to_chars(text, text + sizeof text, value).ptr);
}

bool notifies(const session_state& state, method m) noexcept {
  const auto* info = find_method(to_string(m));
  return state.phase != session_phase::fresh && available(*info, state.version, direction::to_client) &&
         contains(state.offered, info->needed);
}

}  // namespace

std::optional<std::string> log_message(const session_state& state, log_level level, std::string_view logger,
                                       std::string_view data) {
  if (!notifies(state, method::message) || (state.min_level && level < *state.min_level)) {
    return std::nullopt;
  }
  std::string params = R"({"level":)";
  append_string(params, to_string(level));
  if (!logger.empty()) {
    params += R"(,"logger":)";
    append_string(params, logger);
  }
  params += R"(,"data":)";
  params += data;
  params += '}';
  return write_notification(to_string(method::message), params);
}

std::optional<std::string> progress_message(revision r, std::string_view token, double progress,
                                            std::optional<double> total, std::string_view message) {
  if (token.empty() || !std::isfinite(progress) || !std::isfinite(total.value_or(0))) {
    return std::nullopt;
  }
  std::string params = R"({"progressToken":)";
  params += token;
  params += R"(,"progress":)";
  append_number(params, progress);
  if (total) {
    params += R"(,"total":)";
    append_number(params, *total);
  }
  if (!message.empty() && has(r, feature::progress_message)) {
    params += R"(,"message":)";
    append_string(params, message);
  }
  params += '}';
  return write_notification(to_string(method::progress), params);
}

std::optional<std::string> list_changed(const session_state& state, changed_list which) {
  constexpr method methods[] = {method::tools_list_changed, method::resources_list_changed,
                                method::prompts_list_changed};
  const auto m = methods[static_cast<std::size_t>(which)];
  if (!notifies(state, m) || !contains(state.offered, capability::list_changed)) {
    return std::nullopt;
  }
  return write_notification(to_string(m));
}

std::optional<std::string> resource_updated(const session_state& state, std::string_view uri) {
  if (!notifies(state, method::resources_updated) || !state.subscriptions.contains(uri)) {
    return std::nullopt;
  }
  std::string params = R"({"uri":)";
  append_string(params, uri);
  params += '}';
  return write_notification(to_string(method::resources_updated), params);
}

std::string cancel_message(std::string_view id, std::string_view reason) {
  std::string params = R"({"requestId":)";
  params += id;
  if (!reason.empty()) {
    params += R"(,"reason":)";
    append_string(params, reason);
  }
  params += '}';
  return write_notification(to_string(method::cancelled), params);
}

}  // namespace cafmcp::mcp
