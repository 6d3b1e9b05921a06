#define CAF_SUITE node_status

#include "admin/node_status.hpp"

#include "tests/unit/caf_test.hpp"

using namespace cafmcp::admin;
using namespace std::chrono_literals;

CAF_TEST(a node is ready between start and drain) {
  node_status status{"n", "r", "z", 2};
  const auto now = node_status::clock::now();
  CAF_CHECK_EQUAL(std::string{status.ready(now).status}, "starting");
  CAF_CHECK(status.live(now).ok);
  status.set_phase(node_phase::serving);
  CAF_CHECK(status.ready(now).ok);
  status.set_phase(node_phase::draining);
  CAF_CHECK_EQUAL(std::string{status.ready(now).status}, "draining");
  CAF_CHECK(!status.ready(now).ok);
}

CAF_TEST(a silent context makes the node unhealthy and later dead) {
  node_status status{"n", "", "", 2};
  status.set_phase(node_phase::serving);
  const auto start = node_status::clock::now();
  status.beat(0, start, 0ns);
  status.beat(1, start, 0ns);
  const auto later = start + node_status::ready_silence + 1ms;
  status.beat(0, later, 3ms);
  const auto v = status.ready(later);
  CAF_CHECK(!v.ok);
  CAF_CHECK_EQUAL(std::string{v.status}, "unhealthy");
  CAF_CHECK_EQUAL(v.reason, "context 1 has not answered for 5 s");
  CAF_CHECK(status.live(later).ok);
  CAF_CHECK(!status.live(start + node_status::live_silence + 1ms).ok);
  CAF_CHECK(status.lag(0) == 3ms);
  status.beat(1, later, 0ns);
  CAF_CHECK(status.ready(later).ok);
}

CAF_TEST(a node that is cut off from its cluster is isolated and lives) {
  node_status status{"n", "", "", 1};
  std::string why = "no lease";
  status.watch_cluster([&] { return why; });
  const auto now = node_status::clock::now();
  CAF_CHECK_EQUAL(std::string{status.ready(now).status}, "starting");
  status.set_phase(node_phase::serving);
  const auto v = status.ready(now);
  CAF_CHECK(!v.ok);
  CAF_CHECK_EQUAL(std::string{v.status}, "isolated");
  CAF_CHECK_EQUAL(v.reason, "no lease");
  CAF_CHECK(status.live(now).ok);
  status.watch([] { return std::string{"the disk is full"}; });
  CAF_CHECK_EQUAL(std::string{status.ready(now).status}, "unhealthy");
  status.watch({});
  why.clear();
  CAF_CHECK(status.ready(now).ok);
}

CAF_TEST(what else is in trouble makes the node unhealthy while it lasts) {
  node_status status{"n", "", "", 1};
  std::string trouble = "the disk is full";
  status.watch([&] { return trouble; });
  status.set_phase(node_phase::serving);
  const auto now = node_status::clock::now();
  status.beat(0, now, 0ns);
  CAF_CHECK_EQUAL(status.ready(now).reason, "the disk is full");
  CAF_CHECK(status.live(now).ok);
  trouble.clear();
  CAF_CHECK(status.ready(now).ok);
}
