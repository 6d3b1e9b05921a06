#include <algorithm>
#include <array>

#include "mcp/scan.hpp"
#include "mcp/session_context.hpp"
#include "mcp/text.hpp"

namespace cafmcp::mcp::detail {
namespace {

/// Reads what all calls have in common. False, and refused, if it is not in order.
bool begin(context& c, method what, std::string_view raw_meta, call& out) {
  out.method = what;
  out.version = c.state.version;
  out.id = c.msg.id();
  if (raw_meta.empty()) {
    return true;
  }
  std::array<field, 1> token{{{"progressToken"}}};
  if (!is_object(raw_meta) || !read_fields(raw_meta, token) ||
      !(token[0].value.empty() || is_string(token[0].value) || is_integer(token[0].value))) {
    c.refuse(invalid_params("_meta.progressToken is neither a string nor an integer"));
    return false;
  }
  out.meta = raw_meta;
  out.progress_token = token[0].value;
  return true;
}

/// Takes over `arguments`: an object, or absent.
bool take_arguments(context& c, std::string_view raw, call& out) {
  if (!raw.empty() && !is_object(raw)) {
    c.refuse(invalid_params("arguments is not an object"));
    return false;
  }
  out.arguments = raw.empty() ? "{}" : raw;
  return true;
}

/// Whether all values of a raw object are strings, as those of a prompt's arguments have to be.
bool only_strings(std::string_view raw) {
  const auto value = json::parse(raw, nullptr, false);
  return value.is_object() &&
         std::all_of(value.begin(), value.end(), [](const json& v) { return v.is_string(); });
}

/// The name of the first argument that is required and not there; empty: all are.
std::string_view missing(const prompt& p, std::string_view arguments) {
  for (const auto& a : p.arguments) {
    std::array<field, 1> wanted{{{a.name}}};
    if (a.required && (!read_fields(arguments, wanted) || wanted[0].value.empty())) {
      return a.name;
    }
  }
  return {};
}

/// What completion/complete refers to; nothing, and refused, if there is no such thing.
std::optional<std::string> completed(context& c, std::string_view raw_reference) {
  std::array<field, 3> parts{{{"type"}, {"name"}, {"uri"}}};
  if (!is_object(raw_reference) || !read_fields(raw_reference, parts)) {
    c.refuse(invalid_params("ref is not an object"));
    return std::nullopt;
  }
  const auto type = text_of(parts[0].value);
  const bool of_prompt = type == "ref/prompt";
  auto name = text_of(parts[of_prompt ? 1 : 2].value);
  if (!name || name->size() > c.server.max_uri_bytes || (!of_prompt && type != "ref/resource")) {
    c.refuse(invalid_params("ref is neither a ref/prompt with a name nor a ref/resource with a uri"));
    return std::nullopt;
  }
  if (of_prompt ? c.offers.find_prompt(*name) == nullptr
                : c.offers.find_template(*name) == nullptr && !c.offers.readable(*name)) {
    c.refuse(of_prompt ? unknown_prompt(*name) : invalid_params("unknown resource template: " + *name));
    return std::nullopt;
  }
  return name;
}

bool is_completion_argument(std::string_view raw) {
  std::array<field, 2> parts{{{"name"}, {"value"}}};
  return is_object(raw) && read_fields(raw, parts) && is_string(parts[0].value) && is_string(parts[1].value);
}

}  // namespace

void call_tool(context& c) {
  std::array<field, 3> wanted{{{"name"}, {"arguments"}, {"_meta"}}};
  const bool single = read_fields(c.msg.params(), wanted);
  const auto name = text_of(wanted[0].value);
  if (!single || !name) {
    return c.refuse(invalid_params("tools/call needs a name"));
  }
  if (c.offers.find_tool(*name) == nullptr) {
    return c.refuse(unknown_tool(*name));
  }
  call out;
  if (begin(c, method::tools_call, wanted[2].value, out) && take_arguments(c, wanted[1].value, out)) {
    out.name = *name;
    c.result.call = std::move(out);
  }
}

void read_resource(context& c) {
  std::array<field, 2> wanted{{{"uri"}, {"_meta"}}};
  const bool single = read_fields(c.msg.params(), wanted);
  const auto uri = text_of(wanted[0].value);
  if (!single || !uri || uri->size() > c.server.max_uri_bytes) {
    return c.refuse(invalid_params("resources/read needs a uri of limited length"));
  }
  if (!c.offers.readable(*uri)) {
    return c.refuse(resource_not_found(*uri));
  }
  call out;
  if (begin(c, method::resources_read, wanted[1].value, out)) {
    out.name = *uri;
    out.arguments = "{}";
    c.result.call = std::move(out);
  }
}

void get_prompt(context& c) {
  std::array<field, 3> wanted{{{"name"}, {"arguments"}, {"_meta"}}};
  const bool single = read_fields(c.msg.params(), wanted);
  const auto name = text_of(wanted[0].value);
  if (!single || !name) {
    return c.refuse(invalid_params("prompts/get needs a name"));
  }
  const auto* found = c.offers.find_prompt(*name);
  if (found == nullptr) {
    return c.refuse(unknown_prompt(*name));
  }
  call out;
  if (!begin(c, method::prompts_get, wanted[2].value, out) || !take_arguments(c, wanted[1].value, out)) {
    return;
  }
  if (const auto lacking = missing(*found, out.arguments); !lacking.empty()) {
    return c.refuse(missing_argument(*name, lacking));
  }
  if (!only_strings(out.arguments)) {
    return c.refuse(invalid_params("the arguments of a prompt are strings"));
  }
  out.name = *name;
  c.result.call = std::move(out);
}

void complete(context& c) {
  std::array<field, 4> wanted{{{"ref"}, {"argument"}, {"context"}, {"_meta"}}};
  const bool single = read_fields(c.msg.params(), wanted);
  if (!single || !is_completion_argument(wanted[1].value)) {
    return c.refuse(invalid_params("completion/complete needs a ref, and an argument with name and value"));
  }
  std::array<field, 1> chosen{{{"arguments"}}};
  const auto context = wanted[2].value;
  if (!context.empty() && (!is_object(context) || !read_fields(context, chosen) ||
                           !(chosen[0].value.empty() || is_object(chosen[0].value)))) {
    return c.refuse(invalid_params("context.arguments is not an object"));
  }
  auto name = completed(c, wanted[0].value);
  call out;
  if (name && begin(c, method::completion_complete, wanted[3].value, out)) {
    out.name = std::move(*name);
    out.arguments = wanted[1].value;
    out.context = chosen[0].value;
    c.result.call = std::move(out);
  }
}

}  // namespace cafmcp::mcp::detail
