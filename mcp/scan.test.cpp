#define CAF_SUITE scan

#include "mcp/scan.hpp"

#include <simdjson.h>

#include <array>
#include <nlohmann/json.hpp>
#include <random>
#include <string>

#include "mcp/text.hpp"
#include "tests/unit/caf_test.hpp"

using namespace cafmcp::mcp;

namespace {

std::string nested(std::size_t depth) {
  return std::string(depth, '[') + std::string(depth, ']');
}

std::string as_string(std::string_view s) {
  std::string out;
  append_string(out, s);
  return out;
}

/// Two other parsers about the same bytes: simdjson refuses numbers that it can't hold, nlohmann doesn't.
bool others_accept(const std::string& bytes) {
  simdjson::dom::parser parser;
  const auto fault = parser.parse(bytes).error();
  return fault == simdjson::SUCCESS || (fault == simdjson::NUMBER_ERROR && nlohmann::json::accept(bytes));
}

}  // namespace

CAF_TEST(valid values of all kinds are accepted) {
  for (const auto* text :
       {"0", "-0", "10", "-1.5e+3", "1E9", "0.25", "123456789012345678901234567890", "1e999", "true", "false",
        "null", "\"\"", R"("a\"\\\/\b\f\n\r\t\u00e9\ud83d\ude00")", "[]", "{}", " [ 1 , { \"a\" : [ ] } ] \n",
        R"({"a":{"b":[{},[],"x"]},"c":1})", "\"\xC3\xA9\xF0\x9F\x98\x80\"", R"("\u0000")"}) {
    CAF_CHECK_EQUAL(std::string(valid_json(text) ? "valid " : "refused ") + text,
                    std::string("valid ") + text);
  }
}

CAF_TEST(everything else is refused) {
  for (const std::string text : {"",
                                 " ",
                                 "01",
                                 "-",
                                 "+1",
                                 "1.",
                                 ".5",
                                 "1e",
                                 "1e+",
                                 "0x1",
                                 "NaN",
                                 "tru",
                                 "truex",
                                 "nul",
                                 "\"",
                                 "\"a",
                                 "\"\\\"",
                                 "\"\\x\"",
                                 "\"\\u12g4\"",
                                 "\"\\u123\"",
                                 R"("\ud800")",
                                 R"("\udc00")",
                                 R"("\ud800\u0041")",
                                 R"("\ud83d")",
                                 "\"\n\"",
                                 "\"\t\"",
                                 "[",
                                 "]",
                                 "[1",
                                 "[1,",
                                 "[1,]",
                                 "[,1]",
                                 "[1 2]",
                                 "{",
                                 "}",
                                 "{\"a\"}",
                                 "{\"a\":}",
                                 "{\"a\":1,}",
                                 "{a:1}",
                                 "{'a':1}",
                                 "{1:1}",
                                 "{\"a\" 1}",
                                 "[}",
                                 "{]",
                                 "[1}",
                                 "{\"a\":1]",
                                 "1 2",
                                 "{}{}",
                                 "{} x",
                                 "// c\n1",
                                 "\"\xC3\"",
                                 "\"\xC0\x80\"",
                                 "\"\xED\xA0\x80\"",
                                 "\"\xFF\"",
                                 "\xEF\xBB\xBF{}"}) {
    CAF_CHECK_EQUAL((valid_json(text) ? "valid " : "refused ") + text, "refused " + text);
  }
  CAF_CHECK(!valid_json(std::string("1\0", 2)));
  CAF_CHECK(!valid_json(std::string("\"\0\"", 3)));
}

CAF_TEST(depth has a bound) {
  CAF_CHECK(valid_json(nested(64), 64));
  CAF_CHECK(!valid_json(nested(65), 64));
  CAF_CHECK(valid_json(nested(1024)));
  CAF_CHECK(!valid_json(nested(1025)));
  const auto deep = nested(65);
  CAF_CHECK(scanner(deep, 64).value() == scan_status::too_deep);
  CAF_CHECK(!valid_json(std::string(1 << 20, '[')));
  std::string wide = "[";
  for (int i = 0; i < 1000; ++i) {
    wide += "[{}],";
  }
  CAF_CHECK(valid_json(wide + "1]", 3));
}

CAF_TEST(members are found under any spelling of their name) {
  const std::string_view object = R"( { "a" : [1, 2] , "\u0062":"x\"}", "c":{"a":2}, "d":null } )";
  std::array<field, 5> wanted{{{"a"}, {"b"}, {"c"}, {"d"}, {"e"}}};
  CAF_REQUIRE(read_fields(object, wanted));
  CAF_CHECK_EQUAL(wanted[0].value, "[1, 2]");
  CAF_CHECK_EQUAL(wanted[1].value, R"("x\"}")");
  CAF_CHECK_EQUAL(wanted[2].value, R"({"a":2})");
  CAF_CHECK_EQUAL(wanted[3].value, "null");
  CAF_CHECK(wanted[4].value.empty());
  std::array<field, 1> twice{{{"a"}}};
  CAF_CHECK(!read_fields(R"({"a":1,"x":2,"\u0061":1})", twice));
  std::array<field, 1> thrice{{{"a"}}};
  CAF_CHECK(!read_fields(R"({"a":1,"a":1,"a":1})", thrice));
}

