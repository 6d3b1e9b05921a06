#include "bench/canned.hpp"

#include "bench/mcp_messages.hpp"

namespace cafmcp::bench {

namespace {

constexpr std::string_view refusal =
    R"({"jsonrpc":"2.0","id":null,"error":{"code":-32700,"message":"Parse error"}})";
constexpr std::string_view call_tail = R"(,"result":{"content":[{"type":"text","text":"hello"}]}})";
constexpr std::string_view initialize_tail =
    R"(,"capabilities":{"tools":{}},"serverInfo":{"name":"ceiling","version":"1"}}})";

}  // namespace

canned_answers::kind canned_answers::append(std::string_view message, std::string& out) {
  std::string_view id;
  bool is_initialize = false;
  try {
    simdjson::ondemand::document document = json_.read(message, 0);
    for (auto field : document.get_object()) {
      const simdjson::ondemand::raw_json_string key = field.key();
      if (key == "id")
        id = field.value().raw_json_token();
      else if (key == "method")
        is_initialize = std::string_view{field.value().get_string()} == "initialize";
    }
  } catch (const simdjson::simdjson_error&) {
    out += refusal;
    return kind::other;
  }
  if (id.empty())
    return kind::nothing;
  id.remove_suffix(id.size() - id.find_last_not_of(" \t\r\n") - 1);  // the token goes on to the next
  out += R"({"jsonrpc":"2.0","id":)";
  out += id;
  if (!is_initialize) {
    out += call_tail;
    return kind::other;
  }
  out.append(R"(,"result":{"protocolVersion":")")
      .append(session_revision)
      .append("\"")
      .append(initialize_tail);
  return kind::initialize;
}

}  // namespace cafmcp::bench
