#define CAF_SUITE load_mcp

#include <map>
#include <set>

#include "bench/echo_server.hpp"
#include "bench/mcp_script.hpp"
#include "bench/report.hpp"

using namespace cafmcp;
using namespace cafmcp::bench;
using namespace std::chrono_literals;

namespace {

const char* const notification = R"({"jsonrpc":"2.0","method":"notifications/message","params":{}})";

// Opens sessions; calls are answered by `call`.
scripted_server::ws_script ws_calls(
    std::function<std::optional<std::vector<std::string>>(const json&)> call) {
  return [call = std::move(call)](const std::string& text) -> std::optional<std::vector<std::string>> {
    const json message = json::parse(text);
    if (message["method"] == "initialize")
      return std::vector<std::string>{notification, opened};
    if (!message.contains("id"))
      return std::vector<std::string>{};
    return call(message);
  };
}

// The bare server as an MCP server.
struct ceiling_server {
  ceiling_server() : server(2, answering::mcp) {
    CAF_REQUIRE(server.listen({asio::ip::address_v4::loopback(), 0}).has_value());
    thread = std::jthread{[this] { server.run(); }};
  }
  ~ceiling_server() { server.stop(); }
  echo_server server;
  std::jthread thread;
};

}  // namespace

CAF_TEST(both transports against the bare server in every use) {
  const ceiling_server s;
  for (const mode what : {mode::mcp_ws, mode::mcp_http})
    for (const session_use use : {session_use::keep, session_use::churn, session_use::abandon}) {
      plan p = plan_for(what, s.server.address().port());
      p.connections = 4;
      p.threads = 2;
      p.use = use;
      const stats counted = run(p);
      CAF_CHECK(counted.requests() > 0);
      CAF_CHECK_EQUAL(counted.failed(), 0u);
      CAF_CHECK_EQUAL(counted.first_failure, "");
      CAF_CHECK(use == session_use::keep ? counted.connects == 4 && counted.sessions == 4
                                         : counted.connects > 4 && counted.sessions >= counted.requests());
    }
}

CAF_TEST(a session on a WebSocket is opened as the specification has it) {
  std::vector<json> seen;
  scripted_server s{{}, [&](const std::string& text) -> std::optional<std::vector<std::string>> {
                      const json message = seen.emplace_back(json::parse(text));
                      if (message["method"] == "initialize")
                        return std::vector<std::string>{notification, opened};
                      if (!message.contains("id"))
                        return std::vector<std::string>{};
                      return std::vector<std::string>{result_of(message["id"])};
                    }};
  plan p = plan_for(mode::mcp_ws, s.port());
  p.tool = "add";
  p.arguments = R"({"a":1})";
  const stats counted = run(p);
  s.stop();
  CAF_CHECK_EQUAL(counted.failed(), 0u);
  CAF_REQUIRE(seen.size() > 3);
  CAF_CHECK(s.offered_mcp);
  CAF_CHECK(seen[0]["params"]["protocolVersion"] == "2025-11-25");
  CAF_CHECK(seen[1]["method"] == "notifications/initialized");
  for (std::size_t i = 2; i < seen.size(); ++i)
    CAF_REQUIRE(seen[i]["id"] == json(i - 1) &&
                seen[i]["params"] == json::parse(R"({"name":"add","arguments":{"a":1}})"));
}

CAF_TEST(calls in flight may be answered in any order) {
  std::vector<std::string> kept;
  std::set<std::uint64_t> ids;
  bool twice = false;
  scripted_server s{{}, ws_calls([&](const json& call) -> std::optional<std::vector<std::string>> {
                      twice = twice || !ids.insert(call["id"].get<std::uint64_t>()).second;
                      kept.push_back(result_of(call["id"]));
                      if (kept.size() < 4)
                        return std::vector<std::string>{};
                      std::reverse(kept.begin(), kept.end());
                      kept.insert(kept.begin(), notification);
                      kept.insert(kept.begin(), R"({"jsonrpc":"2.0","id":1,"method":"ping"})");
                      return std::exchange(kept, {});
                    })};
  plan p = plan_for(mode::mcp_ws, s.port());
  p.pipeline = 4;
  const stats counted = run(p);
  s.stop();
  CAF_CHECK(counted.requests() >= 8);
  CAF_CHECK(!twice);
  CAF_CHECK_EQUAL(counted.failed(), 0u);
}

