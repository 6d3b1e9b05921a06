#define CAF_SUITE session_json

#include "admin/session_json.hpp"

#include "admin/server_json.hpp"
#include "admin/test_server.hpp"
#include "tests/unit/caf_test.hpp"

using namespace cafmcp;
using json = nlohmann::ordered_json;

namespace {

struct fixture {
  fixture() {
    record.id = "0123456789abcdef0123456789abcdef";
    record.principal = "alice";
    record.created_ms = 1'700'000'000'123;
    record.last_active_ms = 1'700'000'060'000;
    record.epoch = 4;
    record.protocol.client_info = R"({"name":"n","version":"1.2","title":"more"})";
    record.protocol.subscriptions = {"file:///a", "file:///b"};
    record.protocol.min_level = mcp::log_level::warning;
    record.user["k"] = R"("secret value")";
    record.outbound.resize(3);
  }
  actors::session_directory directory{10};
  persistence::session_record record;
};

}  // namespace

CAF_TEST(times are ISO 8601 in UTC) {
  CAF_CHECK_EQUAL(admin::iso_time(0), "1970-01-01T00:00:00.000Z");
  CAF_CHECK_EQUAL(admin::iso_time(1'700'000'000'123), "2023-11-14T22:13:20.123Z");
  CAF_CHECK_EQUAL(admin::iso_time(-1), "1969-12-31T23:59:59.999Z");
  CAF_CHECK_EQUAL(admin::iso_time(std::numeric_limits<std::int64_t>::max()).find('\n'), std::string::npos);
}

CAF_TEST_FIXTURE_SCOPE(session_json_tests, fixture)

CAF_TEST(a passive session is told by its record) {
  const auto out = admin::session_json(admin::summary_of(record), nullptr, "n1");
  CAF_CHECK_EQUAL(out["id"], actors::handle_of(record.id));
  CAF_CHECK_EQUAL(out["node"], "n1");
  CAF_CHECK_EQUAL(out["replicas"], json::array());
  CAF_CHECK_EQUAL(out["era"], "session");
  CAF_CHECK_EQUAL(out["version"], "2025-11-25");
  CAF_CHECK_EQUAL(out["client"], json({{"name", "n"}, {"version", "1.2"}}));
  CAF_CHECK_EQUAL(out["connected"], false);
  CAF_CHECK_EQUAL(out["created"], "2023-11-14T22:13:20.123Z");
  CAF_CHECK_EQUAL(out["last_active"], "2023-11-14T22:14:20.000Z");
  CAF_CHECK_EQUAL(out["bytes"], persistence::bytes_of(record));
  CAF_CHECK_EQUAL(out["running"], 0);
  CAF_CHECK_EQUAL(out["status"], "passive");
}

CAF_TEST(what the directory knows is joined) {
  const auto entry = directory.add(record.id, "alice");
  entry->connected = true;
  entry->running = 2;
  entry->queued = 3;
  entry->queued_bytes = 400;
  entry->restarts = 5;
  const auto out = admin::session_detail_json(record, entry, "n1");
  CAF_CHECK_EQUAL(out["connected"], true);
  CAF_CHECK_EQUAL(out["running"], 2);
  CAF_CHECK_EQUAL(out["status"], "restarting");
  CAF_CHECK_EQUAL(out["restarts"], 5);
  CAF_CHECK_EQUAL(out["queue"], json({{"messages", 3}, {"bytes", 400}}));
  CAF_CHECK_EQUAL(out["outbound"], 3);
  CAF_CHECK_EQUAL(out["log_level"], "warning");
  CAF_CHECK_EQUAL(out["subscriptions"], json({"file:///a", "file:///b"}));
}

CAF_TEST(neither ids nor values are shown) {
  const auto detail = admin::session_detail_json(record, nullptr, "n1");
  CAF_CHECK_EQUAL(detail["user"], json::array({{{"key", "k"}, {"bytes", 14}}}));
  const auto why = admin::session_why_json(record, nullptr, "n1");
  for (const auto& text : {detail.dump(), why.dump()}) {
    CAF_CHECK_EQUAL(text.find(record.id), std::string::npos);
    CAF_CHECK_EQUAL(text.find("secret"), std::string::npos);
  }
}

CAF_TEST(a client that has said nothing or nonsense is survived) {
  for (const auto* info : {"", "[1]", "{", R"({"name":7,"version":null})"}) {
    record.protocol.client_info = info;
    const auto client = admin::session_json(admin::summary_of(record), nullptr, "n")["client"];
    CAF_CHECK(client.is_null() || (client["name"] == "" && client["version"] == ""));
  }
}

CAF_TEST(events come in the order of time and begin with the creation) {
  const auto entry = directory.add(record.id, "");
  entry->remember(record.created_ms + 2000, "second");
  entry->remember(record.created_ms + 1000, "first");
  const auto why = admin::session_why_json(record, entry, "n1");
  CAF_CHECK_EQUAL(why["owner"], "n1");
  CAF_CHECK_EQUAL(why["epoch"], 4);
  CAF_CHECK_EQUAL(why["in_sync"], json::array({"n1"}));
  CAF_REQUIRE_EQUAL(why["events"].size(), 3u);
  CAF_CHECK_EQUAL(why["events"][0], json({{"at", "2023-11-14T22:13:20.123Z"}, {"what", "created"}}));
  CAF_CHECK_EQUAL(why["events"][1]["what"], "first");
  CAF_CHECK_EQUAL(why["events"][2]["what"], "second");
  CAF_CHECK_EQUAL(why["actor"]["status"], "restarting");
  CAF_CHECK(why["actor"]["pid"].is_null());
  const auto passive = admin::session_why_json(record, nullptr, "n1");
  CAF_CHECK_EQUAL(passive["actor"]["status"], "passive");
}

CAF_TEST_FIXTURE_SCOPE_END()

CAF_TEST(servers are told with what they offer and how they do) {
  actors::registry_snapshot snapshot;
  mcp::catalogue_content content;
  content.tools.resize(2);
  content.tools[0].name = "a";
  content.tools[1].name = "b";
  for (auto& tool : content.tools)
    tool.input_schema = mcp::json::object();
  const auto stats = std::make_shared<actors::server_stats>();
  stats->count(std::chrono::milliseconds{1}, true);
  snapshot.servers = {
      {std::make_shared<admin::test::one_server>(), stats, mcp::catalogue::make(content).value(), true},
      {std::make_shared<admin::test::one_server>(), nullptr, nullptr, false}};
  const auto out = admin::servers_json(snapshot, "n1");
  CAF_REQUIRE_EQUAL(out.size(), 2u);
  CAF_CHECK_EQUAL(out[0], json({{"name", "demo"},
                                {"kind", "native"},
                                {"node", "n1"},
                                {"status", "up"},
                                {"restarts", 0},
                                {"tools", 2},
                                {"resources", 0},
                                {"prompts", 0},
                                {"calls", 1},
                                {"errors", 1},
                                {"p99_ms", stats->p99_ms()}}));
  CAF_CHECK_EQUAL(out[1]["status"], "restarting");
}
