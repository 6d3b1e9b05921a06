#define CAF_SUITE session

#include "mcp/session.hpp"

#include "mcp/notify.hpp"
#include "tests/unit/caf_test.hpp"

using namespace cafmcp::mcp;

namespace {

catalogue::ptr offers() {
  catalogue_content parts;
  parts.tools.push_back({.name = "add"});
  parts.resources.push_back({.uri = "test://a", .name = "a"});
  parts.templates.push_back({.uri_template = "test://t/{id}", .name = "t"});
  parts.prompts.push_back({.name = "p", .arguments = {{.name = "who", .required = true}, {.name = "how"}}});
  return catalogue::make(std::move(parts)).value();
}

/// A session and what it said last.
struct fixture {
  catalogue::ptr all = offers();
  server_info server{.name = "s", .title = "S", .version = "1", .instructions = "do"};
  step_options options;
  session_state state;
  std::vector<change> history;
  outcome last;

  /// Steps and applies; the answer, or nothing.
  std::string send(const std::string& bytes) {
    const auto m = parse(bytes);
    CAF_REQUIRE(m.has_value());
    last = step(state, *m, *all, server, options);
    for (const auto& c : last.changes) {
      CAF_REQUIRE(apply(state, c).has_value());
      history.push_back(c);
    }
    CAF_CHECK(last.out.size() <= 1);
    return last.out.empty() ? "" : last.out[0];
  }

  std::string request(const std::string& name, const std::string& params = "{}") {
    return send(R"({"jsonrpc":"2.0","id":7,"method":")" + name + R"(","params":)" + params + "}");
  }

  void notify(const std::string& name, const std::string& params = "{}") {
    CAF_CHECK_EQUAL(send(R"({"jsonrpc":"2.0","method":")" + name + R"(","params":)" + params + "}"), "");
  }

  json result(const std::string& name, const std::string& params = "{}") {
    return json::parse(request(name, params))["result"];
  }

  /// The code of the error; 0: there was none.
  int code(const std::string& name, const std::string& params = "{}") {
    const auto answer = request(name, params);
    return answer.empty() ? 0 : json::parse(answer).value("error", json::object()).value("code", 0);
  }

  json open(const std::string& version = "2025-11-25", const std::string& capabilities = "{}") {
    return result("initialize", R"({"protocolVersion":")" + version + R"(","capabilities":)" + capabilities +
                                    R"(,"clientInfo":{"name":"c","version":"1"}})");
  }
};

}  // namespace

CAF_TEST_FIXTURE_SCOPE(session_tests, fixture)

CAF_TEST(a session is opened) {
  CAF_CHECK_EQUAL(dump(open()),
                  R"({"protocolVersion":"2025-11-25","capabilities":{"tools":{"listChanged":true},)"
                  R"("resources":{"listChanged":true,"subscribe":true},"prompts":{"listChanged":true},)"
                  R"("logging":{},"completions":{}},"serverInfo":{"name":"s","title":"S","version":"1"},)"
                  R"("instructions":"do"})");
  CAF_CHECK(state.phase == session_phase::initializing);
  CAF_CHECK_EQUAL(state.client_info, R"({"name":"c","version":"1"})");
  notify("notifications/initialized");
  CAF_CHECK(state.phase == session_phase::ready);
  notify("notifications/initialized");
  CAF_CHECK(last.changes.empty());
}

CAF_TEST(the revision is negotiated) {
  const auto old = open("2024-11-05");
  CAF_CHECK_EQUAL(old["protocolVersion"], "2024-11-05");
  CAF_CHECK(!old["capabilities"].contains("completions") && !old["serverInfo"].contains("title"));
  state = {};
  CAF_CHECK(open("2026-07-28")["protocolVersion"] == "2025-11-25");
  state = {};
  CAF_CHECK(open("1999-01-01")["protocolVersion"] == "2025-11-25");
}

CAF_TEST(capabilities follow the catalogue) {
  all = catalogue::make({}).value();
  server.offer_empty = false;
  CAF_CHECK_EQUAL(dump(open()["capabilities"]), R"({"logging":{}})");
  CAF_CHECK_EQUAL(code("tools/list"), -32601);
  CAF_CHECK_EQUAL(code("completion/complete"), -32601);
  all = offers();
  CAF_CHECK_EQUAL(code("tools/list"), 0);
}

