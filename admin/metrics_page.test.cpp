#define CAF_SUITE metrics_page

#include "admin/metrics_page.hpp"

#include "admin/test_server.hpp"
#include "persistence/memory_store.hpp"
#include "tests/unit/caf_test.hpp"

using namespace cafmcp;

namespace {

struct fixture : test_coordinator_fixture<> {
  fixture() {
    sources.status = std::make_shared<admin::node_status>("n", "", "", 1);
    sources.ports = {{"service", counters}, {"admin", std::make_shared<transport::metrics>()}};
    sources.system = &sys;
  }
  bool shows(const std::string& line) {
    const auto page = admin::metrics_page(sources);
    return page.find('\n' + line + '\n') != std::string::npos;
  }
  std::shared_ptr<transport::metrics> counters = std::make_shared<transport::metrics>();
  admin::metrics_sources sources;
};

}  // namespace

CAF_TEST_FIXTURE_SCOPE(metrics_page_tests, fixture)

CAF_TEST(what MCP counts is shown once and for the service port) {
  counters->websockets.add(3);
  counters->sse_streams.add(4);
  counters->messages_in.add(5);
  counters->messages_out.add(6);
  counters->slow_readers.add(7);
  counters->closes[static_cast<std::size_t>(transport::close_class::overload)].add(8);
  CAF_CHECK(shows("cafmcp_websockets 3"));
  CAF_CHECK(shows("cafmcp_sse_streams 4"));
  CAF_CHECK(shows(R"(cafmcp_messages_total{direction="in"} 5)"));
  CAF_CHECK(shows(R"(cafmcp_messages_total{direction="out"} 6)"));
  CAF_CHECK(shows("cafmcp_slow_readers_total 7"));
  CAF_CHECK(shows(R"(cafmcp_websocket_closes_total{reason="overload"} 8)"));
  CAF_CHECK(shows(R"(cafmcp_websocket_closes_total{reason="normal"} 0)"));
}

CAF_TEST(sessions are counted where they are) {
  CAF_CHECK_EQUAL(admin::metrics_page(sources).find("cafmcp_sessions"), std::string::npos);
  const auto directory = std::make_shared<actors::session_directory>(10);
  const auto store = std::make_shared<persistence::memory_store>(10, 1 << 20);
  directory->add("a", "");
  directory->add("b", "");
  store->apply({{persistence::bucket_of("a"), 1, 1, "a", persistence::op_kind::create,
                 persistence::create_bytes("", 1)}},
               [](auto) {});
  sources.directory = directory;
  sources.store = store;
  CAF_CHECK(shows("cafmcp_sessions 2"));
  CAF_CHECK(shows("cafmcp_sessions_stored 1"));
}

CAF_TEST(calls of servers are a histogram in seconds) {
  const auto stats = std::make_shared<actors::server_stats>();
  stats->count(std::chrono::microseconds{60}, false);
  stats->count(std::chrono::milliseconds{20}, true);
  stats->count(std::chrono::seconds{20}, false);
  stats->restarts = 9;
  actors::registry_snapshot snapshot;
  snapshot.offers = mcp::catalogue::make({}).value();
  snapshot.servers = {{std::make_shared<admin::test::one_server>(), stats, nullptr, true}};
  const auto registry = std::make_shared<actors::registry_view>();
  registry->publish(std::move(snapshot));
  sources.registry = registry;
  CAF_CHECK(shows(R"(cafmcp_server_calls_total{server="demo"} 3)"));
  CAF_CHECK(shows(R"(cafmcp_server_errors_total{server="demo"} 1)"));
  CAF_CHECK(shows(R"(cafmcp_server_restarts_total{server="demo"} 9)"));
  CAF_CHECK(shows(R"(cafmcp_server_call_seconds_count{server="demo"} 3)"));
  CAF_CHECK(shows(R"(cafmcp_server_call_seconds_bucket{server="demo",le="0.0001"} 1)"));
  CAF_CHECK(shows(R"(cafmcp_server_call_seconds_bucket{server="demo",le="10"} 2)"));
  CAF_CHECK(shows(R"(cafmcp_server_call_seconds_bucket{server="demo",le="+Inf"} 3)"));
}

CAF_TEST_FIXTURE_SCOPE_END()
