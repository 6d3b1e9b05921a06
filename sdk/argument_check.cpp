#include "sdk/argument_check.hpp"

#include "actors/schema_check.hpp"
#include "base/log.hpp"

namespace cafmcp::sdk::detail {

namespace {

// Whether a schema takes every object.
bool takes_all(const mcp::json& schema) {
  for (const auto& [key, value] : schema.items()) {
    const bool says_nothing = key == "type" || key == "$schema" || key == "title" || key == "description" ||
                              (key == "properties" && value.is_object() && value.empty()) ||
                              (key == "required" && value.is_array() && value.empty()) ||
                              (key == "additionalProperties" && value == true);
    if (!says_nothing)
      return false;
  }
  return true;
}

std::string joined(const std::vector<std::string>& words) {
  std::string out;
  for (const auto& word : words)
    out += (out.empty() ? "" : ", ") + word;
  return out;
}

}  // namespace

result<argument_check> argument_check::compile(const mcp::json& schema, std::string_view server,
                                               std::string_view tool) {
  if (!schema.is_object())
    return fail(errc::invalid, "the input schema must be an object");
  if (const auto type = schema.find("type"); type == schema.end() || *type != "object")
    return fail(errc::invalid, R"(the input schema must have "type": "object"; clients refuse others)");
  argument_check out;
  if (takes_all(schema))
    return out;
  auto compiled = actors::schema_check::compile(schema);
  if (!compiled)
    return std::move(compiled).error();
  if (!compiled->unchecked().empty())
    log::get("sdk").warn("a tool's schema has keywords that can't be checked; its handler has to do that",
                         {{"server", server}, {"tool", tool}, {"keywords", joined(compiled->unchecked())}});
  out.check_ = std::make_shared<const actors::schema_check>(std::move(*compiled));
  return out;
}

result<void> argument_check::check(const json& arguments) const {
  return check_ == nullptr ? result<void>{} : check_->check(arguments);
}

}  // namespace cafmcp::sdk::detail
