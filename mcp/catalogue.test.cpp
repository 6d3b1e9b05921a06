#define CAF_SUITE catalogue

#include "mcp/catalogue.hpp"

#include "mcp/cursor.hpp"
#include "mcp/uri_template.hpp"
#include "tests/unit/caf_test.hpp"

using namespace cafmcp::mcp;
using enum revision;

namespace {

tool named(const std::string& name) {
  tool t;
  t.name = name;
  return t;
}

std::vector<std::string> names_of(const std::string& page) {
  std::vector<std::string> names;
  const auto parsed_page = json::parse(page);
  for (const auto& item : parsed_page["tools"]) {
    names.push_back(item["name"]);
  }
  return names;
}

std::string cursor_of(const std::string& page) {
  return json::parse(page).value("nextCursor", "");
}

catalogue::ptr tools(std::initializer_list<const char*> names, const page_limits& limits = {}) {
  catalogue_content parts;
  for (const auto* name : names) {
    parts.tools.push_back(named(name));
  }
  return catalogue::make(std::move(parts), limits).value();
}

using strings = std::vector<std::string>;

}  // namespace

CAF_TEST(lists are in the order of names and come in pages) {
  const auto all = tools({"e", "a", "c", "b", "d"}, {.items = 2});
  const auto first = all->list(list_kind::tools, v2025_11_25).value();
  CAF_CHECK_EQUAL(names_of(first), (strings{"a", "b"}));
  const auto second = all->list(list_kind::tools, v2025_11_25, cursor_of(first)).value();
  CAF_CHECK_EQUAL(names_of(second), (strings{"c", "d"}));
  const auto third = all->list(list_kind::tools, v2024_11_05, cursor_of(second)).value();
  CAF_CHECK_EQUAL(names_of(third), (strings{"e"}));
  CAF_CHECK_EQUAL(cursor_of(third), "");
  CAF_CHECK_EQUAL(tools({})->list(list_kind::tools, v2025_06_18).value(), R"({"tools":[]})");
  CAF_CHECK_EQUAL(tools({})->list(list_kind::templates, v2025_06_18).value(), R"({"resourceTemplates":[]})");
}

CAF_TEST(cursors outlive a change of the list) {
  const auto cursor =
      cursor_of(tools({"a", "b", "c", "d"}, {.items = 2})->list(list_kind::tools, v2025_11_25).value());
  const auto next = tools({"0", "a", "bb", "c"}, {.items = 2})->list(list_kind::tools, v2025_11_25, cursor);
  CAF_CHECK_EQUAL(names_of(next.value()), (strings{"bb", "c"}));
  CAF_CHECK_EQUAL(names_of(tools({"a"})->list(list_kind::tools, v2025_11_25, cursor).value()), strings{});
}

CAF_TEST(bad cursors are refused) {
  const auto all = tools({"a", "b"});
  const auto good = make_cursor('t', "a");
  CAF_CHECK(all->list(list_kind::tools, v2025_11_25, good).has_value());
  CAF_CHECK(read_cursor('t', make_cursor('t', "")) == "");
  for (const std::string& bad : {std::string(), std::string("x"), std::string("!!!"), good + "A", good + "=",
                                 good.substr(1), make_cursor('p', "a"), std::string(1000, 'A')}) {
    CAF_CHECK_EQUAL(all->list(list_kind::tools, v2025_11_25, bad).error().code, -32602);
  }
}

CAF_TEST(pages are bounded in bytes) {
  const auto all = tools({"a", "b", "c"}, {.items = 10, .bytes = 100});
  const auto first = all->list(list_kind::tools, v2025_11_25).value();
  CAF_CHECK_EQUAL(names_of(first).size(), 2u);
  // What is too large for any page is one by itself.
  CAF_CHECK_EQUAL(names_of(tools({"a", "b"}, {.bytes = 1})->list(list_kind::tools, v2025_11_25).value()),
                  strings{"a"});
}

CAF_TEST(what is there twice or has no name is refused) {
  catalogue_content twice;
  twice.tools = {named("a"), named("a")};
  CAF_CHECK(catalogue::make(twice).error().code == cafmcp::errc::conflict);
  catalogue_content nameless;
  nameless.prompts.emplace_back();
  CAF_CHECK(catalogue::make(nameless).error().code == cafmcp::errc::invalid);
  catalogue_content odd;
  odd.tools = {named("a")};
  odd.tools[0].input_schema = json::array();
  CAF_CHECK(catalogue::make(odd).error().code == cafmcp::errc::invalid);
}

CAF_TEST(definitions are found and resources are matched) {
  catalogue_content parts;
  parts.tools = {named("x"), named("y")};
  parts.resources.push_back({.uri = "test://a", .name = "a"});
  parts.templates.push_back({.uri_template = "test://t/{id}/data", .name = "t"});
  parts.prompts.push_back({.name = "p"});
  const auto all = catalogue::make(parts).value();
  CAF_CHECK_EQUAL(all->find_tool("y")->name, "y");
  CAF_CHECK(all->find_tool("z") == nullptr);
  CAF_CHECK(all->find_prompt("p") != nullptr && all->find_resource("test://a") != nullptr);
  CAF_CHECK(all->find_template("test://t/{id}/data") != nullptr);
  CAF_CHECK(all->readable("test://a") && all->readable("test://t/7/data"));
  CAF_CHECK(!all->readable("test://b") && !all->readable("test://t/7/8/data"));
  parts.open_resources = true;
  CAF_CHECK(catalogue::make(parts).value()->readable("any://thing"));
}

CAF_TEST(templates) {
  CAF_CHECK(matches_template("a", "a") && !matches_template("a", "b") && !matches_template("a", "ab"));
  CAF_CHECK(matches_template("f:///{+path}", "f:///a/b") && matches_template("f:///{+path}", "f:///"));
  CAF_CHECK(matches_template("x/{a}-{b}", "x/1-2-3") && !matches_template("x/{a}-{b}", "x/12"));
  CAF_CHECK(!matches_template("x/{a}", "x/") && !matches_template("x/{a}", "x/1?q"));
  CAF_CHECK(matches_template("x{?q}", "x?q=1") && matches_template("x{?q}", "x"));
  CAF_CHECK(matches_template("x{", "x{") && !matches_template("", "x"));
  std::string many;
  for (int n = 0; n < 100; ++n) {
    many += "{a}";
  }
  CAF_CHECK(matches_template(many, std::string(2000, 'x')));
  CAF_CHECK(!matches_template(many + "y", std::string(2000, 'x')) && !matches_template(many, "x"));
}
