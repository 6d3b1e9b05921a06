#include <array>

#include "mcp/scan.hpp"
#include "mcp/session_context.hpp"

namespace cafmcp::mcp {

capability_set offered_by(const catalogue& offers, const server_info& server, revision r) noexcept {
  const auto& has_any = offers.content();
  const bool prompts = server.offer_empty || !has_any.prompts.empty();
  const bool resources = server.offer_empty || has_any.open_resources || !has_any.resources.empty() ||
                         !has_any.templates.empty();
  capability_set set = 0;
  const auto offer = [&](capability c, bool whether) { set |= whether ? static_cast<capability_set>(c) : 0; };
  offer(capability::tools, server.offer_empty || !has_any.tools.empty());
  offer(capability::resources, resources);
  offer(capability::subscribe, resources && server.subscriptions && has(r, feature::session));
  offer(capability::prompts, prompts);
  offer(capability::completions, server.completions && (prompts || resources));
  offer(capability::logging, server.logging);
  offer(capability::list_changed, server.list_changed);
  return set;
}

namespace detail {
namespace {

json capabilities_json(capability_set offered, revision r) {
  json out = json::object();
  const bool changes = contains(offered, capability::list_changed);
  const auto with_list = [&] { return changes ? json{{"listChanged", true}} : json::object(); };
  if (contains(offered, capability::tools)) {
    out["tools"] = with_list();
  }
  if (contains(offered, capability::resources)) {
    out["resources"] = with_list();
    if (contains(offered, capability::subscribe)) {
      out["resources"]["subscribe"] = true;
    }
  }
  if (contains(offered, capability::prompts)) {
    out["prompts"] = with_list();
  }
  if (contains(offered, capability::logging)) {
    out["logging"] = json::object();
  }
  if (contains(offered, capability::completions) && has(r, feature::completions_capability)) {
    out["completions"] = json::object();
  }
  return out;
}

json implementation_json(const server_info& server, revision r) {
  json out = {{"name", server.name}};
  if (has(r, feature::titles)) {
    put(out, "title", server.title);
  }
  out["version"] = server.version;
  if (has(r, feature::icons)) {
    put(out, "websiteUrl", server.website_url);
    put(out, "icons", server.icons);
  }
  return out;
}

bool is_implementation(std::string_view raw) {
  std::array<field, 2> parts{{{"name"}, {"version"}}};
  return is_object(raw) && read_fields(raw, parts) && is_string(parts[0].value) && is_string(parts[1].value);
}

}  // namespace

void initialize(context& c) {
  if (c.state.phase != session_phase::fresh && !c.options.allow_reinitialize) {
    return c.refuse(already_initialized());
  }
  std::array<field, 3> wanted{{{"protocolVersion"}, {"capabilities"}, {"clientInfo"}}};
  const bool single = read_fields(c.msg.params(), wanted);
  const auto [version, capabilities, client] = wanted;
  const auto requested = text_of(version.value);
  if (!single || !requested || !is_object(capabilities.value) || !is_implementation(client.value)) {
    return c.refuse(invalid_params("initialize needs protocolVersion, capabilities and clientInfo"));
  }
  if (capabilities.value.size() > c.server.max_client_bytes ||
      client.value.size() > c.server.max_client_bytes) {
    return c.refuse(invalid_params("capabilities or clientInfo too large"));
  }
  const auto r = negotiate(*requested);
  const auto offered = offered_by(c.offers, c.server, r);
  c.change(change_kind::initialize, std::string(to_string(r)));
  c.change(change_kind::offered, std::to_string(offered));
  c.change(change_kind::client_info, std::string(client.value));
  c.change(change_kind::client_capabilities, std::string(capabilities.value));

  json out = {{"protocolVersion", to_string(r)}};
  out["capabilities"] = capabilities_json(offered, r);
  out["serverInfo"] = implementation_json(c.server, r);
  put(out, "instructions", c.server.instructions);
  auto body = dump(out);
  if (!c.options.initialize_meta.empty()) {
    body.pop_back();
    body += R"(,"_meta":)";
    body += c.options.initialize_meta;
    body += '}';
  }
  c.answer(body);
}

}  // namespace detail
}  // namespace cafmcp::mcp
