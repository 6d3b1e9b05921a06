#define CAF_SUITE mcp_messages

#include "bench/mcp_messages.hpp"

#include <nlohmann/json.hpp>

#include "tests/unit/caf_test.hpp"

using namespace cafmcp::bench;
using nlohmann::json;

CAF_TEST(a call differs from the next by its id) {
  const auto messages = build_messages("a \"b\"", R"({"x": [1, 12345678901234567890123]})");
  CAF_REQUIRE(messages.has_value());
  std::string call = "kept";
  append_call(*messages, 10, call);
  CAF_REQUIRE(call.starts_with("kept"));
  CAF_CHECK(call.find("12345678901234567890123") != std::string::npos);  // arguments go as they were given
  const json a = json::parse(call.substr(4));
  CAF_CHECK(a["jsonrpc"] == json("2.0"));
  CAF_CHECK(a["id"] == json(10));
  CAF_CHECK(a["method"] == json("tools/call"));
  CAF_CHECK(a["params"]["name"] == json("a \"b\""));
  CAF_CHECK(a["params"]["arguments"]["x"][0] == json(1));
  const json initialize = json::parse(messages->initialize);
  CAF_CHECK(initialize["id"] == json(initialize_id));
  CAF_CHECK(initialize["params"]["protocolVersion"] == json("2025-11-25"));
  CAF_CHECK(initialize["params"]["capabilities"].is_object());
  CAF_CHECK(initialize["params"]["clientInfo"]["version"].is_string());
  CAF_CHECK(json::parse(messages->initialized)["method"] == json("notifications/initialized"));
}

CAF_TEST(a session is opened with the messages of the official SDK) {
  // As @modelcontextprotocol/sdk 1 sends them, but for the client's name and version.
  const std::string theirs =
      R"({"method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":{},"clientInfo":)"
      R"({"name":"example-client","version":"1.0.0"}},"jsonrpc":"2.0","id":0})";
  const auto messages = build_messages("echo", "{}");
  CAF_REQUIRE(messages.has_value());
  const auto client = nlohmann::ordered_json::parse(messages->initialize)["params"]["clientInfo"].dump();
  std::string ours = messages->initialize;
  ours.replace(ours.find(client), client.size(), R"({"name":"example-client","version":"1.0.0"})");
  CAF_CHECK_EQUAL(ours, theirs);
  CAF_CHECK_EQUAL(messages->initialized, R"({"method":"notifications/initialized","jsonrpc":"2.0"})");
}

CAF_TEST(arguments are a JSON object) {
  for (const char* text : {"", "[]", "{", "1", "{} {}"})
    CAF_CHECK(build_messages("echo", text).has_error());
  CAF_CHECK(build_messages("\xff", "{}").has_error());
}

CAF_TEST(a request is head and session and length and body) {
  std::string out;
  append_request("POST / HTTP/1.1\r\nHost: h\r\n", session_fields("s1", "2025-06-18"), "{\"a\":1}", out);
  CAF_CHECK_EQUAL(out,
                  "POST / HTTP/1.1\r\nHost: h\r\nMcp-Session-Id: s1\r\nMCP-Protocol-Version: 2025-06-18\r\n"
                  "Content-Length: 7\r\n\r\n{\"a\":1}");
  CAF_CHECK_EQUAL(session_fields("", "v"), "MCP-Protocol-Version: v\r\n");
}

CAF_TEST(the revision is what the server says) {
  CAF_CHECK_EQUAL(negotiated_revision(R"({"id":0,"result":{"protocolVersion":"2025-03-26"}})").value(),
                  "2025-03-26");
  for (const char* text :
       {"", "[]", "{}", R"({"result":1})", R"({"result":{}})", R"({"result":{"protocolVersion":1}})",
        R"({"result":{"protocolVersion":""}})", R"({"result":{"protocolVersion":"a\r\nb"}})"})
    CAF_CHECK(negotiated_revision(text).has_error());
}
