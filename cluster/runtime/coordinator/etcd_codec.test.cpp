#define CAF_SUITE etcd_codec

#include "cluster/runtime/coordinator/etcd_codec.hpp"

#include "cluster/runtime/coordinator/base64.hpp"
#include "cluster/runtime/coordinator/etcd_options.hpp"

#include "tests/unit/caf_test.hpp"

namespace cafmcp::cluster {

CAF_TEST(base64 there and back) {
  const std::pair<std::string, std::string> known[] = {
      {"", ""},        {"f", "Zg=="},        {"fo", "Zm8="},
      {"foo", "Zm9v"}, {"foob", "Zm9vYg=="}, {"\xff\xfe\xfb", "//77"}};
  for (const auto& [bytes, text] : known) {
    CAF_CHECK_EQUAL(to_base64(bytes), text);
    CAF_CHECK(from_base64(text) == bytes);
  }
  std::string all;
  for (int i = 0; i < 256; ++i) {
    all += static_cast<char>(i);
    CAF_CHECK(from_base64(to_base64(all)) == all);
  }
  for (const auto* bad : {"Z", "Zg", "Zg=", "Zg==Zg==", "Z===", "====", "Zm9v\n", "Zm-v", "Zm 9v", "=Zm9"})
    CAF_CHECK(!from_base64(bad));
}

CAF_TEST(the end of a prefix) {
  CAF_CHECK_EQUAL(end_of_prefix("a/"), "a0");
  CAF_CHECK_EQUAL(end_of_prefix("a\xff\xff"), "b");
  CAF_CHECK_EQUAL(end_of_prefix(""), std::string(1, '\0'));
  CAF_CHECK_EQUAL(end_of_prefix("\xff\xff"), std::string(1, '\0'));
  CAF_CHECK_EQUAL(end_of_prefix("\x7f"), "\x80");
}

CAF_TEST(requests as the gateway reads them) {
  using nlohmann::json;
  const auto check = [](const std::string& request, const char* expected) {
    CAF_CHECK_EQUAL(json::parse(request).dump(), json::parse(expected).dump());
  };
  check(login_request("a\"", "\xff"), "{\"name\":\"a\\\"\",\"password\":\"\\ufffd\"}");
  check(range_request("a", "", 7, 0), R"({"key":"YQ==","range_end":"Yg==","limit":"7"})");
  check(range_request("", "", 7, 3), R"({"key":"AA==","range_end":"AA==","limit":"7","revision":"3"})");
  check(range_request("a", "ab", 7, 3), R"({"key":"YWI=","range_end":"Yg==","limit":"7","revision":"3"})");
  check(newest_request("a"), R"({"key":"YQ==","range_end":"Yg==","limit":"1","keys_only":true,
                                 "sort_target":"MOD","sort_order":"DESCEND"})");
  check(watch_request("a", 4), R"({"create_request":{"key":"YQ==","range_end":"Yg==","start_revision":"4",
                                   "progress_notify":true}})");
  check(transaction_request(
            {{{"a", 0}, {"b", 7}},
             {{change::kind::put, "a", "v"}, {change::kind::put, "b", ""}, {change::kind::erase, "a"}}}),
        R"({"compare":[{"key":"YQ==","target":"MOD","result":"EQUAL","mod_revision":"0"},
                       {"key":"Yg==","target":"MOD","result":"EQUAL","mod_revision":"7"}],
            "success":[{"request_put":{"key":"YQ==","value":"dg=="}},
                       {"request_put":{"key":"Yg==","value":""}},
                       {"request_delete_range":{"key":"YQ=="}}]})");
}

CAF_TEST(integers are texts and nothing else) {
  const auto of = [](const std::string& count) -> std::optional<std::int64_t> {
    const auto range = parse_range(nlohmann::json::parse(R"({"header":{"revision":"9007199254740993"})" +
                                                         (count.empty() ? "" : ",\"count\":" + count) + '}'));
    if (!range)
      return std::nullopt;
    CAF_CHECK_EQUAL(range->header.at, 9007199254740993);
    return range->count;
  };
  CAF_CHECK(of("") == 0 && of("\"7\"") == 7 && of("7") == 7);
  CAF_CHECK(of("\"-9223372036854775808\"") == std::numeric_limits<std::int64_t>::min());
  for (const auto* bad :
       {"\"\"", "\"7 \"", "\"9223372036854775808\"", "[]", "null", "7.5", "true", "\"0x7\""})
    CAF_CHECK(!of(bad));
}

CAF_TEST(what a transaction must be) {
  const change a{change::kind::put, "a", "1"};
  const change b{change::kind::erase, "b"};
  CAF_CHECK(well_formed({{{"a", 0}}, {a, b}}));
  CAF_CHECK(!well_formed({{{"a", 0}}, {}}));
  CAF_CHECK(!well_formed({{}, {a, a}}));
  CAF_CHECK(!well_formed({{}, {{change::kind::put, "", "1"}}}));
  CAF_CHECK(!well_formed({{{"", 0}}, {a}}));
  CAF_CHECK(!well_formed({{{"a", -1}}, {a}}));
  CAF_CHECK(well_formed({std::vector<condition>(max_transaction - 1, {"a", 0}), {a}}));
  CAF_CHECK(!well_formed({std::vector<condition>(max_transaction, {"a", 0}), {a}}));
}

CAF_TEST(endpoints) {
  const auto of = [](const char* url) { return parse_endpoint({url, {}}); };
  const auto plain = of("http://10.0.0.1:2380");
  CAF_REQUIRE(plain.has_value());
  CAF_CHECK(plain->host == "10.0.0.1" && plain->port == 2380 && !plain->secure);
  const auto secure = of("https://etcd-1.example/");
  CAF_REQUIRE(secure.has_value());
  CAF_CHECK(secure->host == "etcd-1.example" && secure->port == 2379 && secure->secure);
  const auto six = of("http://[::1]:1");
  CAF_REQUIRE(six.has_value());
  CAF_CHECK(six->host == "::1" && six->port == 1);
  CAF_CHECK_EQUAL(six->shown(), "[::1]:1");
  CAF_CHECK(of("http://[fe80::1]").has_value());
  for (const auto* bad :
       {"", "etcd", "ftp://a", "http://", "http://:2379", "http://a:", "http://a:0", "http://a:65536",
        "http://a:x", "http://a/b", "http://u@a", "http://a?b", "http://[::1", "http://[x]", "http://a b",
        "http://a\r\nX: y", "http://[::1]x", "http:///"}) {
    const auto refused = of(bad);
    CAF_CHECK(!refused);
    CAF_CHECK(refused || refused.error().code == errc::invalid);
  }
}

}  // namespace cafmcp::cluster
