#pragma once
// What handlers give back: pieces of content, and the results of the four methods that run a handler.
// `to_json` writes them for one revision: what that doesn't know becomes text that says the same, or is left
// out, so that a handler need not know whom it talks to. Value types: thread-compatible. MCP: Tools, Tool
// Result; Resources, Reading; Prompts, Messages; Completion.

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "mcp/definitions.hpp"

namespace cafmcp::mcp {

/// Text.
struct text_content {
  std::string text = {};
  json annotations = {};
  json meta = {};
};

/// A picture. `data` is base64.
struct image_content {
  std::string data = {};
  std::string mime_type = {};
  json annotations = {};
  json meta = {};
};

/// Sound (2025-03-26). Before: a text that says so.
struct audio_content {
  std::string data = {};
  std::string mime_type = {};
  json annotations = {};
  json meta = {};
};

/// What a resource holds: text, or base64 if `is_blob`.
struct resource_contents {
  std::string uri = {};
  std::string mime_type = {};  ///< empty: absent
  std::string data = {};
  bool is_blob = false;
  json meta = {};
};

/// A resource, within.
struct embedded_resource {
  resource_contents contents = {};
  json annotations = {};
  json meta = {};
};

/// A resource to be read by its URI (2025-06-18). Before: its name and URI as text.
struct resource_link {
  resource target = {};
};

using content = std::variant<text_content, image_content, audio_content, embedded_resource, resource_link>;

/// Result of tools/call.
struct call_result {
  std::vector<content> contents = {};
  json structured_content = {};  ///< an object; null: absent. Without other content it is also sent as text.
  bool is_error = false;
  json meta = {};
};

/// Result of resources/read.
struct read_result {
  std::vector<resource_contents> contents = {};
  json meta = {};
};

/// A message of a prompt.
struct prompt_message {
  std::string role = "user";  ///< or `assistant`
  content body = {};
};

/// Result of prompts/get.
struct prompt_result {
  std::string description = {};
  std::vector<prompt_message> messages = {};
  json meta = {};
};

/// Most values that a completion may carry; the rest is cut off and `hasMore` set.
inline constexpr std::size_t max_completion_values = 100;

/// Result of completion/complete.
struct completion_result {
  std::vector<std::string> values = {};
  std::optional<std::uint64_t> total = {};
  bool has_more = false;
};

json to_json(const content& c, revision r);
json to_json(const resource_contents& c, revision r);
json to_json(const call_result& x, revision r);
json to_json(const read_result& x, revision r);
json to_json(const prompt_result& x, revision r);
json to_json(const completion_result& x, revision r);

/// A tool's answer that is one text.
call_result text_result(std::string text, bool is_error = false);

}  // namespace cafmcp::mcp
