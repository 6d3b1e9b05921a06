#define CAF_SUITE cluster_view

#include "admin/cluster_view.hpp"

#include "admin/tree_view.hpp"
#include "tests/unit/caf_test.hpp"

using namespace cafmcp;
using json = nlohmann::ordered_json;

namespace {

json node(const char* name, const char* status) {
  return {{"name", name},
          {"id", std::string{"id-"} + name},
          {"status", status},
          {"region", "eu"},
          {"zone", ""},
          {"weight", 100},
          {"address", "h:1"},
          {"sessions", nullptr},
          {"connections", 7},
          {"buckets", 85},
          {"held", 256},
          {"learning", 0},
          {"last_heartbeat_ms", nullptr}};
}

json cluster(bool well) {
  auto first = node("a", "up");
  first["sessions"] = 1'234;
  first["last_heartbeat_ms"] = 0;
  return {{"epoch", 1'256},
          {"leader", well ? json("a") : json(nullptr)},
          {"self", "a"},
          {"id", "id-a"},
          {"in_contact", well},
          {"isolated", !well},
          {"revision", 9},
          {"nodes", json::array({first, node("long\x1b[1m", "draining"), node("c", "down")})},
          {"buckets", {{"total", 256}, {"own", 85}, {"unowned", 0}, {"degraded", 12}, {"moving", 0}}}};
}

bool has(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

}  // namespace

CAF_TEST(a cluster is a few lines and a table) {
  CAF_CHECK_EQUAL(
      admin::draw_cluster(cluster(true), false),
      "this node      a, ok\n"
      "controller     a\n"
      "epoch          1 256, revision 9\n"
      "buckets        256: 85 own, 0 unowned, 12 degraded, 0 moving\n"
      "\n"
      "NODE         STATUS    BUCKETS  HELD  LEARNING  WEIGHT  REGION  ZONE  SESSIONS  CONNECTIONS  HEARD  "
      "ADDRESS  ROLE\n"
      "a            up             85   256         0     100  eu      -        1 234            7   0 ms  "
      "h:1      this node, controller\n"
      "long\\x1b[1m  draining       85   256         0     100  eu      -            -            7      -  "
      "h:1      -\n"
      "c            down           85   256         0     100  eu      -            -            7      -  "
      "h:1      -\n");
  const auto coloured = admin::draw_cluster(cluster(true), true);
  for (const auto* part : {"\x1b[32mok\x1b[0m", "\x1b[33m12 degraded\x1b[0m", ", 0 unowned, ", "\x1b[32mup",
                           "\x1b[33mdraining", "\x1b[31mdown"})
    CAF_CHECK(has(coloured, part));
}

CAF_TEST(a node that is cut off says so first) {
  const auto drawn = admin::draw_cluster(cluster(false), false);
  CAF_CHECK(has(drawn,
                "this node      a, isolated: its lease is not sure, it owns nothing, the coordinator does "
                "not answer\ncontroller     -\n"));
}

CAF_TEST(buckets are a table) {
  const auto rows = json::array({{{"bucket", 0},
                                  {"owner", "a"},
                                  {"epoch", 4},
                                  {"in_sync", {"a", "b\x1b"}},
                                  {"learners", {"c"}},
                                  {"next", "b"},
                                  {"mine", true}},
                                 {{"bucket", 1},
                                  {"owner", nullptr},
                                  {"epoch", 0},
                                  {"in_sync", json::array()},
                                  {"learners", json::array()},
                                  {"next", nullptr},
                                  {"mine", false}}});
  CAF_CHECK_EQUAL(admin::draw_buckets(rows, false),
                  "BUCKET  OWNER  EPOCH  IN SYNC  LEARNERS  NEXT  MINE\n"
                  "     0  a          4  a b\\x1b  c         b     yes\n"
                  "     1  -          0  -        -         -     -\n");
}

CAF_TEST(a summary is a line of the status) {
  const json summary{{"nodes", 3}, {"up", 2}, {"controller", "a"}};
  CAF_CHECK_EQUAL(admin::draw_status({{"name", "n"}, {"cluster", summary}}, false),
                  "name             n\ncluster          2 of 3 nodes up, controller a\n");
  CAF_CHECK_EQUAL(admin::draw_cluster_line({{"nodes", 1}, {"up", 0}, {"controller", nullptr}}),
                  "0 of 1 nodes up, no controller");
}

CAF_TEST(who leaves is told how far it is) {
  const auto line = [](const char* state) {
    return admin::draw_leaving({{"state", state}, {"buckets", 3}, {"held", 1'000}});
  };
  CAF_CHECK_EQUAL(line("draining"), "draining: owns 3 buckets and holds 1 000");
  CAF_CHECK_EQUAL(line("left"), "the node has left the cluster; it can be stopped");
  CAF_CHECK_EQUAL(line("up"), "the node takes part again");
  CAF_CHECK_EQUAL(admin::draw_removed({{"removed", "b\n"}, {"id", "i"}}, false),
                  "node b\\n (i) is no member any more\n");
}

CAF_TEST(what changes all the time is no change) {
  auto later = cluster(true);
  later["revision"] = 10;
  later["nodes"][0]["last_heartbeat_ms"] = 5;
  CAF_CHECK(admin::without_pulse(later) == admin::without_pulse(cluster(true)));
  later["nodes"][0]["buckets"] = 84;
  CAF_CHECK(admin::without_pulse(later) != admin::without_pulse(cluster(true)));
}

CAF_TEST(any JSON about a cluster is drawn) {
  for (const auto* text : {"null", "[]", "{}", "3", "[null]", R"({"nodes":[null,3,{}],"buckets":[]})",
                           R"([{"bucket":"x","in_sync":[1,null,"a"],"learners":{},"mine":3}])",
                           R"({"nodes":{"a":1},"leader":3,"isolated":"x"})"}) {
    const auto any = json::parse(text);
    CAF_CHECK(!admin::draw_cluster(any, true).empty());
    CAF_CHECK(!admin::draw_buckets(any, true).empty());
    CAF_CHECK(!admin::draw_cluster_line(any).empty());
    CAF_CHECK(!admin::draw_leaving(any).empty());
    CAF_CHECK(!admin::draw_removed(any, true).empty());
    admin::without_pulse(any);
  }
}