CAF_TEST(errors of calls are counted with an example) {
  const char* const refusals[] = {R"(,"result":{"content":[],"isError":true}})",
                                  R"(,"error":{"code":-32602,"message":"no"}})"};
  for (const std::string tail : refusals) {
    const auto answer = [&](const json& call) {
      return R"({"jsonrpc":"2.0","id":)" + call["id"].dump() + tail;
    };
    const scripted_server s{
        http_sessions_script{[&](const json& call, const std::string&) { return http_answer(answer(call)); }},
        ws_calls([&](const json& call) { return std::vector<std::string>{answer(call)}; })};
    for (const mode what : {mode::mcp_ws, mode::mcp_http}) {
      const plan p = plan_for(what, s.port());
      const stats counted = run(p);
      CAF_CHECK_EQUAL(counted.requests(), 0u);
      CAF_CHECK(only(counted, failure::answer));
      CAF_CHECK_EQUAL(counted.connects, 1u);
      CAF_CHECK(counted.first_failure.find(tail) != std::string::npos);
      const auto report = to_json(p, counted, 0);
      CAF_CHECK(report["errors"]["by_kind"]["answer"].get<std::uint64_t>() == counted.failed());
      CAF_CHECK_EQUAL(report["mcp"]["sessions_opened"].get<std::uint64_t>(), 1u);
      CAF_CHECK(to_table(report).find("sessions") != std::string::npos);
    }
  }
}

CAF_TEST(an answer to another call is a mismatch) {
  const auto answer = [](const json& call) { return result_of(call["id"].get<int>() + 1); };
  const scripted_server s{
      http_sessions_script{[&](const json& call, const std::string&) { return http_answer(answer(call)); }},
      ws_calls([&](const json& call) { return std::vector<std::string>{answer(call)}; })};
  for (const mode what : {mode::mcp_ws, mode::mcp_http}) {
    const stats counted = run(plan_for(what, s.port()));
    CAF_CHECK_EQUAL(counted.requests(), 0u);
    CAF_CHECK(only(counted, failure::mismatch));
  }
}

CAF_TEST(what is never answered is given up) {
  const scripted_server s{[](const auto&) -> std::optional<std::string> { return ""; },
                          ws_calls([](const json& call) -> std::optional<std::vector<std::string>> {
                            if (call["id"].get<int>() % 4 == 3)  // the others are answered
                              return std::vector<std::string>{};
                            return std::vector<std::string>{result_of(call["id"])};
                          })};
  for (const mode what : {mode::mcp_ws, mode::mcp_http}) {
    plan p = plan_for(what, s.port());
    p.timeout = 150ms;
    p.duration = 1s;
    p.pipeline = what == mode::mcp_ws ? 4 : 1;
    const stats counted = run(p);
    CAF_CHECK(only(counted, failure::timeout));
    CAF_CHECK(counted.reconnects > 0);
    CAF_CHECK((counted.requests() > 0) == (what == mode::mcp_ws));
  }
}

CAF_TEST(a session that is refused is an error) {
  const char* const refusal = R"({"jsonrpc":"2.0","id":0,"error":{"code":-32602,"message":"no"}})";
  const scripted_server s{[&](const auto&) { return http_answer(refusal); },
                          [&](const std::string&) { return std::vector<std::string>{refusal}; }};
  for (const mode what : {mode::mcp_ws, mode::mcp_http}) {
    const stats counted = run(plan_for(what, s.port()));
    CAF_CHECK(only(counted, failure::session));
    CAF_CHECK(counted.first_failure.find("-32602") != std::string::npos);
    CAF_CHECK_EQUAL(counted.sessions, 0u);
  }
}

CAF_TEST(http sessions carry their fields and are used in turn) {
  std::map<std::string, unsigned> calls;
  http_sessions_script script{[&](const json& call, const std::string& session) {
    ++calls[session];
    return plain_result(call, session);
  }};
  scripted_server s{std::ref(script)};
  plan p = plan_for(mode::mcp_http, s.port());
  p.connections = 2;
  p.sessions = 5;
  const stats counted = run(p);
  s.stop();
  CAF_CHECK(counted.requests() > 0);
  CAF_CHECK_EQUAL(counted.failed(), 0u);
  CAF_CHECK_EQUAL(script.wrong, 0u);
  CAF_CHECK_EQUAL(script.initialized, 5u);
  CAF_CHECK_EQUAL(script.announced, 5u);
  CAF_CHECK_EQUAL(calls.size(), 5u);
}

