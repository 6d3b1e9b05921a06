#define CAF_SUITE transport_streamable_http

#include "transport/streamable_http.hpp"

#include "transport/streamable_http_harness.hpp"

#include "tests/unit/caf_test.hpp"

using namespace cafmcp::transport;
using namespace cafmcp::transport::test;
using namespace std::literals;

namespace {

const auto both = "Accept: application/json, text/event-stream\r\n"s;
const auto json = "Content-Type: application/json\r\n"s;
const auto session = "Mcp-Session-Id: s1\r\n"s;
const auto init = R"({"jsonrpc":"2.0","id":0,"method":"initialize","params":{}})"s;
const auto ping = R"({"jsonrpc":"2.0","id":1,"method":"now"})"s;

bool is_error(const reply& r, int code) {
  return r.has("Content-Type: application/json\r\n") &&
         r.body.starts_with(R"({"jsonrpc":"2.0","error":{"code":)") &&
         r.body.find("\"code\":" + std::to_string(code) + ",") != std::string::npos &&
         r.body.ends_with(R"("id":null})");
}

struct fixture {
  mcp_harness h;

  reply ask(const std::string& request) {
    client c{h.port()};
    return c.ask(request);
  }
  reply post(const std::string& headers, const std::string& body) {
    return ask(mcp_request("POST", headers, body));
  }
};

}  // namespace

CAF_TEST_FIXTURE_SCOPE(streamable, fixture)

CAF_TEST(initialize makes a session and names it) {
  const auto r = post(both + json, init);
  CAF_CHECK_EQUAL(r.status, 200);
  CAF_CHECK(r.has("Mcp-Session-Id: new-1\r\n"));
  CAF_CHECK_EQUAL(r.body, init);
  CAF_CHECK_EQUAL(h.sessions->size(), 2u);
}

CAF_TEST(what a POST must accept and be) {
  CAF_CHECK(is_error(post(json + session, ping), -32000));
  CAF_CHECK_EQUAL(post(json + session, ping).status, 406);
  CAF_CHECK_EQUAL(post("Accept: application/json\r\n" + json + session, ping).status, 406);
  CAF_CHECK_EQUAL(post("Accept: text/event-stream\r\n" + json + session, ping).status, 406);
  CAF_CHECK_EQUAL(post("Accept: */*\r\n" + json + session, ping).status, 200);
  CAF_CHECK_EQUAL(
      post("Accept: Application/JSON;q=1\r\nAccept: text/event-stream\r\n" + json + session, ping).status,
      200);
  const auto wrong = post(both + "Content-Type: text/plain\r\n" + session, ping);
  CAF_CHECK_EQUAL(wrong.status, 415);
  CAF_CHECK(is_error(wrong, -32000));
  CAF_CHECK_EQUAL(post(both + session, ping).status, 415);
  CAF_CHECK_EQUAL(post(both + "Content-Type: application/json; charset=utf-8\r\n" + session, ping).status,
                  200);
}

CAF_TEST(bodies that are no message) {
  const auto broken = post(both + json + session, R"({"jsonrpc":)");
  CAF_CHECK_EQUAL(broken.status, 400);
  CAF_CHECK(is_error(broken, -32700));
  CAF_CHECK(is_error(ask(mcp_request("POST", both + json + session + "Content-Length: 0\r\n")), -32700));
  for (const auto* body : {"{}", "[]", "1", R"({"jsonrpc":"2.0","id":1})", R"([{"jsonrpc":"2.0","id":1}])"}) {
    const auto r = post(both + json + session, body);
    CAF_CHECK_EQUAL(r.status, 400);
    CAF_CHECK(is_error(r, -32600));
  }
  CAF_CHECK(is_error(post(both + json, "[" + init + "]"), -32600));
  CAF_CHECK_EQUAL(h.s1()->messages.load(), 0);
}

CAF_TEST(which session) {
  const auto none = post(both + json, ping);
  CAF_CHECK_EQUAL(none.status, 400);
  CAF_CHECK(is_error(none, -32000));
  const auto unknown = post(both + json + "Mcp-Session-Id: s2\r\n", ping);
  CAF_CHECK_EQUAL(unknown.status, 404);
  CAF_CHECK(is_error(unknown, -32001));
  const auto again = post(both + json + session, init);
  CAF_CHECK_EQUAL(again.status, 400);
  CAF_CHECK(is_error(again, -32600));
  h.sessions->down = true;
  for (const auto& r : {post(both + json + session, ping), post(both + json, init)}) {
    CAF_CHECK_EQUAL(r.status, 503);
    CAF_CHECK(r.has("Retry-After: 1\r\n"));
    CAF_CHECK(is_error(r, -32000));
  }
}

CAF_TEST(the version header) {
  const auto r = post(both + json + session + "MCP-Protocol-Version: 1999-01-01\r\n", ping);
  CAF_CHECK_EQUAL(r.status, 400);
  CAF_CHECK(is_error(r, -32000));
  CAF_CHECK_EQUAL(post(both + json + session + "MCP-Protocol-Version: 2025-06-18\r\n", ping).status, 200);
  CAF_CHECK_EQUAL(ask(mcp_request("DELETE", session + "MCP-Protocol-Version: x\r\n")).status, 400);
}

