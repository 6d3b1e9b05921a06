#define CAF_SUITE url

#include "bench/url.hpp"

#include "tests/unit/caf_test.hpp"

using namespace cafmcp::bench;
using namespace std::chrono_literals;

CAF_TEST(a URL is taken apart) {
  const auto u = parse_url("http://127.0.0.1:8080/mcp?x=1#part");
  CAF_REQUIRE(u.has_value());
  CAF_CHECK_EQUAL(u->scheme, "http");
  CAF_CHECK_EQUAL(u->host, "127.0.0.1");
  CAF_CHECK_EQUAL(u->port, 8080);
  CAF_CHECK_EQUAL(u->path, "/mcp?x=1");
  CAF_CHECK_EQUAL(u->authority(), "127.0.0.1:8080");
}

CAF_TEST(defaults and IPv6) {
  const auto plain = parse_url("ws://localhost");
  CAF_REQUIRE(plain.has_value());
  CAF_CHECK_EQUAL(plain->path, "/");
  CAF_CHECK_EQUAL(plain->port, 80);
  const auto query = parse_url("http://host?q");
  CAF_REQUIRE(query.has_value());
  CAF_CHECK_EQUAL(query->path, "/?q");
  const auto ipv6 = parse_url("http://[::1]:90/a");
  CAF_REQUIRE(ipv6.has_value());
  CAF_CHECK_EQUAL(ipv6->host, "::1");
  CAF_CHECK_EQUAL(ipv6->authority(), "[::1]:90");
}

CAF_TEST(malformed URLs are errors that hold the text) {
  for (const char* text : {"", "127.0.0.1", "https://a/", "ftp://a/", "http://", "http://:80/", "http://a:0/",
                           "http://a:65536/", "http://a:8x/", "http://a:/", "http://u@a/", "http://[::1/",
                           "http://[::1]9/", "http://a/b c", "http://a/b\r\nX: y"}) {
    const auto u = parse_url(text);
    CAF_CHECK(u.has_error() && u.error().message.find(text) != std::string::npos);
  }
}

CAF_TEST(durations) {
  CAF_CHECK(parse_duration("250ms").value() == 250ms);
  CAF_CHECK(parse_duration("5s").value() == 5s);
  CAF_CHECK(parse_duration("1.5m").value() == 90s);
  CAF_CHECK(parse_duration("1h").value() == 1h);
  CAF_CHECK(parse_duration("0s").value() == 0s);
  for (const char* text :
       {"", "5", "s", "-1s", "1.2.3s", "2h", "61m", "3601s", "5 s", "5d", "nans", "99999999999999999999h"})
    CAF_CHECK(parse_duration(text).has_error());
}
