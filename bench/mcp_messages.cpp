#include "bench/mcp_messages.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <nlohmann/json.hpp>

#include "base/version.hpp"

namespace cafmcp::bench {

namespace {

using json = nlohmann::ordered_json;

void append_number(std::uint64_t number, std::string& out) {
  std::array<char, 20> digits{};
  out.append(digits.data(), std::to_chars(digits.data(), digits.data() + digits.size(), number).ptr);
}

}  // namespace

result<mcp_messages> build_messages(const std::string& tool, const std::string& arguments) {
  if (!json::parse(arguments, nullptr, false).is_object())
    return fail(errc::invalid, "arguments '" + arguments.substr(0, 80) + "': must be a JSON object");
  std::string name;
  try {
    name = json(tool).dump();
  } catch (const json::type_error&) {
    return fail(errc::invalid, "tool: its name is no UTF-8");
  }
  const json client{{"name", "cafmcp-load"}, {"version", version}};
  const json parameters{
      {"protocolVersion", session_revision}, {"capabilities", json::object()}, {"clientInfo", client}};
  const json initialize{
      {"method", "initialize"}, {"params", parameters}, {"jsonrpc", "2.0"}, {"id", initialize_id}};
  mcp_messages out;
  out.initialize = initialize.dump();
  out.initialized = R"({"method":"notifications/initialized","jsonrpc":"2.0"})";
  out.call_head = R"({"jsonrpc":"2.0","id":)";
  out.call_tail =
      R"(,"method":"tools/call","params":{"name":)" + name + R"(,"arguments":)" + arguments + "}}";
  return out;
}

void append_call(const mcp_messages& messages, std::uint64_t id, std::string& out) {
  out += messages.call_head;
  append_number(id, out);
  out += messages.call_tail;
}

void append_request(std::string_view head, std::string_view session, std::string_view body,
                    std::string& out) {
  out += head;
  out += session;
  out += "Content-Length: ";
  append_number(body.size(), out);
  out += "\r\n\r\n";
  out += body;
}

std::string session_fields(std::string_view id, std::string_view revision) {
  std::string out;
  if (!id.empty())
    out.append("Mcp-Session-Id: ").append(id).append("\r\n");
  return out.append("MCP-Protocol-Version: ").append(revision).append("\r\n");
}

result<std::string> negotiated_revision(std::string_view answer) {
  const json message = json::parse(answer, nullptr, false);
  const json::json_pointer place{"/result/protocolVersion"};
  const auto visible = [](unsigned char c) { return c > ' ' && c < 0x7f; };
  if (message.is_object() && message.contains(place) && message[place].is_string()) {
    auto revision = message[place].get<std::string>();
    if (!revision.empty() && std::all_of(revision.begin(), revision.end(), visible))
      return revision;
  }
  return fail(errc::invalid, "no protocolVersion in " + std::string{answer.substr(0, 200)});
}

}  // namespace cafmcp::bench
