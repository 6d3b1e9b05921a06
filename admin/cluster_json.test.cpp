#define CAF_SUITE cluster_json

#include "admin/cluster_json.hpp"

#include "tests/unit/caf_test.hpp"

using namespace cafmcp;
using namespace std::chrono_literals;
using json = nlohmann::ordered_json;
using cluster::cluster_state;

namespace {

struct fixture : test_coordinator_fixture<> {
  fixture() {
    picture.known = picture.in_contact = true;
    picture.self = "id-b";
    picture.controller = "id-a";
    picture.revision = 77;
    picture.epoch = 300;
    picture.unowned = 1;
    picture.degraded = 2;
    picture.moving = 3;
    // By id; names are in another order.
    picture.members = {{{"id-a", "z", "eu", "z1", 40, "10.0.0.1:7"}, true, 100, 200, 5},
                       {{"id-b", "b", "", "", 100, ""}, true, 156, 256, 0},
                       {{"id-c", "a", "", "", 100, ""}, false, 0, 0, 0},
                       {{"id-d", "d", "", "", 100, "", cluster::member_state::draining}, true, 7, 8, 9}};
    rows.resize(3);
    rows[0] = {"id-b", 1, 4, {"id-a", "id-b"}, {"id-d"}, "id-a"};
    rows[1] = {"id-a", 2, 5, {"id-a", "id-gone"}, {}, ""};
    publish();
    state.set_owned(0, true);
    state.set_owned(1, true);
    state.set_sure_until(cluster_state::clock::now() + 1h);
  }
  void publish() { state.set(std::make_shared<const cluster::cluster_picture>(picture), rows); }
  json told() { return admin::cluster_json(state, directory.list(), {12, 34}, now); }

  cluster::peer_view::clock::time_point now = cluster::peer_view::clock::now();
  cluster::cluster_picture picture;
  std::vector<cluster::bucket> rows;
  cluster_state state;
  cluster::link_directory directory;
};

}  // namespace

CAF_TEST_FIXTURE_SCOPE(cluster_json_tests, fixture)

CAF_TEST(the cluster is told with its nodes by name) {
  const auto c = told();
  const auto head = json{{"epoch", 300},  {"leader", "z"},      {"self", "b"},       {"id", "id-b"},
                         {"known", true}, {"in_contact", true}, {"isolated", false}, {"revision", 77}};
  for (const auto& [key, value] : head.items())
    CAF_CHECK_EQUAL(c[key].dump(), value.dump());
  CAF_CHECK_EQUAL(c["buckets"].dump(), R"({"total":256,"own":2,"unowned":1,"degraded":2,"moving":3})");
  CAF_REQUIRE_EQUAL(c["nodes"].size(), 4u);
  CAF_CHECK_EQUAL(
      c["nodes"][0].dump(),
      R"({"name":"a","id":"id-c","status":"down","region":"","zone":"","weight":100,"address":"",)"
      R"("sessions":null,"connections":null,"buckets":0,"held":0,"learning":0,)"
      R"("last_heartbeat_ms":null})");
  CAF_CHECK_EQUAL(c["nodes"][1].dump(),
                  R"({"name":"b","id":"id-b","status":"up","region":"","zone":"","weight":100,"address":"",)"
                  R"("sessions":12,"connections":34,"buckets":156,"held":256,"learning":0,)"
                  R"("last_heartbeat_ms":0})");
  CAF_CHECK_EQUAL(c["nodes"][2]["status"], "draining");
  CAF_CHECK_EQUAL(c["nodes"][3].dump(),
                  R"({"name":"z","id":"id-a","status":"up","region":"eu","zone":"z1","weight":40,)"
                  R"("address":"10.0.0.1:7","sessions":null,"connections":null,"buckets":100,"held":200,)"
                  R"("learning":5,"last_heartbeat_ms":null})");
}

