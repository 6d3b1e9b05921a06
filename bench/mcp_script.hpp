#pragma once
// What the tests of the load generator's MCP modes share: plans that are run against a `scripted_server`, and
// the script of a server with sessions over HTTP. One thread.

#include <functional>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "bench/run_load.hpp"
#include "bench/scripted_server.hpp"
#include "tests/unit/caf_test.hpp"

namespace cafmcp::bench {

using nlohmann::json;

inline plan plan_for(mode what, unsigned short port) {
  plan p;
  p.where = url{is_websocket(what) ? "ws" : "http", "127.0.0.1", port, "/mcp"};
  p.what = what;
  p.warmup = std::chrono::milliseconds{0};
  p.duration = std::chrono::milliseconds{200};
  return p;
}

inline stats run(plan p) {
  CAF_REQUIRE(complete(p).has_value());
  auto out = run_load(p);
  CAF_REQUIRE(out.has_value());
  return *out;
}

inline std::uint64_t failures(const stats& s, failure kind) {
  return s.failures[static_cast<std::size_t>(kind)];
}

inline bool only(const stats& s, failure kind) {
  return failures(s, kind) > 0 && s.failed() == failures(s, kind);
}

inline const char* const opened = R"({"jsonrpc":"2.0","id":0,"result":{"protocolVersion":"2025-06-18"}})";

inline std::string result_of(const json& id) {
  return json{{"jsonrpc", "2.0"}, {"id", id}, {"result", {{"content", json::array()}}}}.dump();
}

inline std::string http_answer(const std::string& body, const std::string& fields = "",
                               const char* status = "200 OK") {
  return "HTTP/1.1 " + std::string{status} + "\r\nContent-Type: application/json\r\n" + fields +
         "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
}

// A server with sessions s1, s2 …; calls are answered by `call`, given the session's id.
struct http_sessions_script {
  std::function<std::optional<std::string>(const json&, const std::string& session)> call;
  std::string fields = {};  // of every answer
  const char* to_delete = "200 OK";
  unsigned initialized = 0, announced = 0, deleted = 0, wrong = 0;

  std::optional<std::string> operator()(const scripted_server::request& r) {
    const std::string session{r["Mcp-Session-Id"]};
    const std::string accepted{r[beast::http::field::accept]};
    if (r.method() == beast::http::verb::delete_) {
      ++deleted;
      return http_answer("", fields, to_delete);
    }
    const json message = json::parse(r.body());
    if (accepted != "application/json, text/event-stream" ||
        r[beast::http::field::content_type] != "application/json")
      ++wrong;
    if (message["method"] == "initialize") {
      wrong += session.empty() ? 0 : 1;
      return http_answer(opened, fields + "Mcp-Session-Id: s" + std::to_string(++initialized) + "\r\n");
    }
    if (session.empty() || r["MCP-Protocol-Version"] != "2025-06-18")
      ++wrong;
    if (message["method"] == "notifications/initialized") {
      ++announced;
      return http_answer("", fields, "202 Accepted");
    }
    return call(message, session);
  }
};

inline std::optional<std::string> plain_result(const json& call, const std::string&) {
  return http_answer(result_of(call["id"]));
}

}  // namespace cafmcp::bench
