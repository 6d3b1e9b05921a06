// The demo's tools on the session's state, which outlives the node that set it.
#include <cstdint>

#include "sdk/demo_parts.hpp"

namespace cafmcp::sdk::detail {

namespace {

const mcp::json key_schema = {
    {"type", "string"}, {"minLength", 1}, {"maxLength", 512}, {"description", "Name of the value."}};

std::string key_of(const call& c) {
  return c.arguments().at("key").get<std::string>();
}

// A value as a text: strings as they are, everything else as JSON.
std::string text_of(const json& value) {
  return value.is_string() ? value.get<std::string>() : value.dump();
}

void set(const call& c) {
  auto value = c.arguments().at("value");
  c.state().set(key_of(c), value, [c, value](result<void> outcome) {
    outcome ? c.reply({text_of(value), {{"value", value}}}) : c.fail(std::move(outcome).error());
  });
}

void get(const call& c) {
  c.state().get(key_of(c), [c](result<std::optional<json>> outcome) {
    if (!outcome)
      return c.fail(std::move(outcome).error());
    const auto value = outcome->value_or(nullptr);
    c.reply({text_of(value), {{"value", value}, {"found", outcome->has_value()}}});
  });
}

void incr(const call& c) {
  const auto by = c.arguments().value("by", std::int64_t{1});
  c.state().incr(key_of(c), by, [c](result<std::int64_t> outcome) {
    outcome ? c.reply({std::to_string(*outcome), {{"value", *outcome}}}) : c.fail(std::move(outcome).error());
  });
}

void keys(const call& c) {
  c.state().keys([c](result<std::vector<std::string>> outcome) {
    if (!outcome)
      return c.fail(std::move(outcome).error());
    const json names = *outcome;
    c.reply({names.dump(), {{"keys", names}}});
  });
}

}  // namespace

void add_state_tools(server& demo) {
  demo.tool({.name = "state_set",
             .title = "Set a value",
             .description =
                 "Keeps a value with this session. It stays when the node that runs the session is lost.",
             .input_schema = object_schema(
                 {{"key", key_schema}, {"value", {{"description", "Any JSON value."}}}}, {"key", "value"}),
             .annotations = {{"idempotentHint", true}, {"openWorldHint", false}}},
            async(set));
  demo.tool({.name = "state_get",
             .title = "Get a value",
             .description = "Gives a value that was kept with this session; null if there is none.",
             .input_schema = object_schema({{"key", key_schema}}, {"key"}),
             .annotations = {{"readOnlyHint", true}, {"openWorldHint", false}}},
            async(get));
  demo.tool(
      {.name = "state_incr",
       .title = "Count",
       .description =
           "Adds to an integer that is kept with this session (0 at first) and gives the new value.",
       .input_schema = object_schema(
           {{"key", key_schema}, {"by", {{"type", "integer"}, {"description", "What to add; 1 if absent."}}}},
           {"key"}),
       .annotations = {{"destructiveHint", false}, {"openWorldHint", false}}},
      async(incr));
  demo.tool({.name = "state_keys",
             .title = "List the keys",
             .description = "Lists the keys of all values that are kept with this session, as a JSON array.",
             .annotations = {{"readOnlyHint", true}, {"openWorldHint", false}}},
            async(keys));
}

}  // namespace cafmcp::sdk::detail