CAF_TEST(notifications and responses are accepted) {
  for (const auto* body :
       {R"({"jsonrpc":"2.0","method":"n"})", R"({"jsonrpc":"2.0","id":1,"result":{}})",
        R"([{"jsonrpc":"2.0","method":"n"},{"jsonrpc":"2.0","id":1,"error":{"code":1,"message":"m"}}])"}) {
    const auto r = post(both + json + session, body);
    CAF_CHECK_EQUAL(r.status, 202);
    CAF_CHECK_EQUAL(r.body, ""s);
    CAF_CHECK_EQUAL(h.s1()->last_message(), body);
  }
}

CAF_TEST(an overloaded session) {
  for (const auto& r :
       {ask(mcp_post("full")), post(both + json + session, R"({"jsonrpc":"2.0","method":"full"})")}) {
    CAF_CHECK_EQUAL(r.status, 503);
    CAF_CHECK(r.has("Retry-After: 1\r\n"));
    CAF_CHECK(is_error(r, -32000));
  }
}

CAF_TEST(GET needs its Accept and a session) {
  CAF_CHECK(is_error(ask(mcp_request("GET", session)), -32000));
  CAF_CHECK_EQUAL(ask(mcp_request("GET", session)).status, 406);
  CAF_CHECK_EQUAL(ask(mcp_request("GET", "Accept: application/json\r\n" + session)).status, 406);
  CAF_CHECK_EQUAL(ask(mcp_request("GET", both)).status, 400);
  CAF_CHECK_EQUAL(ask(mcp_request("GET", both + "Mcp-Session-Id: s2\r\n")).status, 404);
}

CAF_TEST(DELETE ends the session) {
  CAF_CHECK_EQUAL(ask(mcp_request("DELETE", "")).status, 400);
  CAF_CHECK_EQUAL(ask(mcp_request("DELETE", "Mcp-Session-Id: s2\r\n")).status, 404);
  const auto r = ask(mcp_request("DELETE", session));
  CAF_CHECK_EQUAL(r.status, 204);
  CAF_CHECK(h.s1()->ended);
  CAF_CHECK(is_error(ask(mcp_post("now")), -32001));
  CAF_CHECK_EQUAL(ask(mcp_request("DELETE", session)).status, 404);
}

CAF_TEST(other methods) {
  for (const auto* method : {"PUT", "PATCH", "OPTIONS"}) {
    const auto r = ask(mcp_request(method, session));
    CAF_CHECK_EQUAL(r.status, 405);
    CAF_CHECK(r.has("Allow: GET, POST, DELETE\r\n"));
    CAF_CHECK(is_error(r, -32000));
  }
  client c{h.port()};
  c.send(mcp_request("HEAD", both + session));
  CAF_CHECK_EQUAL(c.read(true).status, 405);
}

CAF_TEST(foreign hosts and origins) {
  for (const auto* method : {"POST", "GET", "DELETE", "PUT"}) {
    const auto r = ask(mcp_request(method, both + session + "Origin: http://evil.example\r\n"));
    CAF_CHECK_EQUAL(r.status, 403);
    CAF_CHECK(is_error(r, -32000));
  }
  const auto rebound = ask("GET /mcp HTTP/1.1\r\nHost: evil.example\r\n" + session + both + "\r\n");
  CAF_CHECK_EQUAL(rebound.status, 403);
  CAF_CHECK_EQUAL(post(both + json + session + "Origin: http://localhost:3000\r\n", ping).status, 200);
}

CAF_TEST(one connection answers many POSTs) {
  client c{h.port()};
  for (const auto* word : {"now", "later", "now", "split", "later", "two", "none", "bad"}) {
    c.send(mcp_post(word));
    const auto r = c.read();
    if (word == "split"s || word == "two"s) {
      CAF_CHECK(r.has("Transfer-Encoding: chunked\r\n"));
      CAF_CHECK(until(c, "\r\n0\r\n\r\n").ends_with("0\r\n\r\n"));
    } else {
      CAF_CHECK_EQUAL(r.status, word == "none"s ? 202 : word == "bad"s ? 404 : 200);
    }
  }
  c.send(mcp_post("later") + mcp_post("now") + mcp_post("later"));
  for (int i = 0; i < 3; ++i)
    CAF_CHECK_EQUAL(c.read().status, 200);
  CAF_CHECK_EQUAL(h.counters->accepted.get(), 1u);
}

CAF_TEST(a session that moves before it answers) {
  const auto r = ask(mcp_post("gone"));
  CAF_CHECK_EQUAL(r.status, 503);
  CAF_CHECK(r.has("Retry-After: 1\r\n"));
}

CAF_TEST_FIXTURE_SCOPE_END()

CAF_TEST(bodies over the limit) {
  mcp_options options;
  options.message_bytes = 1000;
  limits bounds;
  bounds.body_bytes = 2000;
  mcp_harness h{options, bounds};
  for (const std::size_t size : {1500, 2500}) {
    client c{h.port()};
    const auto r = c.ask(mcp_request("POST", both + json + session, std::string(size, ' ')));
    CAF_CHECK_EQUAL(r.status, 413);
    CAF_CHECK(is_error(r, -32000));
  }
}
