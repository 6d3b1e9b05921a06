#define CAF_SUITE load_sessions

#include <unistd.h>

#include <csignal>
#include <map>
#include <set>

#include "bench/mcp_script.hpp"
#include "bench/report.hpp"

using namespace cafmcp;
using namespace cafmcp::bench;
using namespace std::chrono_literals;

namespace {

constexpr const char* busy_status = "503 Service Unavailable";

plan plan_with_end(unsigned short port, session_use use) {
  plan p = plan_for(mode::mcp_http, port);
  p.use = use;
  p.duration = 20s;  // so that it is seen when the work is not the end
  return p;
}

plan opening(unsigned short port, std::uint64_t count) {
  plan p = plan_with_end(port, session_use::open);
  p.count = count;
  p.connections = 4;
  p.threads = 2;
  return p;
}

plan resuming(unsigned short port, std::vector<std::string> ids) {
  plan p = plan_with_end(port, session_use::resume);
  p.ids = std::move(ids);
  return p;
}

std::optional<std::string> no_calls(const json&, const std::string&) {
  return std::nullopt;
}

// Answers calls in the sessions that it is given; a session's first `busy` calls are refused by `refusal`.
struct resumed_script {
  std::function<std::string(const json& call)> refusal;
  int busy = 0;
  std::map<std::string, int> calls = {};
  bool wrong = false;

  std::optional<std::string> operator()(const scripted_server::request& r) {
    const json message = json::parse(r.body());
    wrong = wrong || message["method"] != "tools/call" || r["MCP-Protocol-Version"] != "2025-11-25";
    if (++calls[std::string{r["Mcp-Session-Id"]}] <= busy)
      return refusal(message);
    return http_answer(result_of(message["id"]));
  }
};

std::string refuse_by_status(const json&) {
  return http_answer("{}", "Retry-After: 0\r\n", busy_status);
}

std::string refuse_by_code(const json& call) {
  return http_answer(json{{"jsonrpc", "2.0"}, {"id", call["id"]}, {"error", {{"code", -31503}}}}.dump());
}

}  // namespace

CAF_TEST(as many sessions are opened as wanted) {
  http_sessions_script script{no_calls};
  scripted_server s{std::ref(script)};
  plan p = opening(s.port(), 103);
  p.ids_file = "set";  // who runs the plan writes it
  p.sample = 10;
  const stats counted = run(p);
  s.stop();
  CAF_CHECK_EQUAL(script.wrong, 0u);
  CAF_CHECK_EQUAL(script.initialized, 103u);
  CAF_CHECK_EQUAL(script.announced, 103u);
  CAF_CHECK_EQUAL(counted.sessions, 103u);
  CAF_CHECK_EQUAL(counted.requests(), 103u);
  CAF_CHECK_EQUAL(counted.initialize.count(), 103u);
  CAF_CHECK_EQUAL(counted.failed(), 0u);
  CAF_CHECK_EQUAL(counted.connects, 4u);  // kept alive
  CAF_CHECK_EQUAL(counted.ended_early, "");
  CAF_CHECK(counted.measured < p.duration);
  const auto ids = counted.ids.ids();
  CAF_CHECK_EQUAL(std::set<std::string>(ids.begin(), ids.end()).size(), 10u);
  for (const auto& id : ids)
    CAF_CHECK(id.starts_with("s") && std::stoi(id.substr(1)) <= 103);
  const auto report = to_json(p, counted, 0);
  CAF_CHECK_EQUAL(report["mcp"]["sessions_wanted"].get<int>(), 103);
  CAF_CHECK(report["mcp"]["sessions_per_second"].get<double>() > 0);
  CAF_CHECK(report["mcp"]["initialize_us"]["p99"].get<double>() > 0);
  CAF_CHECK(to_table(report).find("initialize us") != std::string::npos);
}

CAF_TEST(a server that is busy is asked again and that is no error) {
  http_sessions_script script{no_calls};
  unsigned requests = 0;
  scripted_server s{[&](const scripted_server::request& r) -> std::optional<std::string> {
    // Some refusals end the connection.
    if (++requests % 3 == 0)
      return http_answer("{}",
                         requests % 2 == 0 ? "Retry-After: 0\r\n" : "Retry-After: 0\r\nConnection: close\r\n",
                         busy_status);
    return script(r);
  }};
  const stats counted = run(opening(s.port(), 30));
  s.stop();
  CAF_CHECK_EQUAL(counted.failed(), 0u);
  CAF_CHECK_EQUAL(counted.sessions, 30u);
  CAF_CHECK_EQUAL(script.initialized, 30u);
  CAF_CHECK_EQUAL(script.announced, 30u);
  CAF_CHECK(counted.again >= 20);
  CAF_CHECK(counted.reconnects > 0);
}

CAF_TEST(a session that could not be opened is opened by another try) {
  http_sessions_script script{no_calls};
  unsigned requests = 0;
  scripted_server s{[&](const scripted_server::request& r) -> std::optional<std::string> {
    const auto answer = script(r);
    return ++requests == 5 ? http_answer("{}", "", "500 Internal Server Error") : answer;
  }};
  const stats counted = run(opening(s.port(), 20));
  CAF_CHECK_EQUAL(counted.sessions, 20u);
  CAF_CHECK(only(counted, failure::session));
  CAF_CHECK_EQUAL(counted.failed(), 1u);
}

