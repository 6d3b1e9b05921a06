#include "mcp/session.hpp"

#include <array>

#include "mcp/scan.hpp"
#include "mcp/session_context.hpp"
#include "mcp/text.hpp"

namespace cafmcp::mcp {
namespace detail {

std::optional<std::string> text_of(std::string_view raw) {
  if (!is_string(raw)) {
    return std::nullopt;
  }
  const auto inside = raw.substr(1, raw.size() - 2);
  return inside.find('\\') == std::string_view::npos ? std::string(inside) : unescape(inside);
}

namespace {

/// The text of one member of the params; nothing if it is no string, or there twice.
std::optional<std::string> text_param(const context& c, std::string_view name) {
  std::array<field, 1> wanted{{{name}}};
  return read_fields(c.msg.params(), wanted) ? text_of(wanted[0].value) : std::nullopt;
}

void list(context& c, list_kind kind) {
  std::array<field, 1> cursor{{{"cursor"}}};
  const bool single = read_fields(c.msg.params(), cursor);
  const auto text = text_of(cursor[0].value);
  if (!single || (!cursor[0].value.empty() && !text)) {
    return c.refuse(bad_cursor());
  }
  const auto page = text ? c.offers.list(kind, c.state.version, *text) : c.offers.list(kind, c.state.version);
  page ? c.answer(*page) : c.refuse(page.error());
}

void set_level(context& c) {
  const auto text = text_param(c, "level");
  const auto level = text ? parse_log_level(*text) : std::nullopt;
  if (!level) {
    return c.refuse(invalid_params("logging/setLevel needs a level from debug to emergency"));
  }
  if (c.state.min_level != level) {
    c.change(change_kind::log_level, *text);
  }
  c.answer("{}");
}

void subscribe(context& c) {
  const auto uri = text_param(c, "uri");
  if (!uri || uri->empty() || uri->size() > c.server.max_uri_bytes) {
    return c.refuse(invalid_params("resources/subscribe needs a uri of limited length"));
  }
  if (!c.state.subscriptions.contains(*uri)) {
    if (!c.offers.readable(*uri)) {
      return c.refuse(resource_not_found(*uri));
    }
    if (c.state.subscriptions.size() >= c.server.max_subscriptions) {
      return c.refuse(invalid_params("too many subscriptions in this session"));
    }
    c.change(change_kind::subscribe, *uri);
  }
  c.answer("{}");
}

void unsubscribe(context& c) {
  const auto uri = text_param(c, "uri");
  if (!uri) {
    return c.refuse(invalid_params("resources/unsubscribe needs a uri"));
  }
  if (c.state.subscriptions.contains(*uri)) {
    c.change(change_kind::unsubscribe, *uri);
  }
  c.answer("{}");
}

/// A request that the session's revision has and the server offers.
void dispatch(context& c, method what) {
  switch (what) {
    case method::tools_list:
      return list(c, list_kind::tools);
    case method::tools_call:
      return call_tool(c);
    case method::resources_list:
      return list(c, list_kind::resources);
    case method::resources_templates_list:
      return list(c, list_kind::templates);
    case method::resources_read:
      return read_resource(c);
    case method::resources_subscribe:
      return subscribe(c);
    case method::resources_unsubscribe:
      return unsubscribe(c);
    case method::prompts_list:
      return list(c, list_kind::prompts);
    case method::prompts_get:
      return get_prompt(c);
    case method::completion_complete:
      return complete(c);
    case method::logging_set_level:
      return set_level(c);
    default:
      return c.refuse(method_not_found(to_string(what)));
  }
}

void request(context& c) {
  const auto* info = find_method(c.msg.method());
  if (info != nullptr && info->method == method::initialize) {
    return initialize(c);
  }
  if (info != nullptr && info->method == method::ping) {
    return c.answer("{}");
  }
  if (c.state.phase == session_phase::fresh) {
    return c.refuse(not_initialized());
  }
  // What was offered at the start stays a method, even if the last tool has gone since.
  const auto offered =
      static_cast<capability_set>(c.state.offered | offered_by(c.offers, c.server, c.state.version));
  if (info == nullptr || !info->request || !available(*info, c.state.version, direction::to_server) ||
      !contains(offered, info->needed)) {
    return c.refuse(method_not_found(c.msg.method()));
  }
  dispatch(c, info->method);
}

void cancelled(context& c) {
  std::array<field, 2> wanted{{{"requestId"}, {"reason"}}};
  const bool single = read_fields(c.msg.params(), wanted);
  const auto id = wanted[0].value;
  if (single && (is_string(id) || is_integer(id))) {
    c.result.cancelled = cancellation{canonical_id(id), text_of(wanted[1].value).value_or("")};
  }
}

void progress(context& c) {
  std::array<field, 1> token{{{"progressToken"}}};
  if (read_fields(c.msg.params(), token) && (is_string(token[0].value) || is_integer(token[0].value))) {
    c.result.progress = client_progress{std::string(token[0].value), std::string(c.msg.params())};
  }
}

/// Notifications are never answered: what is unknown, early or malformed is ignored.
void notification(context& c) {
  const auto* info = find_method(c.msg.method());
  if (info == nullptr || c.state.phase == session_phase::fresh) {
    return;
  }
  switch (info->method) {
    case method::initialized:
      if (c.state.phase == session_phase::initializing) {
        c.change(change_kind::ready);
      }
      return;
    case method::cancelled:
      return cancelled(c);
    case method::progress:
      return progress(c);
    case method::roots_list_changed:
      c.result.roots_changed = true;
      return;
    default:
      return;
  }
}

}  // namespace
}  // namespace detail

outcome step(const session_state& state, const message& m, const catalogue& offers, const server_info& server,
             const step_options& options) {
  outcome result;
  detail::context c{state, m, offers, server, options, result};
  switch (m.kind()) {
    case message_kind::request:
      detail::request(c);
      break;
    case message_kind::notification:
      detail::notification(c);
      break;
    case message_kind::response:
      result.answer = client_answer{canonical_id(m.id()), false, std::string(m.result())};
      break;
    case message_kind::error:
      result.answer = client_answer{canonical_id(m.id()), true, std::string(m.error())};
      break;
  }
  return result;
}

}  // namespace cafmcp::mcp