CAF_TEST(bad and second initializations are refused) {
  for (
      const auto* params :
      {"{}", R"({"protocolVersion":1,"capabilities":{},"clientInfo":{"name":"c","version":"1"}})",
       R"({"protocolVersion":"x","capabilities":[],"clientInfo":{"name":"c","version":"1"}})",
       R"({"protocolVersion":"x","capabilities":{},"clientInfo":{"name":"c"}})",
       R"({"protocolVersion":"x","protocolVersion":"y","capabilities":{},"clientInfo":{"name":"c","version":"1"}})"}) {
    CAF_CHECK_EQUAL(code("initialize", params), -32602);
  }
  CAF_CHECK(last.changes.empty());
  server.max_client_bytes = 10;
  CAF_CHECK_EQUAL(
      code("initialize",
           R"({"protocolVersion":"x","capabilities":{},"clientInfo":{"name":"c","version":"1"}})"),
      -32602);
  server.max_client_bytes = 1000;
  open();
  notify("notifications/initialized");
  CAF_CHECK_EQUAL(
      code("initialize",
           R"({"protocolVersion":"x","capabilities":{},"clientInfo":{"name":"c","version":"1"}})"),
      -32600);
  CAF_CHECK(last.changes.empty());
}

CAF_TEST(a resumed connection may negotiate anew and keeps the rest) {
  open();
  notify("notifications/initialized");
  request("resources/subscribe", R"({"uri":"test://a"})");
  options = {.allow_reinitialize = true, .initialize_meta = R"({"io.cafmcp/session":{"id":"x"}})"};
  const auto answer = open("2025-06-18");
  CAF_CHECK_EQUAL(answer["protocolVersion"], "2025-06-18");
  CAF_CHECK_EQUAL(answer["_meta"]["io.cafmcp/session"]["id"], "x");
  CAF_CHECK(state.version == revision::v2025_06_18 && state.subscriptions.contains("test://a"));
}

CAF_TEST(only ping works before initialize) {
  CAF_CHECK_EQUAL(request("ping"), R"({"jsonrpc":"2.0","id":7,"result":{}})");
  CAF_CHECK_EQUAL(code("tools/list"), -32000);
  CAF_CHECK_EQUAL(code("nonsense"), -32000);
  notify("notifications/initialized");
  notify("notifications/cancelled", R"({"requestId":1})");
  CAF_CHECK(last.changes.empty() && !last.cancelled);
}

CAF_TEST(methods that the revision lacks are not found) {
  open("2025-06-18");
  for (const auto* name : {"nonsense", "tasks/get", "server/discover", "roots/list",
                           "notifications/initialized", "", "sampling/createMessage"}) {
    CAF_CHECK_EQUAL(code(name), -32601);
  }
  notify("nonsense");
  notify("tools/list");
}

CAF_TEST(tools are listed and called) {
  open();
  CAF_CHECK_EQUAL(dump(result("tools/list")),
                  R"({"tools":[{"name":"add","inputSchema":{"type":"object"}}]})");
  CAF_CHECK_EQUAL(code("tools/list", R"({"cursor":"zz"})"), -32602);
  CAF_CHECK_EQUAL(code("tools/list", R"({"cursor":1})"), -32602);
  CAF_CHECK_EQUAL(
      request("tools/call", R"({"name":"add","arguments":{"a":[1, 2]},"_meta":{"progressToken":"t"}})"), "");
  const call expected{.id = "7",
                      .name = "add",
                      .arguments = R"({"a":[1, 2]})",
                      .progress_token = "\"t\"",
                      .meta = R"({"progressToken":"t"})"};
  CAF_REQUIRE(last.call.has_value());
  CAF_CHECK(*last.call == expected);
  request("tools/call", R"({"name":"add"})");
  CAF_CHECK_EQUAL(last.call.value().arguments, "{}");
  CAF_CHECK(json::parse(request("tools/call", R"({"name":"x"})"))["error"]["message"] == "Unknown tool: x");
  for (const auto* params :
       {"{}", R"({"name":1})", R"({"name":"x"})", R"({"name":"add","arguments":[]})",
        R"({"name":"add","name":"add"})", R"({"name":"add","arguments":{},"arguments":{}})",
        R"({"name":"add","_meta":1})", R"({"name":"add","_meta":{"progressToken":1.5}})"}) {
    CAF_CHECK_EQUAL(code("tools/call", params), -32602);
    CAF_CHECK(!last.call);
  }
}

CAF_TEST(resources are read and subscribed to) {
  open();
  CAF_CHECK_EQUAL(result("resources/list")["resources"].size(), 1u);
  CAF_CHECK_EQUAL(result("resources/templates/list")["resourceTemplates"].size(), 1u);
  request("resources/read", R"({"uri":"test://t/1"})");
  CAF_CHECK(last.call && last.call->method == method::resources_read && last.call->name == "test://t/1");
  CAF_CHECK_EQUAL(dump(json::parse(request("resources/read", R"({"uri":"x:y"})"))["error"]),
                  R"({"code":-32002,"message":"Resource not found: x:y","data":{"uri":"x:y"}})");
  CAF_CHECK_EQUAL(code("resources/read"), -32602);
  CAF_CHECK_EQUAL(code("resources/read", "{\"uri\":\"test://t/" + std::string(5000, 'x') + "\"}"), -32602);

  server.max_subscriptions = 2;
  const auto subscribe = [&](const std::string& uri) {
    return code("resources/subscribe", "{\"uri\":\"" + uri + "\"}");
  };
  CAF_CHECK_EQUAL(subscribe("test://a"), 0);
  CAF_CHECK_EQUAL(subscribe("test://a"), 0);
  CAF_CHECK(last.changes.empty());
  CAF_CHECK_EQUAL(subscribe("test://t/1"), 0);
  CAF_CHECK_EQUAL(subscribe("test://t/2"), -32602);
  CAF_CHECK_EQUAL(subscribe("other://"), -32002);
  CAF_CHECK_EQUAL(subscribe(""), -32602);
  CAF_CHECK_EQUAL(subscribe("test://t/" + std::string(5000, 'x')), -32602);
  CAF_CHECK(resource_updated(state, "test://a").value().find("test://a") != std::string::npos);
  CAF_CHECK(!resource_updated(state, "test://t/2"));
  CAF_CHECK_EQUAL(code("resources/unsubscribe", R"({"uri":"test://a"})"), 0);
  CAF_CHECK_EQUAL(code("resources/unsubscribe", R"({"uri":"test://a"})"), 0);
  CAF_CHECK(!resource_updated(state, "test://a"));
}

CAF_TEST(prompts are got and completed) {
  open();
  request("prompts/get", R"({"name":"p","arguments":{"who":"me"}})");
  CAF_CHECK(last.call && last.call->method == method::prompts_get);
  for (const auto* params :
       {"{}", R"({"name":"q"})", R"({"name":"p"})", R"({"name":"p","arguments":{"how":"x"}})",
        R"({"name":"p","arguments":{"who":1}})"}) {
    CAF_CHECK_EQUAL(code("prompts/get", params), -32602);
  }
  request(
      "completion/complete",
      R"({"ref":{"type":"ref/prompt","name":"p"},"argument":{"name":"who","value":"m"},"context":{"arguments":{"how":"y"}}})");
  CAF_REQUIRE(last.call.has_value());
  CAF_CHECK_EQUAL(last.call->name + last.call->arguments + last.call->context,
                  R"(p{"name":"who","value":"m"}{"how":"y"})");
  request("completion/complete",
          R"({"ref":{"type":"ref/resource","uri":"test://t/{id}"},"argument":{"name":"id","value":""}})");
  CAF_CHECK(last.call && last.call->name == "test://t/{id}");
  for (const auto* params :
       {"{}", R"({"ref":{"type":"ref/prompt","name":"q"},"argument":{"name":"a","value":"b"}})",
        R"({"ref":{"type":"ref/x","name":"p"},"argument":{"name":"a","value":"b"}})",
        R"({"ref":{"type":"ref/prompt","name":"p"},"argument":{"name":"a"}})",
        R"({"ref":1,"argument":{"name":"a","value":""}})",
        R"({"ref":{"type":"ref/prompt","name":"p"},"argument":{"name":"a","value":"b"},"context":1})"}) {
    CAF_CHECK_EQUAL(code("completion/complete", params), -32602);
  }
}

CAF_TEST(logs are filtered by level) {
  CAF_CHECK(!log_message(state, log_level::error, "", "1"));
  open();
  CAF_CHECK_EQUAL(
      log_message(state, log_level::debug, "l", R"("x")").value_or(""),
      R"({"jsonrpc":"2.0","method":"notifications/message","params":{"level":"debug","logger":"l","data":"x"}})");
  for (const auto* params : {"{}", R"({"level":"loud"})", R"({"level":3})"}) {
    CAF_CHECK_EQUAL(code("logging/setLevel", params), -32602);
  }
  CAF_CHECK_EQUAL(request("logging/setLevel", R"({"level":"warning"})"),
                  R"({"jsonrpc":"2.0","id":7,"result":{}})");
  CAF_CHECK(!log_message(state, log_level::notice, "", "1"));
  CAF_CHECK(log_message(state, log_level::warning, "", "1").has_value());
}

CAF_TEST(progress and list changes) {
  using enum revision;
  CAF_CHECK_EQUAL(progress_message(v2025_03_26, "\"t\"", 50, 100, "half").value_or(""),
                  R"({"jsonrpc":"2.0","method":"notifications/progress","params":)"
                  R"({"progressToken":"t","progress":50,"total":100,"message":"half"}})");
  CAF_CHECK(
      progress_message(v2024_11_05, "1", 0.5, {}, "half").value_or("").ends_with(R"("progress":0.5}})"));
  CAF_CHECK(!progress_message(v2024_11_05, "", 1) && !progress_message(v2024_11_05, "1", 0.0 / 0.0));
  CAF_CHECK(!list_changed(state, changed_list::tools));
  open();
  CAF_CHECK_EQUAL(list_changed(state, changed_list::tools).value_or(""),
                  R"({"jsonrpc":"2.0","method":"notifications/tools/list_changed"})");
  server.list_changed = false;
  state = {};
  CAF_CHECK_EQUAL(dump(open()["capabilities"]["tools"]), "{}");
  CAF_CHECK(!list_changed(state, changed_list::tools));
  CAF_CHECK(cancel_message("1", "why").ends_with(R"("params":{"requestId":1,"reason":"why"}})"));
}

CAF_TEST(what the client says about requests is handed out) {
  open("2025-11-25", R"({"roots":{"listChanged":true},"elicitation":{}})");
  const auto declares = declared(state);
  CAF_CHECK(contains(declares, capability::roots) && contains(declares, capability::elicitation));
  CAF_CHECK(!contains(declares, capability::sampling));
  notify("notifications/cancelled", R"({"requestId":"\u0061","reason":"late"})");
  CAF_CHECK(last.cancelled && last.cancelled->id == "\"a\"" && last.cancelled->reason == "late");
  notify("notifications/cancelled", R"({"requestId":null})");
  CAF_CHECK(!last.cancelled);
  notify("notifications/progress", R"({"progressToken":4,"progress":1})");
  CAF_CHECK(last.progress && last.progress->token == "4");
  notify("notifications/roots/list_changed");
  CAF_CHECK(last.roots_changed);
  CAF_CHECK_EQUAL(send(R"({"jsonrpc":"2.0","id":99,"result":{"roots":[]}})"), "");
  CAF_CHECK(last.answer && !last.answer->is_error && last.answer->body == R"({"roots":[]})");
  CAF_CHECK_EQUAL(send(R"({"jsonrpc":"2.0","id":99,"error":{"code":-1,"message":"no"}})"), "");
  CAF_CHECK(last.answer && last.answer->is_error);
}

CAF_TEST(a state is the replay of its changes) {
  open("2025-03-26", R"({"roots":{}})");
  notify("notifications/initialized");
  request("logging/setLevel", R"({"level":"error"})");
  request("resources/subscribe", R"({"uri":"test://a"})");
  request("resources/subscribe", R"({"uri":"test://t/1"})");
  request("resources/unsubscribe", R"({"uri":"test://a"})");
  session_state replayed;
  for (const auto& c : history) {
    CAF_CHECK(apply(replayed, c).has_value());
  }
  CAF_CHECK(replayed == state);
  session_state shortened;
  for (const auto& c : changes_of(state)) {
    CAF_CHECK(apply(shortened, c).has_value());
  }
  CAF_CHECK(shortened == state);
  for (const auto& bad :
       {change{static_cast<change_kind>(99), ""}, change{change_kind::initialize, "2026-07-28"},
        change{change_kind::offered, "x"}, change{change_kind::log_level, "loud"}}) {
    CAF_CHECK(apply(shortened, bad).has_error());
  }
  CAF_CHECK(shortened == state);
  CAF_CHECK(changes_of({}).empty());
}

CAF_TEST_FIXTURE_SCOPE_END()
