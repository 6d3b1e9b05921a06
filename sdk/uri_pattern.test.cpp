#define CAF_SUITE uri_pattern

#include "sdk/uri_pattern.hpp"

#include <random>

#include "mcp/uri_template.hpp"
#include "tests/unit/caf_test.hpp"

using namespace cafmcp::sdk;
using detail::uri_pattern;

namespace {

std::string matched(const std::string& uri_template, const std::string& uri) {
  const auto compiled = uri_pattern::compile(uri_template);
  if (!compiled)
    return compiled.error().message;
  const auto variables = compiled->match(uri);
  return variables ? variables->dump() : "no";
}

}  // namespace

CAF_TEST(uris are taken apart) {
  CAF_CHECK_EQUAL(matched("a://{x}", "a://b"), R"({"x":"b"})");
  CAF_CHECK_EQUAL(matched("a://{x}", "a://"), "no");
  CAF_CHECK_EQUAL(matched("a://{x}", "a://b/c"), "no");
  CAF_CHECK_EQUAL(matched("a://{x}", "b://b"), "no");
  CAF_CHECK_EQUAL(matched("a://{+x}", "a://b/c?d"), R"({"x":"b/c?d"})");
  CAF_CHECK_EQUAL(matched("a://{+x}", "a://"), R"({"x":""})");
  CAF_CHECK_EQUAL(matched("{a}-{b}", "x-y-z"), R"({"a":"x-y","b":"z"})");
  CAF_CHECK_EQUAL(matched("{+a}-{b}", "x-y/z-w"), R"({"a":"x-y/z","b":"w"})");
  CAF_CHECK_EQUAL(matched("{a}{b}/c", "xyz/c"), R"({"a":"xy","b":"z"})");
  CAF_CHECK_EQUAL(matched("plain", "plain"), "{}");
  CAF_CHECK_EQUAL(matched("u/{x}", "u/%C3%A4%2f%zz%4"), "{\"x\":\"\xC3\xA4/%zz%4\"}");
}

CAF_TEST(templates that can not be taken apart are refused) {
  for (const auto* bad : {"a{", "a}", "a{}", "{?q}", "{x,y}", "{x*}", "{x}{x}", "{+}", "{ x}"})
    CAF_CHECK(!uri_pattern::compile(bad));
}

CAF_TEST(what fits is what the catalogue says) {
  std::mt19937 random{3};
  const auto piece = [&](auto& pieces) { return std::string(pieces[random() % std::size(pieces)]); };
  constexpr const char* parts[] = {"a", "/", "b/", "{x}", "{+y}", "-", "{z}"};
  constexpr const char* texts[] = {"a", "/", "b", "-", "?", "c"};
  int fits = 0;
  for (int i = 0; i < 20000; ++i) {
    std::string uri_template, uri;
    for (auto n = random() % 6; n > 0; --n)
      uri_template += piece(parts);
    for (auto n = random() % 9; n > 0; --n)
      uri += piece(texts);
    const auto compiled = uri_pattern::compile(uri_template);
    if (!compiled)
      continue;
    const auto variables = compiled->match(uri);
    CAF_REQUIRE_EQUAL(variables.has_value(), cafmcp::mcp::matches_template(uri_template, uri));
    if (!variables)
      continue;
    ++fits;
    auto rebuilt = uri_template;
    for (const auto& [key, value] : variables->items())
      for (const auto& name : {"{" + key + "}", "{+" + key + "}"})
        if (const auto at = rebuilt.find(name); at != std::string::npos)
          rebuilt.replace(at, name.size(), value.get<std::string>());
    CAF_REQUIRE_EQUAL(rebuilt, uri);
  }
  CAF_CHECK(fits > 200);
}
