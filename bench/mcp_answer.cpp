#include "bench/mcp_answer.hpp"

#include <algorithm>
#include <optional>

namespace cafmcp::bench {

namespace {

namespace ondemand = simdjson::ondemand;

constexpr std::size_t excerpt_bytes = 200;

// What the top level of a message says.
struct seen {
  std::optional<std::uint64_t> id;
  bool has_id = false;
  bool has_method = false;
  bool has_result = false;
  bool has_error = false;
  bool is_error = false;
  std::int64_t code = 0;
};

// Whether a result has a true `isError`. Throws like all that reads on demand.
bool says_error(ondemand::value result) {
  bool out = false;
  for (auto field : result.get_object())
    if (field.key() == "isError")
      out = field.value().get_bool();
  return out;
}

// The code of an error, 0 when it has none. Throws likewise.
std::int64_t code_of(ondemand::value error) {
  std::int64_t out = 0;
  ondemand::object members;
  if (error.get_object().get(members) != simdjson::SUCCESS)
    return out;
  for (auto field : members)
    if (field.key() == "code" && field.value().get_int64().get(out) != simdjson::SUCCESS)
      out = 0;
  return out;
}

seen look(ondemand::document& message) {
  seen out;
  for (auto field : message.get_object()) {
    const ondemand::raw_json_string key = field.key();
    if (key == "id") {
      std::uint64_t id = 0;
      out.has_id = true;
      if (field.value().get_uint64().get(id) == simdjson::SUCCESS)
        out.id = id;
    } else if (key == "result") {
      out.has_result = true;
      out.is_error = says_error(field.value());
    } else if (key == "error") {
      out.has_error = true;
      out.code = code_of(field.value());
    } else if (key == "method") {
      out.has_method = true;
    }
  }
  if (message.current_location().error() != simdjson::OUT_OF_BOUNDS)
    throw simdjson::simdjson_error{simdjson::TRAILING_CONTENT};
  return out;
}

mcp_answer::kind kind_of(const seen& s) {
  using kind = mcp_answer::kind;
  if (s.has_method)
    return s.has_result || s.has_error ? kind::malformed : s.has_id ? kind::request : kind::notified;
  if (s.has_result == s.has_error || !s.id)
    return kind::malformed;
  return s.has_error || s.is_error ? kind::failure : kind::success;
}

}  // namespace

std::string excerpt(std::string_view text) {
  std::string out{text.substr(0, excerpt_bytes)};
  std::replace_if(
      out.begin(), out.end(), [](unsigned char c) { return c < ' ' || c == 0x7f; }, ' ');
  return out;
}

mcp_answer answer_reader::read(std::string_view message, std::size_t room) {
  mcp_answer out;
  try {
    ondemand::document document = json_.read(message, room);
    const seen s = look(document);
    out.what = kind_of(s);
    out.id = s.id.value_or(0);
    out.code = s.code;
  } catch (const simdjson::simdjson_error&) {
    out.what = mcp_answer::kind::malformed;
  }
  if (out.what == mcp_answer::kind::failure || out.what == mcp_answer::kind::malformed)
    out.detail = excerpt(message);
  return out;
}

}  // namespace cafmcp::bench
