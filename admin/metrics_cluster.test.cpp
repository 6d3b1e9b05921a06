#define CAF_SUITE metrics_cluster

#include "admin/metrics_families.hpp"
#include "tests/unit/caf_test.hpp"

using namespace cafmcp;
using cluster::cluster_state;

namespace {

struct fixture {
  fixture() {
    picture.known = picture.in_contact = true;
    picture.self = picture.controller = "a";
    picture.revision = 77;
    picture.epoch = 300;
    picture.own = 4;
    picture.unowned = 1;
    picture.degraded = 2;
    picture.moving = 3;
    picture.members = {{{"a", "a", "", "", 1, ""}, true},
                       {{"b", "b", "", "", 1, ""}, true},
                       {{"c", "c", "", "", 1, ""}, false},
                       {{"d", "d", "", "", 1, "", cluster::member_state::draining}, true},
                       {{"e", "e", "", "", 1, "", cluster::member_state::draining}, false}};
    sure(true);
    publish();
    sources.cluster = state;
  }
  void sure(bool on) { state->set_sure_until(cluster_state::clock::now() + std::chrono::hours{on ? 1 : -1}); }
  void publish() { state->set(std::make_shared<const cluster::cluster_picture>(picture), {}); }
  std::string page() {
    admin::metrics_families p;
    admin::add_cluster(p, sources);
    return '\n' + p.text();
  }
  bool shows(const std::string& line) { return page().find('\n' + line + '\n') != std::string::npos; }

  cluster::cluster_picture picture;
  std::shared_ptr<cluster_state> state = std::make_shared<cluster_state>();
  admin::metrics_sources sources;
};

}  // namespace

CAF_TEST_FIXTURE_SCOPE(metrics_cluster_tests, fixture)

CAF_TEST(what a node knows of its cluster is measured) {
  CAF_CHECK(shows(R"(cafmcp_cluster_members{state="up"} 2)"));
  CAF_CHECK(shows(R"(cafmcp_cluster_members{state="draining"} 1)"));
  CAF_CHECK(shows(R"(cafmcp_cluster_members{state="down"} 2)"));
  CAF_CHECK(shows(R"(cafmcp_cluster_buckets{state="own"} 4)"));
  CAF_CHECK(shows(R"(cafmcp_cluster_buckets{state="unowned"} 1)"));
  CAF_CHECK(shows(R"(cafmcp_cluster_buckets{state="degraded"} 2)"));
  CAF_CHECK(shows(R"(cafmcp_cluster_buckets{state="moving"} 3)"));
  CAF_CHECK(shows("cafmcp_cluster_epoch 300"));
  CAF_CHECK(shows("cafmcp_cluster_revision 77"));
  CAF_CHECK(shows("cafmcp_cluster_isolated 0"));
  CAF_CHECK(shows("cafmcp_cluster_controller 1"));
  CAF_CHECK(shows("cafmcp_cluster_in_contact 1"));
}

CAF_TEST(a node that is cut off owns and controls nothing) {
  sure(false);
  picture.in_contact = false;
  publish();
  CAF_CHECK(shows("cafmcp_cluster_isolated 1"));
  CAF_CHECK(shows("cafmcp_cluster_in_contact 0"));
  CAF_CHECK(shows("cafmcp_cluster_controller 0"));
  CAF_CHECK(shows(R"(cafmcp_cluster_buckets{state="own"} 0)"));
}

CAF_TEST(another controller is not this one and without a coordinator there is nothing) {
  picture.controller = "b";
  publish();
  CAF_CHECK(shows("cafmcp_cluster_controller 0"));
  picture.controller = picture.self = "";
  publish();
  CAF_CHECK(shows("cafmcp_cluster_controller 0"));
  sources.cluster = nullptr;
  CAF_CHECK_EQUAL(page(), "\n");
}

CAF_TEST_FIXTURE_SCOPE_END()
