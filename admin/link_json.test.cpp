#define CAF_SUITE link_json

#include "admin/link_json.hpp"

#include "admin/link_view.hpp"
#include "admin/tree_view.hpp"
#include "tests/unit/caf_test.hpp"

using namespace cafmcp;
using namespace std::chrono_literals;
using json = nlohmann::ordered_json;

namespace {

bool has(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

struct fixture : test_coordinator_fixture<> {
  fixture() {
    directory.change("b", [&](cluster::peer_view& view) {
      view.about.address = "10.0.0.2:7000";
      view.about.incarnation = 18'446'744'073'709'551'615U;
      view.about.software = "1.2.3";
      view.about.region = "eu";
      view.about.zone = "z1";
      view.link = link;
      view.secure = true;
      view.since = now - 90s;
      view.links = 4;
    });
    auto& c = link->counters();
    c.heard_ns = (now - 250ms).time_since_epoch().count();
    c.beats = 1;
    c.rtt_ns = 1'500'000;
    c.slowest_ns = 20'000'000;
    c.window_free = 500;
    c.pending = 1;
    c.exports = 2;
    c.imports = 3;
    c.bytes_in = 2048;
    c.bytes_out = 5;
    c.messages_in = 6;
    c.messages_out = 7;
    c.dropped = 8;
    c.refused = 9;
  }
  void lose() {
    directory.change("b", [&](cluster::peer_view& view) {
      view.link = nullptr;
      view.since = now - 3h;
      view.trouble = "link: silent";
      view.dials = 11;
    });
  }
  json links() { return admin::links_json(directory.list(), now); }

  cluster::peer_view::clock::time_point now = cluster::peer_view::clock::now();
  wire::message_table types;
  std::shared_ptr<cluster::node_link> link = std::make_shared<cluster::node_link>(
      sys, types, cluster::name_resolver{}, cluster::link_bounds{}, cluster::link_terms{"b", 1});
  cluster::link_directory directory;
};

}  // namespace

CAF_TEST_FIXTURE_SCOPE(link_json_tests, fixture)

CAF_TEST(a link that is up is told with all its figures) {
  const auto all = links();
  CAF_REQUIRE_EQUAL(all.size(), 1u);
  const auto expected = json{{"node", "b"},
                             {"address", "10.0.0.2:7000"},
                             {"state", "up"},
                             {"secure", true},
                             {"since_seconds", 90},
                             {"incarnation", "18446744073709551615"},
                             {"software", "1.2.3"},
                             {"region", "eu"},
                             {"zone", "z1"},
                             {"last_heard_ms", 250},
                             {"rtt_ms", 1.5},
                             {"slowest_rtt_ms", 20.0},
                             {"pending", 1},
                             {"exports", 2},
                             {"imports", 3},
                             {"backlog_bytes", 0},
                             {"window_free_bytes", 500},
                             {"bytes_in", 2048},
                             {"bytes_out", 5},
                             {"messages_in", 6},
                             {"messages_out", 7},
                             {"dropped", 8},
                             {"refused", 9},
                             {"reconnects", 3},
                             {"failed_dials", 0}};
  CAF_CHECK_EQUAL(all[0].dump(), expected.dump());
  link->counters().beats = 0;  // no round trip yet
  link->counters().window_free = -1;
  const auto young = links()[0];
  CAF_CHECK(!young.contains("rtt_ms") && !young.contains("slowest_rtt_ms"));
  CAF_CHECK_EQUAL(young["window_free_bytes"], 0);
}

CAF_TEST(a peer without a link has what stays and why) {
  lose();
  const auto expected = json{{"node", "b"},
                             {"address", "10.0.0.2:7000"},
                             {"state", "down"},
                             {"since_seconds", 10'800},
                             {"incarnation", "18446744073709551615"},
                             {"software", "1.2.3"},
                             {"region", "eu"},
                             {"zone", "z1"},
                             {"bytes_in", 2048},
                             {"bytes_out", 5},
                             {"messages_in", 6},
                             {"messages_out", 7},
                             {"dropped", 8},
                             {"refused", 9},
                             {"reconnects", 3},
                             {"failed_dials", 11},
                             {"trouble", "link: silent"}};
  CAF_CHECK_EQUAL(links()[0].dump(), expected.dump());
}

CAF_TEST(peers are in the order of their names and one that never had a link has no time) {
  directory.change("a", [](cluster::peer_view&) {});
  const auto all = links();
  CAF_REQUIRE_EQUAL(all.size(), 2u);
  CAF_CHECK_EQUAL(all[0]["node"], "a");
  CAF_CHECK_EQUAL(all[1]["node"], "b");
  CAF_CHECK(!all[0].contains("since_seconds") && !all[0].contains("trouble"));
  CAF_CHECK_EQUAL(all[0]["reconnects"], 0);
}

CAF_TEST(strangers are counted by what became of them) {
  auto& s = directory.strangers();
  s.accepted = 4321;
  s.refused = 3;
  s.evicted = 2;
  s.waiting = 1;
  const auto told = admin::strangers_json(s);
  CAF_CHECK_EQUAL(told.dump(), R"({"accepted":4321,"refused":3,"evicted":2,"waiting":1})");
  CAF_CHECK_EQUAL(admin::draw_strangers(told), "4 321 accepted, 3 refused, 2 evicted, 1 waiting");
}

CAF_TEST(links are drawn as a table below the status) {
  directory.change("long-name", [](cluster::peer_view& view) { view.trouble = "refused\x1b[31m\n"; });
  const json status{
      {"name", "a"}, {"strangers", admin::strangers_json(directory.strangers())}, {"links", links()}};
  const auto drawn = admin::draw_status(status, false);
  CAF_CHECK_EQUAL(
      drawn,
      "name             a\n"
      "strangers        0 accepted, 0 refused, 0 evicted, 0 waiting\n"
      "\n"
      "NODE       STATE  SINCE  ADDRESS        TLS      RTT       IN      OUT  RECONNECTS  TROUBLE\n"
      "b          up      90 s  10.0.0.2:7000  yes  1.50 ms  2.0 KiB  5 bytes           3  -\n"
      "long-name  down       -  -              -          -  0 bytes  0 bytes           0  "
      "refused\\x1b[31m\\n\n");
  lose();
  const auto down = admin::draw_links(links(), true);
  CAF_CHECK(has(down, "\x1b[31mdown\x1b[0m"));
  CAF_CHECK(has(down, "\x1b[33m3\x1b[0m"));
  CAF_CHECK(has(down, "link: silent"));
  CAF_CHECK(has(down, "3 h"));
  CAF_CHECK_EQUAL(admin::draw_status({{"name", "a"}, {"links", json::array()}}, false),
                  "name             a\n\nno other node is known yet\n");
}

CAF_TEST(times are drawn in the largest unit that fits) {
  const auto since = [&](std::uint64_t seconds) {
    return admin::draw_links(json::array({{{"node", "b"}, {"since_seconds", seconds}}}), false);
  };
  for (const auto& [seconds, text] : {std::pair<std::uint64_t, const char*>{0, " 0 s "},
                                      {119, " 119 s "},
                                      {120, " 2 min "},
                                      {7'199, " 119 min "},
                                      {7'200, " 2 h "},
                                      {172'799, " 47 h "},
                                      {172'800, " 2 d "}})
    CAF_CHECK(has(since(seconds), text));
}

CAF_TEST(any JSON about links is drawn) {
  for (const auto* text : {"null", "[]", "{}", "3", "[null]", R"([{"node":7,"secure":"x","rtt_ms":[]}])",
                           R"([{"bytes_in":-1,"since_seconds":-1,"reconnects":"x"}])"}) {
    CAF_CHECK(!admin::draw_links(json::parse(text), true).empty());
    CAF_CHECK(!admin::draw_strangers(json::parse(text)).empty());
    CAF_CHECK(!admin::draw_status({{"links", json::parse(text)}, {"name", "a"}}, false).empty());
  }
}

CAF_TEST_FIXTURE_SCOPE_END()