CAF_TEST(a run that comes to nothing ends) {
  const scripted_server busy{[](const auto&) { return refuse_by_status({}); }};
  plan p = opening(busy.port(), 10);
  p.timeout = 50ms;
  p.patience = 100ms;
  const stats refused = run(p);
  CAF_CHECK(refused.ended_early.find("nothing went on") != std::string::npos);
  CAF_CHECK(refused.again > 0);
  CAF_CHECK(to_table(to_json(p, refused, 0)).find("ended early") != std::string::npos);

  http_sessions_script script{no_calls};
  const scripted_server s{std::ref(script)};
  p = opening(s.port(), max_count);
  p.duration = 100ms;
  const stats cut = run(p);
  CAF_CHECK_EQUAL(cut.ended_early, "the duration was over");
  CAF_CHECK(cut.sessions > 0);
  CAF_CHECK_EQUAL(cut.measured.count(), std::chrono::nanoseconds{100ms}.count());
}

CAF_TEST(an interrupt ends a run and what was measured counts) {
  unsigned calls = 0;
  http_sessions_script script{[&](const json& call, const std::string& session) {
    if (++calls == 10)
      ::kill(::getpid(), SIGINT);
    return plain_result(call, session);
  }};
  const scripted_server s{std::ref(script)};
  plan p = plan_for(mode::mcp_http, s.port());
  p.duration = 20s;
  const stats counted = run(p);
  CAF_CHECK_EQUAL(counted.ended_early, "interrupted");
  CAF_CHECK(counted.requests() >= 9);
  CAF_CHECK_EQUAL(counted.failed(), 0u);
  CAF_CHECK(counted.measured > 0s && counted.measured < p.duration);
  CAF_CHECK(counted.oldest_unanswered < 10s);
}

CAF_TEST(each session is resumed once) {
  resumed_script script{};
  scripted_server s{std::ref(script)};
  std::vector<std::string> ids;
  for (int i = 0; i < 50; ++i)
    ids.push_back("id-" + std::to_string(i));
  plan p = resuming(s.port(), ids);
  p.connections = 4;
  p.threads = 2;
  const stats counted = run(p);
  s.stop();
  CAF_CHECK(!script.wrong);
  CAF_CHECK_EQUAL(script.calls.size(), 50u);
  for (const auto& [id, times] : script.calls)
    CAF_CHECK_EQUAL(times, 1);
  CAF_CHECK_EQUAL(counted.requests(), 50u);
  CAF_CHECK_EQUAL(counted.failed(), 0u);
  CAF_CHECK_EQUAL(counted.ended_early, "");
}

CAF_TEST(calls go on in sessions that are given) {
  resumed_script script{};
  scripted_server s{std::ref(script)};
  plan p = plan_for(mode::mcp_http, s.port());
  p.connections = 2;
  p.ids = {"a", "b", "c", "d", "e"};
  CAF_CHECK(complete(p).has_error());
  p.sessions = 5;
  const stats counted = run(p);
  s.stop();
  CAF_CHECK(!script.wrong);  // no session was opened
  CAF_CHECK_EQUAL(script.calls.size(), 5u);
  CAF_CHECK_EQUAL(counted.failed(), 0u);
  CAF_CHECK(counted.requests() > 5);
}

CAF_TEST(a session that is not ready yet is asked again) {
  for (const auto& refusal : {refuse_by_status, refuse_by_code}) {
    resumed_script script{refusal, 2};
    scripted_server s{std::ref(script)};
    const stats counted = run(resuming(s.port(), {"a", "b", "c"}));
    s.stop();
    CAF_CHECK_EQUAL(counted.requests(), 3u);
    CAF_CHECK_EQUAL(counted.failed(), 0u);
    CAF_CHECK_EQUAL(counted.again, 6u);
    CAF_CHECK_EQUAL(script.calls["b"], 3);
  }
}

CAF_TEST(what does not answer when resumed is an error) {
  resumed_script never{refuse_by_status, 1'000'000};
  const scripted_server busy{std::ref(never)};
  plan p = resuming(busy.port(), {"a", "b"});
  p.timeout = 100ms;
  const stats refused = run(p);
  CAF_CHECK(only(refused, failure::timeout));
  CAF_CHECK_EQUAL(refused.failed(), 2u);
  CAF_CHECK(refused.first_failure.find("503") != std::string::npos);

  const scripted_server s{[](const scripted_server::request& r) -> std::optional<std::string> {
    const json message = json::parse(r.body());
    const std::string id{r["Mcp-Session-Id"]};
    if (id == "lost")
      return http_answer("{}", "", "404 Not Found");
    if (id == "closed")
      return std::nullopt;
    if (id == "busy-for-good")  // no Retry-After
      return http_answer("{}", "", busy_status);
    if (id == "other")
      return http_answer(result_of(12'345));
    return http_answer(result_of(message["id"]));
  }};
  const stats counted = run(resuming(s.port(), {"a", "lost", "closed", "busy-for-good", "other", "b"}));
  CAF_CHECK_EQUAL(counted.requests(), 2u);
  CAF_CHECK_EQUAL(counted.failed(), 4u);
  for (const failure kind : {failure::lost, failure::closed, failure::status, failure::mismatch})
    CAF_CHECK_EQUAL(failures(counted, kind), 1u);
}
