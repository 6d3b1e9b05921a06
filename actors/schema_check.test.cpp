#define CAF_SUITE schema_check

#include "actors/schema_check.hpp"

#include "tests/unit/caf_test.hpp"

using cafmcp::actors::schema_check;
using nlohmann::json;
using nlohmann::ordered_json;

namespace {

schema_check compile(const char* text) {
  return schema_check::compile(ordered_json::parse(text)).value();
}

std::string refusal(const char* text) {
  const auto compiled = schema_check::compile(ordered_json::parse(text));
  return compiled ? "" : compiled.error().message;
}

std::string fault(const schema_check& c, const char* arguments) {
  const auto checked = c.check(json::parse(arguments));
  return checked ? "" : checked.error().message;
}

constexpr const char* order = R"({
  "type": "object",
  "properties": {
    "name": {"type": "string", "minLength": 1},
    "items": {"type": "array", "items": {"$ref": "#/$defs/item"}},
    "when": {"enum": ["now", "later"]}
  },
  "required": ["name"],
  "additionalProperties": false,
  "$defs": {"item": {"type": "object", "properties": {"price": {"type": "number", "minimum": 0}}, "required": ["price"]}}
})";

}  // namespace

CAF_TEST(good arguments pass) {
  const auto c = compile(order);
  CAF_CHECK(c.unchecked().empty());
  CAF_CHECK_EQUAL(fault(c, R"({"name":"x"})"), "");
  CAF_CHECK_EQUAL(fault(c, R"({"name":"x","items":[{"price":1},{"price":2.5}],"when":"now"})"), "");
}

CAF_TEST(a fault names its place) {
  const auto c = compile(order);
  CAF_CHECK(
      fault(c, R"({"name":"x","items":[{"price":1},{"price":-1}]})").find("arguments.items[1].price: ") !=
      std::string::npos);
  CAF_CHECK(fault(c, R"({"name":7})").find("arguments.name: ") != std::string::npos);
  CAF_CHECK(fault(c, R"({})").find("name") != std::string::npos);
  CAF_CHECK(fault(c, R"({"name":"x","other":1})").find("other") != std::string::npos);
  CAF_CHECK(fault(c, R"({"name":"x","when":"never"})").find("arguments.when: ") != std::string::npos);
  CAF_CHECK_NOT_EQUAL(fault(c, "[]"), "");
  CAF_CHECK_NOT_EQUAL(fault(c, "null"), "");
}

CAF_TEST(at most three faults are told) {
  const auto c = compile(order);
  const auto text = fault(c, R"({"name":1,"when":2,"items":[1,2,3,4,5,6,7,8,9]})");
  CAF_CHECK_EQUAL(std::count(text.begin(), text.end(), ';'), 2);
}

CAF_TEST(what cannot be checked is listed) {
  const auto c = compile(
      R"({"type":"object","properties":{"prefixItems":{"type":"array","prefixItems":[{"type":"string"}]},
    "a":{"$defs":{"x":{"$anchor":"y"}},"default":{"unevaluatedItems":1}}}})");
  CAF_CHECK_EQUAL(c.unchecked(), (std::vector<std::string>{"/properties/a/$defs/x/$anchor",
                                                           "/properties/prefixItems/prefixItems"}));
}

CAF_TEST(schemas that are wrong are refused with a reason) {
  CAF_CHECK_NOT_EQUAL(refusal("[]"), "");
  CAF_CHECK_NOT_EQUAL(refusal(R"({"$ref":"http://example.com/x.json"})"), "");
  CAF_CHECK_NOT_EQUAL(refusal(R"({"$ref":7})"), "");
  CAF_CHECK_NOT_EQUAL(refusal(R"({"properties":[]})"), "");
  CAF_CHECK_NOT_EQUAL(refusal(R"({"properties":{"a":{"pattern":"("}}})"), "");
  CAF_CHECK_NOT_EQUAL(refusal(R"({"type":"nonsense"})"), "");
  CAF_CHECK_NOT_EQUAL(refusal(R"({"$ref":"#/$defs/missing"})"), "");
  std::string deep;
  for (int i = 0; i < 200; ++i)
    deep += R"({"items":)";
  deep += "{}" + std::string(200, '}');
  CAF_CHECK(refusal(deep.c_str()).find("too deep") != std::string::npos);
}

CAF_TEST(long strings are kept from regular expressions) {
  const auto c = compile(
      R"({"type":"object","properties":{"a":{"type":"string","pattern":"^(x|y)*$"},"b":{"type":"string"}}})");
  CAF_CHECK_EQUAL(fault(c, R"({"a":"xyxy"})"), "");
  CAF_CHECK_NOT_EQUAL(fault(c, R"({"a":"xyz"})"), "");
  const json big{{"a", std::string(1'000'000, 'x')}};
  CAF_CHECK(!c.check(big));
  const auto plain = compile(R"({"type":"object","properties":{"a":{"type":"string","maxLength":2000000}}})");
  CAF_CHECK(plain.check(big).has_value());
}

CAF_TEST(one schema serves many threads) {
  const auto c = compile(order);
  std::atomic<int> passed{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t)
    threads.emplace_back([&] {
      for (int i = 0; i < 200; ++i)
        if (fault(c, R"({"name":"x","items":[{"price":1}]})").empty() && !fault(c, R"({"name":""})").empty())
          ++passed;
    });
  for (auto& t : threads)
    t.join();
  CAF_CHECK_EQUAL(passed.load(), 800);
}
