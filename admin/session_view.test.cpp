#define CAF_SUITE session_view

#include "admin/session_view.hpp"

#include "admin/drawing.hpp"
#include "tests/unit/caf_test.hpp"

using namespace cafmcp;
using json = nlohmann::ordered_json;

namespace {

json session(const std::string& id, std::uint64_t bytes) {
  return {{"id", id},
          {"node", "n1"},
          {"status", "active"},
          {"connected", true},
          {"client", {{"name", "c"}, {"version", "1"}}},
          {"version", "2025-11-25"},
          {"last_active", "2026-01-01T00:00:00.000Z"},
          {"bytes", bytes},
          {"running", 0}};
}

}  // namespace

CAF_TEST(sessions are a table with aligned columns) {
  auto other = session("s-bbbbbbbbbb", 1'234'567);
  other["client"] = nullptr;
  other["status"] = "passive";
  other["connected"] = false;
  CAF_CHECK_EQUAL(admin::draw_sessions(json::array({session("s-aaaaaaaaaa", 900), other}), false),
                  "SESSION       NODE  STATUS   CONNECTED  CLIENT  PROTOCOL    LAST ACTIVE                   "
                  "BYTES  RUNNING\n"
                  "s-aaaaaaaaaa  n1    active   yes        c 1     2025-11-25  2026-01-01T00:00:00.000Z      "
                  "  900        0\n"
                  "s-bbbbbbbbbb  n1    passive  no         -       2025-11-25  2026-01-01T00:00:00.000Z  1 "
                  "234 567        0\n"
                  "2 sessions\n");
  CAF_CHECK_EQUAL(admin::draw_sessions(json::array(), true), "no sessions\n");
}

CAF_TEST(a session is told line by line) {
  auto s = session("s-aaaaaaaaaa", 900);
  s["subscriptions"] = {"file:///a", "file:///b"};
  s["user"] = json::array({{{"key", "cart"}, {"bytes", 1200}}});
  s["queue"] = {{"messages", 4}, {"bytes", 5000}};
  const auto text = admin::draw_session(json::array({s}), false);
  for (const auto* line :
       {"id             s-aaaaaaaaaa\n", "client         c 1\n", "principal      -\n",
        "queue          4 messages, 5 000 bytes\n", "subscriptions  file:///a, file:///b\n",
        "state          1 keys\n", "  cart  1 200 bytes\n"})
    CAF_CHECK_NOT_EQUAL(text.find(line), std::string::npos);
}

CAF_TEST(the story of a session is told in order) {
  const auto text = admin::draw_why(
      {{"id", "s-aaaaaaaaaa"},
       {"owner", "n1"},
       {"epoch", 1},
       {"in_sync", {"n1"}},
       {"actor", {{"status", "active"}, {"pid", 12}, {"restarts", 3}, {"context", 1}}},
       {"events", json::array({{{"at", "2026"}, {"what", "created"}}, {{"at", "2027"}, {"what", "died"}}})}},
      false);
  CAF_CHECK_EQUAL(text,
                  "session        s-aaaaaaaaaa\n"
                  "owner          n1\n"
                  "epoch          1\n"
                  "in sync        n1\n"
                  "actor          active, pid 12, context 1, restarted 3 times\n"
                  "2026  created\n"
                  "2027  died\n");
}

CAF_TEST(servers are a table and faults stand out) {
  const json servers = json::array({{{"name", "demo"},
                                     {"kind", "native"},
                                     {"node", "n1"},
                                     {"status", "up"},
                                     {"restarts", 0},
                                     {"tools", 11},
                                     {"resources", 0},
                                     {"prompts", 1},
                                     {"calls", 123456},
                                     {"errors", 7},
                                     {"p99_ms", 0.25}}});
  CAF_CHECK_EQUAL(
      admin::draw_servers(servers, false),
      "SERVER  KIND    NODE  STATUS  RESTARTS  TOOLS  RESOURCES  PROMPTS    CALLS  ERRORS  P99 MS\n"
      "demo    native  n1    up             0     11          0        1  123 456       7    0.25\n");
  CAF_CHECK_NOT_EQUAL(admin::draw_servers(servers, true).find("\x1b[31m7\x1b[0m"), std::string::npos);
  CAF_CHECK_EQUAL(admin::draw_killed({{"id", "s-x"}, {"from", "n1"}, {"to", nullptr}, {"millis", 3}}, true),
                  "session s-x on n1 has ended (3 ms)\n");
}

CAF_TEST(what a client calls itself can neither colour nor break the table) {
  auto s = session("s-aaaaaaaaaa", 1);
  s["client"]["name"] = "evil\x1b[31m\n" + std::string(500, 'x');
  const auto text = admin::draw_sessions(json::array({s}), false);
  CAF_CHECK_EQUAL(text.find('\x1b'), std::string::npos);
  CAF_CHECK_EQUAL(std::count(text.begin(), text.end(), '\n'), 3);
  CAF_CHECK(text.size() < 400);
  s["client"]["name"] = std::string(39, 'x') + "äöü";
  CAF_CHECK_NOT_EQUAL(admin::draw_sessions(json::array({s}), false).find(std::string(39, 'x') + "…"),
                      std::string::npos);
}

CAF_TEST(drawings survive any JSON) {
  for (const auto* text :
       {"null", "[]", "7", "{}", "[null,7,[],{}]", R"([{"id":3,"user":{"a":1},"client":[]}])",
        R"({"events":{"x":null},"actor":7,"in_sync":3})",
        R"([{"user":[7,{"key":1}],"subscriptions":{"a":[]},"bytes":-1,"p99_ms":"x"}])"}) {
    const auto body = json::parse(text);
    for (const auto draw : {admin::draw_sessions, admin::draw_session, admin::draw_killed, admin::draw_why,
                            admin::draw_servers})
      CAF_CHECK(!draw(body, true).empty());
  }
}

CAF_TEST(numbers are grouped and texts measured in columns) {
  CAF_CHECK_EQUAL(admin::grouped(0), "0");
  CAF_CHECK_EQUAL(admin::grouped(999), "999");
  CAF_CHECK_EQUAL(admin::grouped(1000), "1 000");
  CAF_CHECK_EQUAL(admin::grouped(999'990), "999 990");
  CAF_CHECK_EQUAL(admin::grouped(1'234'567'890), "1 234 567 890");
  CAF_CHECK_EQUAL(admin::columns("├─ ä"), 4u);
}
