#define CAF_SUITE tree_view

#include "admin/tree_view.hpp"

#include "admin/tree_json.hpp"
#include "tests/unit/caf_test.hpp"

using namespace cafmcp;

namespace {

otp::tree_node node(std::string id, otp::child_type kind, std::vector<otp::tree_node> children = {}) {
  otp::tree_node n;
  n.id = std::move(id);
  n.kind = kind;
  n.module = "m";
  n.status = "running";
  n.children_total = children.size();
  n.children = std::move(children);
  return n;
}

otp::tree_node sample() {
  constexpr auto supervisor = otp::child_type::supervisor;
  constexpr auto worker = otp::child_type::worker;
  auto root = node("root", supervisor,
                   {node("a", supervisor, {node("x", worker)}), node("b", supervisor, {node("x", worker)})});
  root.children[1].children[0].restarts = 3;
  root.children[1].children_total = 7;
  return root;
}

}  // namespace

CAF_TEST(a tree is drawn with a line for each actor) {
  const auto drawing = admin::draw_tree(admin::to_json(sample()), false);
  CAF_CHECK_EQUAL(drawing,
                  "ACTOR               KIND         STATUS        RESTARTS  MAILBOX\n"
                  "root                one_for_one  running              0        0\n"
                  "├─ a                one_for_one  running              0        0\n"
                  "│  └─ x             m            running              0        0\n"
                  "└─ b                one_for_one  running              0        0\n"
                  "   ├─ x             m            running              3        0\n"
                  "   └─ … and 6 more\n");
}

CAF_TEST(of many instances only a few are told and the rest is counted) {
  auto tree = sample();
  auto& many = tree.children[0];
  many.strategy = otp::strategy::simple_one_for_one;
  for (int i = 0; i < 199; ++i)
    many.children.push_back(node("#" + std::to_string(i), otp::child_type::worker));
  many.children_total = 1'000'000;
  const auto drawing = admin::draw_tree(admin::to_json(tree, 10), false);
  CAF_CHECK_EQUAL(std::count(drawing.begin(), drawing.end(), '\n'), 17);
  CAF_CHECK_NOT_EQUAL(drawing.find("│  └─ … and 999 990 more\n"), std::string::npos);
  CAF_CHECK_EQUAL(admin::to_json(tree, 10)["children"][1]["children"].size(), 1u);
  CAF_CHECK_EQUAL(admin::to_json(tree)["children"][0]["children"].size(), 200u);
  CAF_CHECK_EQUAL(admin::to_json(tree, 0)["children"][0]["children"].size(), 0u);
}

CAF_TEST(colours are added only if asked for and ids cannot add any) {
  auto tree = sample();
  tree.children[0].id = "evil\x1b[31m\n";
  const auto plain = admin::draw_tree(admin::to_json(tree), false);
  CAF_CHECK_EQUAL(plain.find('\x1b'), std::string::npos);
  CAF_CHECK_EQUAL(std::count(plain.begin(), plain.end(), '\n'), 7);
  CAF_CHECK_NOT_EQUAL(admin::draw_tree(admin::to_json(tree), true).find('\x1b'), std::string::npos);
}

CAF_TEST(a drawing survives any JSON) {
  for (const auto* text :
       {"null", "[]", "7", "{}", R"({"id":3,"children":7})", R"({"children":[null,[],{"id":"x"}]})",
        R"({"children":{"id":"x"},"children_total":-1})"})
    CAF_CHECK(!admin::draw_tree(nlohmann::ordered_json::parse(text), false).empty());
}

CAF_TEST(an actor is found by its path or the end of it) {
  const auto tree = sample();
  CAF_CHECK_EQUAL(admin::find_nodes(tree, "root/a/x").size(), 1u);
  const auto found = admin::find_nodes(tree, "b/x");
  CAF_REQUIRE_EQUAL(found.size(), 1u);
  CAF_CHECK_EQUAL(found.front().path, "root/b/x");
  CAF_CHECK_EQUAL(found.front().node, &tree.children[1].children[0]);
  CAF_CHECK_EQUAL(admin::find_nodes(tree, "x").size(), 2u);
  CAF_CHECK_EQUAL(admin::find_nodes(tree, "root").size(), 1u);
  CAF_CHECK_EQUAL(admin::find_nodes(tree, "oot").size(), 0u);
  CAF_CHECK_EQUAL(admin::find_nodes(tree, "").size(), 0u);
}
