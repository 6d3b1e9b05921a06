#define CAF_SUITE single_coordinator

#include "cluster/runtime/coordinator/single_coordinator.hpp"

#include "tests/unit/caf_test.hpp"

namespace cafmcp::cluster::test {

namespace {

std::unique_ptr<coordinator> make_coordinator(boost::asio::io_context& io) {
  return std::make_unique<single_coordinator>(io);
}

}  // namespace

}  // namespace cafmcp::cluster::test

#include "cluster/runtime/coordinator/coordinator_suite.hpp"

namespace cafmcp::cluster {

using namespace std::chrono_literals;

CAF_TEST_FIXTURE_SCOPE(single_coordinators, test::loop)

CAF_TEST(leases last to the millisecond and keep each other from nothing) {
  single_coordinator c{io};
  test::asker ask{*this, c};
  const auto begin = test::clock::now();
  const auto brief = ask.grant(30ms);
  const auto longer = ask.grant(60ms);
  CAF_CHECK_EQUAL(brief.ttl_ms, 30);
  CAF_REQUIRE(ask.commit({{}, {test::put("a", "", longer.lease), test::put("b", "", brief.lease)}}).what ==
              outcome::done);
  CAF_REQUIRE(until([&] { return !ask.get("b"); }));
  CAF_CHECK(test::clock::now() - begin >= 30ms);
  CAF_REQUIRE(until([&] { return !ask.get("a"); }));
  CAF_CHECK(test::clock::now() - begin >= 60ms);
}

CAF_TEST_FIXTURE_SCOPE_END()

}  // namespace cafmcp::cluster
