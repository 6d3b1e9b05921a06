#define CAF_SUITE plan

#include "bench/plan.hpp"

#include "tests/unit/caf_test.hpp"

using namespace cafmcp::bench;

namespace {

plan post_to(const char* address) {
  plan p;
  p.where = parse_url(address).value();
  return p;
}

bool refused(const plan& given, std::string_view because) {
  plan p = given;
  const auto done = complete(p);
  return done.has_error() && done.error().message.find(because) != std::string::npos;
}

}  // namespace

CAF_TEST(the request is built once) {
  plan p = post_to("http://127.0.0.1:81/mcp");
  p.body = "{}";
  p.headers = {{"accept", "application/json"}, {"X-Test", "1"}};
  CAF_REQUIRE(complete(p).has_value());
  CAF_CHECK_EQUAL(p.request,
                  "POST /mcp HTTP/1.1\r\nHost: 127.0.0.1:81\r\nContent-Type: application/json\r\n"
                  "Content-Length: 2\r\naccept: application/json\r\nX-Test: 1\r\n\r\n{}");
  p.what = mode::http_get;
  CAF_REQUIRE(complete(p).has_value());
  CAF_CHECK_EQUAL(p.request,
                  "GET /mcp HTTP/1.1\r\nHost: 127.0.0.1:81\r\naccept: application/json\r\nX-Test: 1\r\n\r\n");
}

CAF_TEST(bounds are checked by name) {
  plan p = post_to("http://127.0.0.1/");
  p.connections = 60'001;
  CAF_CHECK(refused(p, "connections is 60001, must be 1 to 60000"));
  p.connections = 0;
  CAF_CHECK(refused(p, "connections"));
  p.connections = 1;
  p.threads = 257;
  CAF_CHECK(refused(p, "threads"));
  p.threads = 1;
  p.pipeline = 2;
  CAF_CHECK(refused(p, "ws-echo and mcp-ws only"));
  p.pipeline = 1;
  p.duration = {};
  CAF_CHECK(refused(p, "duration"));
}

CAF_TEST(only this machine is put under load) {
  CAF_CHECK(refused(post_to("http://192.0.2.1/"), "loopback"));
  CAF_CHECK(refused(post_to("http://0.0.0.0/"), "loopback"));
  plan p = post_to("http://127.1.2.3:9/");
  CAF_CHECK(complete(p).has_value());
}

CAF_TEST(mode and scheme fit) {
  CAF_CHECK(parse_mode("", "ws").value() == mode::ws_echo);
  CAF_CHECK(parse_mode("", "http").value() == mode::http_post);
  CAF_CHECK(parse_mode("http-get", "http").value() == mode::http_get);
  CAF_CHECK(parse_mode("smtp", "http").has_error());
  CAF_CHECK(parse_mode("mcp-ws", "http").value() == mode::mcp_ws);
  CAF_CHECK(parse_mode("mcp-http", "ws").value() == mode::mcp_http);
  CAF_CHECK(parse_mode("smtp", "http").error().message.find("ws-echo, mcp-http or mcp-ws") !=
            std::string::npos);
  plan p = post_to("ws://127.0.0.1/");
  CAF_CHECK(refused(p, "do not fit"));
  p.what = mode::mcp_http;
  CAF_CHECK(refused(p, "mcp-http takes http://"));
  p.what = mode::mcp_ws;
  CAF_CHECK(complete(p).has_value());
}

CAF_TEST(an MCP plan fits together) {
  CAF_CHECK(parse_session_use("churn").value() == session_use::churn);
  CAF_CHECK(parse_session_use("").has_error());
  plan p = post_to("http://127.0.0.1:81/mcp");
  p.what = mode::mcp_http;
  p.connections = 4;
  p.sessions = 3;
  CAF_CHECK(refused(p, "fewer than the 4 connections"));
  p.sessions = 1'000'001;
  CAF_CHECK(refused(p, "sessions"));
  p.sessions = 4;
  CAF_CHECK(complete(p).has_value());
  p.use = session_use::churn;
  CAF_CHECK(refused(p, "kept"));
  p.sessions = 0;
  p.timeout = {};
  CAF_CHECK(refused(p, "timeout"));
  p.timeout = std::chrono::seconds{1};
  p.arguments = "[]";
  CAF_CHECK(refused(p, "JSON object"));
  p.arguments = "{}";
  p.headers = {{"mcp-session-id", "x"}};
  CAF_CHECK(refused(p, "mcp-session-id"));
  p.headers = {{"Authorization", "Bearer x"}};
  CAF_REQUIRE(complete(p).has_value());
  CAF_CHECK_EQUAL(
      p.post_head,
      "POST /mcp HTTP/1.1\r\nHost: 127.0.0.1:81\r\nAccept: application/json, text/event-stream\r\n"
      "Content-Type: application/json\r\nAuthorization: Bearer x\r\n");
  CAF_CHECK_EQUAL(p.delete_head, "DELETE /mcp HTTP/1.1\r\nHost: 127.0.0.1:81\r\nAuthorization: Bearer x\r\n");
  p = post_to("ws://127.0.0.1:81/mcp");
  p.what = mode::mcp_ws;
  p.pipeline = 2;
  CAF_CHECK(complete(p).has_value());
  p.use = session_use::abandon;
  CAF_CHECK(refused(p, "no pipeline"));
}

CAF_TEST(a plan with an end says what is to be done) {
  CAF_CHECK(parse_session_use("resume").value() == session_use::resume);
  plan p = post_to("http://127.0.0.1:81/mcp");
  p.use = session_use::open;
  CAF_CHECK(refused(p, "open is for mcp-http only"));
  p.what = mode::mcp_http;
  CAF_CHECK(refused(p, "no warmup"));
  p.warmup = {};
  CAF_CHECK(refused(p, "--count N"));
  p.count = 100'000'001;
  CAF_CHECK(refused(p, "count is 100000001, must be 1 to 100000000"));
  p.count = 3;
  p.sample = 0;
  CAF_CHECK(refused(p, "sample is 0"));
  p.sample = 1'000'001;
  CAF_CHECK(refused(p, "sample is 1000001"));
  p.sample = 1;
  p.connections = 8;
  p.threads = 8;
  CAF_REQUIRE(complete(p).has_value());
  CAF_CHECK_EQUAL(p.connections, 3u);  // no more than there are sessions
  CAF_CHECK_EQUAL(p.threads, 3u);
  CAF_CHECK_EQUAL(p.pieces(), 3u);
  p.use = session_use::resume;
  CAF_CHECK(refused(p, "count"));
  p.count = 0;
  CAF_CHECK(refused(p, "--ids FILE"));
  p.ids = {"a", "b"};
  CAF_CHECK(complete(p).has_value());
  CAF_CHECK_EQUAL(p.pieces(), 2u);
  p = post_to("http://127.0.0.1:81/mcp");
  p.count = 1;
  CAF_CHECK(refused(p, "open only; keep has none"));
}

CAF_TEST(headers cannot break the request apart) {
  const auto header = parse_header("Authorization:  Bearer x:y");
  CAF_REQUIRE(header.has_value());
  CAF_CHECK_EQUAL(header->first, "Authorization");
  CAF_CHECK_EQUAL(header->second, "Bearer x:y");
  for (const char* text : {"", "a", ": b", "a b: c", "a: b\r\nc: d", "a: \x7f"})
    CAF_CHECK(parse_header(text).has_error());
}