CAF_TEST(a heartbeat is that of the link to the same node) {
  wire::message_table types;
  const auto link = std::make_shared<cluster::node_link>(sys, types, cluster::name_resolver{},
                                                         cluster::link_bounds{}, cluster::link_terms{"z", 1});
  link->counters().heard_ns = (now - 250ms).time_since_epoch().count();
  directory.change("z", [&](cluster::peer_view& view) {
    view.about.id = "id-a";
    view.link = link;
  });
  directory.change("a", [&](cluster::peer_view& view) {  // another node of that name
    view.about.id = "id-x";
    view.link = link;
  });
  directory.change("d", [&](cluster::peer_view& view) { view.about.id = "id-d"; });
  const auto nodes = told()["nodes"];
  CAF_CHECK_EQUAL(nodes[3]["last_heartbeat_ms"].dump(), "250");
  CAF_CHECK(nodes[0]["last_heartbeat_ms"].is_null());
  CAF_CHECK(nodes[2]["last_heartbeat_ms"].is_null());
}

CAF_TEST(a node without a sure lease is isolated and owns nothing) {
  state.set_sure_until(cluster_state::clock::now() - 1ms);
  CAF_CHECK_EQUAL(told()["isolated"].dump(), "true");
  CAF_CHECK_EQUAL(told()["buckets"]["own"].dump(), "0");
  CAF_CHECK_EQUAL(admin::buckets_json(state)[0]["mine"].dump(), "false");
  CAF_CHECK_EQUAL(state.why_isolated(), "this node's lease is not sure");
  picture.in_contact = false;
  publish();
  CAF_CHECK_EQUAL(state.why_isolated(), "this node's lease is not sure: the coordinator does not answer");
  picture.left = true;
  publish();
  CAF_CHECK_EQUAL(state.why_isolated(), "this node has left the cluster");
  state.set_sure_until(cluster_state::clock::now() + 1h);
  CAF_CHECK_EQUAL(state.why_isolated(), "");
}

CAF_TEST(before the coordinator was heard nothing is known) {
  const cluster_state young;
  const auto c = admin::cluster_json(young, {}, {}, now);
  CAF_CHECK_EQUAL(c["known"], false);
  CAF_CHECK_EQUAL(c["isolated"], true);
  CAF_CHECK(c["leader"].is_null() && c["self"].is_null());
  CAF_CHECK_EQUAL(c["nodes"].dump() + admin::buckets_json(young).dump(), "[][]");
  CAF_CHECK_EQUAL(admin::cluster_summary(young).dump(), R"({"nodes":0,"up":0,"controller":null})");
  CAF_CHECK_NOT_EQUAL(young.why_isolated().find("no lease yet"), std::string::npos);
}

CAF_TEST(rows name nodes and give the id of one that is no member any more) {
  const auto all = admin::buckets_json(state);
  CAF_REQUIRE_EQUAL(all.size(), 3u);
  CAF_CHECK_EQUAL(all[0].dump(), R"({"bucket":0,"owner":"b","epoch":4,"in_sync":["z","b"],)"
                                 R"("learners":["d"],"next":"z","mine":true})");
  // What it is said to own for sure but has lost by the row is not its own.
  CAF_CHECK_EQUAL(all[1].dump(), R"({"bucket":1,"owner":"z","epoch":5,"in_sync":["z","id-gone"],)"
                                 R"("learners":[],"next":null,"mine":false})");
  CAF_CHECK(all[2]["owner"].is_null());
  CAF_CHECK_EQUAL(admin::cluster_summary(state).dump(), R"({"nodes":4,"up":3,"controller":"z"})");
}

CAF_TEST(members are found by id or by a name that one has) {
  const auto id_of = [&](std::string_view what) {
    const auto* m = admin::find_member(picture, what);
    return m == nullptr ? std::string{"-"} : m->is.id;
  };
  CAF_CHECK_EQUAL(id_of("z"), "id-a");
  CAF_CHECK_EQUAL(id_of("id-c"), "id-c");
  CAF_CHECK_EQUAL(id_of("x"), "-");
  picture.members[1].is.name = "z";
  CAF_CHECK_EQUAL(id_of("z"), "-");
  picture.members[3].is.name = "id-a";  // somebody's id
  CAF_CHECK_EQUAL(id_of("id-a"), "id-a");
}

CAF_TEST_FIXTURE_SCOPE_END()
