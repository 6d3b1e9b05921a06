#pragma once
// What a server offers, as values: tools, resources, templates, prompts. Schemas, icons, annotations and
// `_meta` are kept as the author wrote them, in their order; null means absent. `to_json` writes a definition
// for one revision and leaves out what that doesn't know. Value types: thread-compatible. MCP: Tools,
// Resources, Prompts; Schema Reference.

#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "mcp/revision.hpp"

namespace cafmcp::mcp {

/// JSON that keeps the order of its members.
using json = nlohmann::ordered_json;

/// Tool: something that a model can call.
struct tool {
  std::string name = {};
  std::string title = {};        ///< for people; empty: absent
  std::string description = {};  ///< for models; empty: absent
  json input_schema = {{"type", "object"}};
  json output_schema = {};  ///< an object schema; null: absent
  json annotations = {};    ///< hints: readOnlyHint, destructiveHint, idempotentHint, openWorldHint
  json icons = {};          ///< an array
  json meta = {};           ///< an object
};

/// Resource: something that can be read under a fixed URI.
struct resource {
  std::string uri = {};
  std::string name = {};
  std::string title = {};
  std::string description = {};
  std::string mime_type = {};
  std::optional<std::uint64_t> size = {};  ///< bytes, before any encoding
  json annotations = {};                   ///< audience, priority, lastModified
  json icons = {};
  json meta = {};
};

/// Resource template: a family of URIs, by RFC 6570.
struct resource_template {
  std::string uri_template = {};
  std::string name = {};
  std::string title = {};
  std::string description = {};
  std::string mime_type = {};
  json annotations = {};
  json icons = {};
  json meta = {};
};

/// An argument of a prompt. All values are strings.
struct prompt_argument {
  std::string name = {};
  std::string title = {};
  std::string description = {};
  bool required = false;
};

/// Prompt: messages that a person can ask for.
struct prompt {
  std::string name = {};
  std::string title = {};
  std::string description = {};
  std::vector<prompt_argument> arguments = {};
  json icons = {};
  json meta = {};
};

json to_json(const tool& t, revision r);
json to_json(const resource& x, revision r);
json to_json(const resource_template& x, revision r);
json to_json(const prompt& p, revision r);

/// One line of JSON; bytes that are not UTF-8 become U+FFFD. Doesn't throw on any value.
std::string dump(const json& value);

/// Sets `object[key]` unless `value` is empty or null.
void put(json& object, const char* key, const std::string& value);
void put(json& object, const char* key, const json& value);

}  // namespace cafmcp::mcp