CAF_TEST(an answer may come as a stream of events) {
  http_sessions_script script{[](const json& call, const std::string&) {
    const std::string head = "id: 1\ndata:\n\nevent: message\ndata: ";
    const std::string tail = "\n\n";
    const auto chunk = [](const std::string& bytes) {
      std::array<char, 16> size{};
      std::snprintf(size.data(), size.size(), "%zx\r\n", bytes.size());
      return size.data() + bytes + "\r\n";
    };
    return "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n" +
           chunk(head) + chunk(result_of(call["id"])) + chunk(tail) + "0\r\n\r\n";
  }};
  scripted_server s{std::ref(script)};
  const stats counted = run(plan_for(mode::mcp_http, s.port()));
  CAF_CHECK(counted.requests() > 0);
  CAF_CHECK_EQUAL(counted.failed(), 0u);
}

CAF_TEST(an http session outlives its connections) {
  http_sessions_script script{plain_result, "Connection: close\r\n"};
  script.call = [](const json& call, const std::string&) {
    return http_answer(result_of(call["id"]), "Connection: close\r\n");
  };
  scripted_server s{std::ref(script)};
  const stats counted = run(plan_for(mode::mcp_http, s.port()));
  s.stop();
  CAF_CHECK(counted.requests() > 1);
  CAF_CHECK_EQUAL(counted.failed(), 0u);
  CAF_CHECK(counted.reconnects > counted.requests());
  CAF_CHECK_EQUAL(script.initialized, 1u);
}

CAF_TEST(a session that is gone is opened anew) {
  unsigned calls = 0;
  http_sessions_script script{[&](const json& call, const std::string& session) {
    return ++calls == 3 ? http_answer("{}", "", "404 Not Found") : plain_result(call, session).value();
  }};
  scripted_server s{std::ref(script)};
  const stats counted = run(plan_for(mode::mcp_http, s.port()));
  s.stop();
  CAF_CHECK(counted.requests() > 2);
  CAF_CHECK(only(counted, failure::status));
  CAF_CHECK(counted.statuses.at(404) == 1);
  CAF_CHECK_EQUAL(script.initialized, 2u);
  CAF_CHECK_EQUAL(counted.connects, 1u);
}

CAF_TEST(churn ends what it has opened) {
  const auto churned = [](mode what, const char* to_delete) {
    http_sessions_script script{plain_result};
    script.to_delete = to_delete;
    scripted_server s{std::ref(script), ws_calls([](const json& call) {
                        return std::vector<std::string>{result_of(call["id"])};
                      })};
    plan p = plan_for(what, s.port());
    p.use = session_use::churn;
    const stats counted = run(p);
    s.stop();
    CAF_CHECK((what == mode::mcp_ws ? s.normal_closes : script.deleted) >= counted.requests());
    return counted;
  };
  for (const char* to_delete : {"204 No Content", "405 Method Not Allowed"})
    for (const mode what : {mode::mcp_http, mode::mcp_ws}) {
      const stats counted = churned(what, to_delete);
      CAF_CHECK_EQUAL(counted.failed(), 0u);
      CAF_CHECK(counted.requests() > 1);
    }
  CAF_CHECK(only(churned(mode::mcp_http, "500 Internal Server Error"), failure::status));
}

CAF_TEST(whoever abandons a session waits for nothing) {
  unsigned calls = 0;
  const auto is_answered = [&] {
    return ++calls % 5 == 0;
  };  // for the session at the end that is not abandoned
  scripted_server s{http_sessions_script{[&](const json& call, const std::string& session) {
                      return is_answered() ? plain_result(call, session) : "";
                    }},
                    ws_calls([&](const json& call) {
                      return is_answered() ? std::vector<std::string>{result_of(call["id"])}
                                           : std::vector<std::string>{};
                    })};
  std::uint64_t on_websockets = 0;
  for (const mode what : {mode::mcp_ws, mode::mcp_http}) {
    plan p = plan_for(what, s.port());
    p.use = session_use::abandon;
    p.timeout = 100ms;
    const stats counted = run(p);
    CAF_CHECK(counted.requests() > 2);
    CAF_CHECK_EQUAL(counted.failed(), 0u);
    on_websockets += what == mode::mcp_ws ? counted.requests() : 0;
  }
  s.stop();
  CAF_CHECK(s.normal_closes < on_websockets);
}

CAF_TEST(a server that does not survive is noticed) {
  unsigned calls = 0;
  http_sessions_script script{plain_result};
  scripted_server s{[&](const scripted_server::request& r) -> std::optional<std::string> {
    if (++calls > 20)
      return std::nullopt;
    return script(r);
  }};
  plan p = plan_for(mode::mcp_http, s.port());
  p.use = session_use::abandon;
  CAF_REQUIRE(complete(p).has_value());
  const auto out = run_load(p);
  CAF_CHECK(out.has_error() && out.error().message.find("answers no more") != std::string::npos);
}
