#define CAF_SUITE transport_http

#include "transport/http.hpp"

#include <string>

#include "tests/unit/caf_test.hpp"

using namespace cafmcp::transport;
using namespace std::string_literals;

namespace {

std::string text_of(const response& res, unsigned version = 11, bool keep_alive = true,
                    bool head_only = false) {
  std::string out = "old";
  serialise(res, version, keep_alive, head_only, out);
  // The date is the only part that changes.
  const auto at = out.find("Date: ");
  return out.erase(at, out.find("\r\n", at) + 2 - at);
}

}  // namespace

CAF_TEST(an answer is a head and its body) {
  response res;
  res.json(201, "{}");
  res.header("X-A", "b");
  CAF_CHECK_EQUAL(
      text_of(res),
      "HTTP/1.1 201 Created\r\nContent-Type: application/json\r\nContent-Length: 2\r\nX-A: b\r\n\r\n{}"s);
  CAF_CHECK_EQUAL(
      text_of(res, 11, true, true),
      "HTTP/1.1 201 Created\r\nContent-Type: application/json\r\nContent-Length: 2\r\nX-A: b\r\n\r\n"s);
}

CAF_TEST(an answer says whether the connection stays) {
  response res;
  CAF_CHECK_EQUAL(text_of(res), "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"s);
  CAF_CHECK_EQUAL(text_of(res, 11, false),
                  "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"s);
  CAF_CHECK_EQUAL(text_of(res, 10),
                  "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: keep-alive\r\n\r\n"s);
}

CAF_TEST(no content has no length) {
  response res;
  res.status = 204;
  CAF_CHECK_EQUAL(text_of(res), "HTTP/1.1 204 No Content\r\n\r\n"s);
}

CAF_TEST(big bodies stay where they are) {
  response res;
  res.body.assign(32 * 1024, 'x');
  std::string out;
  CAF_CHECK(serialise(res, 11, true, false, out));
  CAF_CHECK(out.ends_with("xxx"));
  res.body += 'x';
  CAF_CHECK(!serialise(res, 11, true, false, out));
  CAF_CHECK(out.ends_with("\r\n\r\n"));
  CAF_CHECK(out.find("Content-Length: 32769\r\n") != std::string::npos);
}

CAF_TEST(a header value cannot add a header) {
  response res;
  res.header("X-A\r\nB: c", "d\r\nE: f\n\0g"s);
  CAF_CHECK_EQUAL(text_of(res), "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nX-A  B: c: d  E: f  g\r\n\r\n"s);
}

CAF_TEST(errors are JSON whatever the message) {
  response res;
  res.fail(404, "not_found", "a \"b\" \\ \n \xff");
  CAF_CHECK_EQUAL(res.status, 404u);
  CAF_CHECK_EQUAL(res.body, R"({"error":{"code":"not_found","message":"a \"b\" \\ ? ?"}})"s);
  const auto text = closing_answer({503, "draining", "go"}, 3);
  CAF_CHECK(text.starts_with("HTTP/1.1 503 Service Unavailable\r\n"));
  CAF_CHECK(text.find("Retry-After: 3\r\n") != std::string::npos);
  CAF_CHECK(text.find("Connection: close\r\n") != std::string::npos);
}

CAF_TEST(a cleared response starts anew) {
  response res;
  res.fail(500, "a", "b");
  res.header("A", "b");
  res.close = true;
  res.clear();
  CAF_CHECK(!res.close);
  CAF_CHECK_EQUAL(text_of(res), "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"s);
}