CAF_TEST(it agrees with two other parsers about mutated texts) {
  const std::string seeds[] = {
      R"({"a":[1,2.5e-3,true,null,"x\u00e9\n\"y"],"b":{"c":{},"d":[[],{}]},"e":-0})",
      R"([{"name":"add","arguments":{"a":1,"b":[false,"\ud83d\ude00é"]}},"12345678901"])"};
  constexpr std::string_view pool = "{}[]\",:\\u0019eE+-.tfnl \n\t\x01\x7f\xc3\xa9\xf0";
  std::mt19937 random(20240607);
  const auto pick = [&](std::size_t n) { return random() % n; };
  int valid = 0;
  constexpr int rounds = 20000;
  for (int round = 0; round < rounds; ++round) {
    auto text = seeds[pick(2)];
    for (auto n = 1 + pick(3); n > 0; --n) {
      const auto at = pick(text.size());
      switch (pick(3)) {
        case 0:
          text[at] = pool[pick(pool.size())];
          break;
        case 1:
          text.erase(at, 1 + pick(3));
          break;
        default:
          text.insert(at, 1, pool[pick(pool.size())]);
      }
    }
    if (valid_json(text) != others_accept(text)) {
      CAF_ERROR("they disagree about " << text);
    }
    valid += valid_json(text) ? 1 : 0;
  }
  CAF_CHECK(valid > rounds / 20 && valid < rounds / 2);
}

CAF_TEST(strings are escaped and come back) {
  std::string all;
  for (int c = 0; c < 128; ++c) {
    all += static_cast<char>(c);
  }
  all += "é😀\u2028";
  const auto text = as_string(all);
  CAF_CHECK(valid_json(text));
  CAF_CHECK(text.find('\n') == std::string::npos);
  CAF_CHECK_EQUAL(unescape(std::string_view(text).substr(1, text.size() - 2)), all);
  CAF_CHECK_EQUAL(unescape(R"(\u00e9\uD83D\uDE00\/\u0041\u20ac)"), "é😀/A€");
  CAF_CHECK_EQUAL(as_string("a\xFFz\xC3"), "\"a\xEF\xBF\xBDz\xEF\xBF\xBD\"");
  CAF_CHECK_EQUAL(as_string(""), "\"\"");
}

CAF_TEST(raw values are put on one line) {
  std::string out = "x";
  append_raw(out, "{\n\"a\":\r\n1}\n");
  CAF_CHECK_EQUAL(out, "x{ \"a\":  1} ");
}
