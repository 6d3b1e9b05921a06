#define CAF_SUITE values

#include "config/values.hpp"

#include <vector>

#include "tests/unit/caf_test.hpp"

namespace cafmcp::config {

namespace {

template <class T>
bool refuses(const result<T>& r, std::string_view part) {
  if (r) {
    return false;
  }
  CAF_MESSAGE(r.error().message);
  return r.error().code == errc::invalid && r.error().message.find(part) != std::string::npos;
}

}  // namespace

CAF_TEST(sizes) {
  const std::vector<std::pair<std::string, std::uint64_t>> good{
      {"0", 0},
      {"1", 1},
      {"65536", 65536},
      {"64KiB", 65536},
      {"4MiB", 4U << 20U},
      {"1GiB", 1U << 30U},
      {"17179869183GiB", 18446744072635809792ULL},
      {"18446744073709551615", 18446744073709551615ULL}};
  for (const auto& [text, bytes] : good) {
    const auto r = parse_size(text);
    CAF_REQUIRE(static_cast<bool>(r));
    CAF_CHECK_EQUAL(*r, bytes);
    CAF_CHECK_EQUAL(*parse_size(format_size(bytes)), bytes);
  }
  for (const auto* text : {"", "KiB", "4MB", "4 MiB", "1.5MiB", "-1", "+1", "4mib", "0x10", "17179869184GiB",
                           "18446744073709551616", "99999999999999999999"}) {
    CAF_CHECK(refuses(parse_size(text), "4MiB"));
  }
  CAF_CHECK_EQUAL(format_size(4U << 20U), "4MiB");
  CAF_CHECK_EQUAL(format_size(1025), "1025");
}

CAF_TEST(durations) {
  const std::vector<std::pair<std::string, long>> good{
      {"0s", 0},       {"500ms", 500},    {"30s", 30'000},
      {"5m", 300'000}, {"2h", 7'200'000}, {"9223372036854775807ms", 9223372036854775807}};
  for (const auto& [text, ms] : good) {
    const auto r = parse_duration(text);
    CAF_REQUIRE(static_cast<bool>(r));
    CAF_CHECK_EQUAL(r->count(), ms);
    CAF_CHECK_EQUAL(parse_duration(format_duration(*r))->count(), ms);
  }
  for (const auto* text : {"", "30", "0", "s", "1.5s", "30 s", "30S", "1h30m", "-5s", "1d",
                           "9223372036854775808ms", "2562047788016h"}) {
    CAF_CHECK(refuses(parse_duration(text), "30s"));
  }
  CAF_CHECK_EQUAL(format_duration(milliseconds{90'000}), "90s");
  CAF_CHECK_EQUAL(format_duration(milliseconds{1'500}), "1500ms");
  CAF_CHECK_EQUAL(format_duration(milliseconds{7'200'000}), "2h");
}

CAF_TEST(numbers and booleans) {
  CAF_CHECK_EQUAL(*parse_count("007"), 7U);
  for (const auto* text : {"", "-1", "+1", "1.0", "1e3", "1 ", " 1", "0x1", "18446744073709551616"}) {
    CAF_CHECK(refuses(parse_count(text), "whole number"));
  }
  CAF_CHECK_EQUAL(*parse_boolean("true"), true);
  CAF_CHECK_EQUAL(*parse_boolean("false"), false);
  for (const auto* text : {"", "yes", "on", "1", "True"}) {
    CAF_CHECK(refuses(parse_boolean(text), "neither true nor false"));
  }
}

CAF_TEST(addresses) {
  const std::vector<std::pair<std::string, address>> good{{"127.0.0.1:8080", {"127.0.0.1", 8080}},
                                                          {"[::1]:80", {"::1", 80}},
                                                          {"a-b.example:0", {"a-b.example", 0}},
                                                          {"[2001:db8::5]:65535", {"2001:db8::5", 65535}}};
  for (const auto& [text, a] : good) {
    const auto r = parse_address(text);
    CAF_REQUIRE(static_cast<bool>(r));
    CAF_CHECK(*r == a);
    CAF_CHECK_EQUAL(to_string(a), text);
  }
  CAF_CHECK(refuses(parse_address(""), "no port"));
  CAF_CHECK(refuses(parse_address("localhost"), "no port"));
  CAF_CHECK(refuses(parse_address("[::1]"), "no port"));
  CAF_CHECK(refuses(parse_address(":80"), "0.0.0.0:PORT"));
  CAF_CHECK(refuses(parse_address("::1:80"), "brackets"));
  CAF_CHECK(refuses(parse_address("h:65536"), "between 0 and 65535"));
  CAF_CHECK(refuses(parse_address("h:"), "between 0 and 65535"));
  CAF_CHECK(refuses(parse_address("h:80x"), "between 0 and 65535"));
  for (const auto* text : {"300.1.1.1:80", "1.2.3:80", "a b:80", "http://h:80", "[h]:80", "[]:80",
                           "[127.0.0.1]:80", "-h:80", "h\x1b:80", "*:80"}) {
    CAF_CHECK(!parse_address(text));
  }
}

CAF_TEST(loopback) {
  for (const auto* host : {"127.0.0.1", "127.1.2.3", "::1", "0:0:0:0:0:0:0:1", "localhost"}) {
    CAF_CHECK(is_loopback({host, 1}));
  }
  for (const auto* host : {"0.0.0.0", "::", "10.0.0.1", "127.example.com", "localhost.example"}) {
    CAF_CHECK(!is_loopback({host, 1}));
  }
}

CAF_TEST(wildcards) {
  for (const auto* host : {"0.0.0.0", "::", "0:0::0"}) {
    CAF_CHECK(is_wildcard({host, 1}));
  }
  for (const auto* host : {"127.0.0.1", "::1", "10.0.0.0", "localhost", "any"}) {
    CAF_CHECK(!is_wildcard({host, 1}));
  }
}

CAF_TEST(values in messages are short and harmless) {
  CAF_CHECK_EQUAL(quote("a\x1b[31m"), "\"a\\x1b[31m\"");
  CAF_CHECK(quote(std::string(1000, 'x')).size() < 100);
}

}  // namespace cafmcp::config
