#pragma once
// Another opinion about JSON: what nlohmann's parser says of the same bytes, one pass and no document, so
// that depth doesn't matter. Pure functions: thread-safe.

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace cafmcp::fuzz {

/// Kinds of values.
enum class json_kind : unsigned char { null, boolean, integer, number, string, object, array };

/// A member of the object that the bytes are, or of one in its `error`.
struct json_member {
  std::string name;
  json_kind kind = json_kind::null;
  std::string text;  ///< of a string, unescaped
};

/// What was seen.
struct json_seen {
  enum class verdict : unsigned char {
    valid,
    invalid,
    unknown  ///< a number beyond a double, at which nlohmann stops: valid by RFC 8259, and valid for us
  };

  verdict what = verdict::invalid;
  json_kind kind = json_kind::null;         ///< of the whole
  std::size_t depth = 0;                    ///< most objects and arrays that are open at once
  std::size_t elements = 0;                 ///< if it is an array
  std::vector<json_member> members = {};    ///< if it is an object, in order, repeated ones too
  std::vector<json_member> in_errors = {};  ///< those of each object that is its member `error`
};

/// Looks at the bytes.
json_seen look_at(std::string_view bytes);

/// Whether they are JSON, or may be as far as the oracle can tell.
inline bool may_be_json(std::string_view bytes) {
  return look_at(bytes).what != json_seen::verdict::invalid;
}

/// What JSON-RPC message bytes are, by that opinion and the rules of mcp/message.hpp.
enum class expected_message : unsigned char { none, request, notification, response, error, unknown };

/// `unknown` where the answer depends on how the bytes are spelled: `"2.0"` with escapes, long ids.
expected_message expected_of(const json_seen& seen);

}  // namespace cafmcp::fuzz
