#define CAF_SUITE yaml

#include "config/yaml.hpp"

#include "tests/unit/caf_test.hpp"

namespace cafmcp::config {

namespace {

bool refuses(std::string_view text, std::string_view part, int line) {
  const auto r = parse_yaml(text);
  CAF_MESSAGE(r.error);
  CAF_CHECK_EQUAL(r.error_at.line, line);
  return !r.error.empty() && r.error.find(part) != std::string::npos;
}

std::string repeat(std::string_view s, std::size_t n) {
  std::string out;
  while (n-- > 0) {
    out += s;
  }
  return out;
}

}  // namespace

CAF_TEST(the tree has kinds and texts and places) {
  const auto r = parse_yaml("# comment\na: 1\nb:\n  - x\n  - 'y z'\nc: {d: ~}\ne:\n");
  CAF_REQUIRE(r.error.empty());
  using kind = yaml_node::kind;
  CAF_REQUIRE(r.root.type == kind::map);
  CAF_REQUIRE_EQUAL(r.root.entries.size(), 4U);
  const auto& [a, one] = r.root.entries[0];
  CAF_CHECK_EQUAL(a.text, "a");
  CAF_CHECK_EQUAL(a.at.line, 2);
  CAF_CHECK_EQUAL(a.at.column, 1);
  CAF_CHECK(one.type == kind::scalar);
  CAF_CHECK_EQUAL(one.text, "1");
  CAF_CHECK_EQUAL(one.at.column, 4);
  const auto& list = r.root.entries[1].second;
  CAF_REQUIRE(list.type == kind::list);
  CAF_REQUIRE_EQUAL(list.items.size(), 2U);
  CAF_CHECK_EQUAL(list.items[1].text, "y z");
  CAF_CHECK_EQUAL(list.items[1].at.line, 5);
  CAF_CHECK(r.root.entries[2].second.entries.at(0).second.type == kind::null);
  CAF_CHECK(r.root.entries[3].second.type == kind::null);
}

CAF_TEST(empty documents and duplicates are left to the caller) {
  CAF_CHECK(parse_yaml("").root.type == yaml_node::kind::null);
  CAF_CHECK(parse_yaml("---\na: 1\n...\n").error.empty());
  CAF_CHECK(parse_yaml("# nothing\n").root.type == yaml_node::kind::null);
  CAF_CHECK_EQUAL(parse_yaml("a: 1\na: 2\n").root.entries.size(), 2U);
}

CAF_TEST(what is not YAML is named with its line) {
  CAF_CHECK(refuses("a: 1\nb: [1, 2\nc: 3\n", "not valid YAML", 3));
  CAF_CHECK(refuses("a: 1\n\tb: 2\n", "not valid YAML", 2));
  CAF_CHECK(refuses("a: \"x\nb: 1\n", "quote is never closed", 4));
  CAF_CHECK(refuses("a: 'x", "quote is never closed", 2));
  CAF_CHECK(refuses("a: 1\nb: \x04\nc: 2\n", "control character", 2));
  CAF_CHECK(refuses(std::string_view("a: 1\nb\0: 2\n", 12), "control character", 2));
}

CAF_TEST(what grows or means something else is refused) {
  CAF_CHECK(refuses("a: &x 1\n", "anchors", 1));
  CAF_CHECK(refuses("a: 1\nb: *x\n", "", 2));
  CAF_CHECK(refuses("a: &a [1]\nb: &b [*a, *a]\nc: [*b, *b]\n", "anchors", 1));
  CAF_CHECK(refuses("a: 1\nb: !!int 2\n", "tags", 2));
  CAF_CHECK(refuses("a: !x {}\n", "tags", 1));
  CAF_CHECK(refuses("a: 1\n---\nb: 2\n", "second document", 2));
  CAF_CHECK(refuses("a: 1\n...\nb: 2\n", "second document", 3));
  CAF_CHECK(refuses("a: 1\n? [x]\n: 2\n", "plain word", 2));
  CAF_CHECK(refuses("{{a: 1}: 2}", "plain word", 1));
}

CAF_TEST(size and depth are bounded) {
  const auto nested = [](std::size_t n) { return repeat("[", n) + repeat("]", n); };
  CAF_CHECK(parse_yaml(nested(max_yaml_depth)).error.empty());
  CAF_CHECK(refuses(nested(max_yaml_depth + 1), "deeper than 16", 1));
  CAF_CHECK(!parse_yaml(repeat("[", max_yaml_bytes)).error.empty());
  CAF_CHECK(!parse_yaml(repeat("{a: ", max_yaml_bytes / 4)).error.empty());
  CAF_CHECK(!parse_yaml(repeat("- ", max_yaml_bytes / 2)).error.empty());
  CAF_CHECK(parse_yaml("#" + std::string(max_yaml_bytes - 1, 'x')).error.empty());
  CAF_CHECK(refuses("#" + std::string(max_yaml_bytes, 'x'), "larger than 1 MiB", 0));
}

}  // namespace cafmcp::config
