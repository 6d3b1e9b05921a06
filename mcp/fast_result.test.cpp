#define CAF_SUITE fast_result

#include "mcp/fast_result.hpp"

#include <random>

#include "tests/unit/caf_test.hpp"

using namespace cafmcp::mcp;

namespace {

constexpr revision revisions[] = {revision::v2024_11_05, revision::v2025_03_26, revision::v2025_06_18,
                                  revision::v2025_11_25, revision::v2026_07_28};

// The way over values.
std::string slow(const call& c, const std::string& text, bool is_error, const std::string& structured) {
  auto result = text_result(text, is_error);
  if (!structured.empty()) {
    result.structured_content = json::parse(structured);
  }
  return finish(c, result);
}

bool same(const std::string& text, bool is_error = false, const std::string& structured = {}) {
  for (const auto r : revisions) {
    const call c{.version = r, .id = "\"an id\""};
    const auto fast = finish_text(c, text, is_error, structured);
    if (fast != slow(c, text, is_error, structured)) {
      CAF_MESSAGE("differs: " << fast);
      return false;
    }
  }
  return true;
}

// Text of all kinds of bytes, mostly plain so that runs of every length come up.
std::string random_text(std::mt19937& random) {
  static const std::string pieces[] = {"\"",
                                       "\\",
                                       "\n",
                                       "\b",
                                       "\f",
                                       "\x01",
                                       "\x1f",
                                       "\x7f",
                                       "\xC3\xA4",
                                       "\xE2\x82\xAC",
                                       "\xF0\x9F\x98\x80",
                                       "\xE2\x82",
                                       "\xF0\x9F\x98",
                                       "\xC0\xAF",
                                       "\xED\xA0\x80",
                                       "\xF4\x90\x80\x80",
                                       "\x80",
                                       "\xFF",
                                       std::string(1, '\0')};
  const bool valid = random() % 2 == 0;
  std::string text;
  for (auto n = random() % 24; n > 0; --n) {
    text += std::string(random() % 20, static_cast<char>('a' + random() % 26));
    text += pieces[random() % (valid ? 11 : std::size(pieces))];
  }
  return text;
}

}  // namespace

CAF_TEST(texts are written as the long way writes them) {
  CAF_CHECK(same(""));
  CAF_CHECK(same("hello"));
  CAF_CHECK(same("exactly8"));
  CAF_CHECK(same("no UTF-8: \xE2\x82 and \xFF", true));
  for (int c = 0; c < 256; ++c) {
    for (std::size_t at = 0; at < 17; ++at) {
      std::string text(17, 'x');
      text[at] = static_cast<char>(c);
      CAF_REQUIRE(same(text));
    }
  }
  std::mt19937 random{5};
  for (int i = 0; i < 5000; ++i) {
    CAF_REQUIRE(same(random_text(random), random() % 2 == 0));
  }
}

CAF_TEST(structured content stands beside the text) {
  CAF_CHECK(same("3", false, R"({"sum":3})"));
  CAF_CHECK(same("no", true, R"({"why":["a\n",null]})"));
  const call c{.version = revision::v2025_06_18, .id = "1"};
  CAF_CHECK_EQUAL(
      finish_text(c, "3", false, R"({"sum":3})"),
      R"({"jsonrpc":"2.0","id":1,"result":{"content":[{"type":"text","text":"3"}],"structuredContent":{"sum":3}}})");
}

CAF_TEST(line ends of a client do not get into an answer) {
  const call c{.id = "1\n"};
  CAF_CHECK(finish_text(c, "a\nb", false, "{\n}").find('\n') == std::string::npos);
}
