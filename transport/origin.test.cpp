#define CAF_SUITE transport_origin

#include "transport/origin.hpp"

#include "transport/request_parser.hpp"

#include "tests/unit/caf_test.hpp"

using namespace cafmcp::transport;
using namespace std::literals;

namespace {

struct fixture {
  origin_check check{{"mcp.example", "10.0.0.1", "fd00::1"},
                     {"https://App.example:8443", "vscode-webview://x"}};

  bool passes(const std::string& host, const std::string& more = {}) const {
    request req;
    request_parser parser{req};
    if (parser.head("GET /mcp HTTP/1.1\r\nHost: " + host + "\r\n" + more + "\r\n", 0) != nullptr)
      return false;
    return check.refusal_of(req) == nullptr;
  }
  bool from(const std::string& origin) const { return passes("localhost", "Origin: " + origin + "\r\n"); }
};

}  // namespace

CAF_TEST(the host of an authority) {
  CAF_CHECK_EQUAL(host_of("Example.COM:80"), "example.com"s);
  CAF_CHECK_EQUAL(host_of("[FD00::1]:8080"), "fd00::1"s);
  CAF_CHECK_EQUAL(host_of("[::1]"), "::1"s);
  for (const auto* bad :
       {"", ":80", "a:b", "a@b", "a/b", "[::1", "[::1]x", "[::1]:x", "::1", "a:80:80", "a b"})
    CAF_CHECK_EQUAL(host_of(bad), ""s);
}

CAF_TEST_FIXTURE_SCOPE(origins, fixture)

CAF_TEST(hosts) {
  for (const auto* good : {"localhost", "LOCALHOST:3000", "127.0.0.1:1", "127.1.2.3", "[::1]:80",
                           "mcp.example", "MCP.example:443", "10.0.0.1:8080", "[fd00::1]"})
    CAF_CHECK(passes(good));
  for (const auto* bad :
       {"evil.example", "localhost.evil.example", "evil.mcp.example", "10.0.0.2", "0.0.0.0", "[fd00::2]"})
    CAF_CHECK(!passes(bad));
}

CAF_TEST(origins) {
  for (const auto* good :
       {"http://localhost", "https://localhost:3000", "HTTP://127.0.0.1:5173", "http://[::1]:80",
        "https://mcp.example", "https://app.example:8443", "vscode-webview://x"})
    CAF_CHECK(from(good));
  for (const auto* bad :
       {"null", "https://app.example", "http://app.example:8443", "https://evil.example",
        "http://localhost@evil.example", "http://localhost/x", "http://localhost.evil.example",
        "ftp://localhost", "vscode-webview://y", "localhost", "http://"})
    CAF_CHECK(!from(bad));
  CAF_CHECK(!passes("localhost", "Origin: http://localhost\r\nOrigin: http://localhost\r\n"));
}

CAF_TEST(an asterisk admits all) {
  check = origin_check{{"*"}, {}};
  CAF_CHECK(passes("evil.example"));
  CAF_CHECK(!from("http://evil.example"));
  check = origin_check{{}, {"*"}};
  CAF_CHECK(!passes("evil.example"));
  CAF_CHECK(from("http://evil.example"));
  CAF_CHECK(from("null"));
}

CAF_TEST_FIXTURE_SCOPE_END()
