// Sessions and a store that takes its time, or fails; and sessions that leave memory.
#define CAF_SUITE session_store

#include "actors/test_harness.hpp"
#include "persistence/store_client.hpp"
#include "tests/unit/caf_test.hpp"

using namespace cafmcp;
using namespace cafmcp::actors;
using namespace cafmcp::actors::test;
using transport::channel_end;

namespace {

// Sessions leave memory soon and expire after two seconds.
session_limits forgetful() {
  session_limits limits;
  limits.idle = std::chrono::milliseconds{20};
  limits.ttl = std::chrono::milliseconds{2000};
  return limits;
}

// Waits until all buckets were looked at once more from their beginning, by shards that look often.
bool look_around(world& w) {
  const auto before = w.slow->looks.load();
  return eventually(
      [&] { return w.slow->looks >= before + 2 * static_cast<int>(persistence::bucket_count); });
}

// What the shard of that session was told before is done when this returns.
void pass_shard(world& w, const std::string& id) {
  const auto& router = *w.env->router;
  (void)w.find(router.make_id(router.shard_of(id)));  // which nobody has
}

// A world whose shards look for expired sessions when they start and not again for a minute, and whose store
// has 200 expired ones in one bucket. The shards start anew, and find the store still reading.
struct crowded : world {
  crowded() : world(patient()) {
    ids = persistence::testing::ids_in(7, 200);
    persistence::testing::client c{*store};
    for (const auto& id : ids)
      CAF_REQUIRE(c.apply(id, 1, persistence::op_kind::create, persistence::create_bytes("", *now_ms)));
    *now_ms += patient().ttl.count() + 1;
    slow->reads = true;
    for (std::size_t i = 0; i < env->router->shards(); ++i) {
      const auto before = env->router->shard(i);
      const auto looks = slow->looks.load();
      caf::anon_send_exit(before, caf::exit_reason::kill);
      CAF_REQUIRE(eventually([&] {
        const auto now = env->router->shard(i);
        return now && now != before && slow->looks > looks;
      }));
    }
  }
  static session_limits patient() {
    session_limits limits;
    limits.ttl = std::chrono::hours{1};
    return limits;
  }
  std::vector<std::string> ids;
};

}  // namespace

CAF_TEST(nothing is acknowledged before it is stored and the rest does not wait) {
  world w;
  client c{w, w.create()};
  c.connect();
  CAF_REQUIRE(c.greet());
  w.slow->holds = true;
  c.send(call("1", "count"));
  c.send(call("2", "now"));
  c.send(call("3", "count"));
  CAF_CHECK(has(c.socket->message(1), R"("id":2,)"));
  CAF_CHECK_EQUAL(c.socket->sent().size(), 2u);
  CAF_REQUIRE(w.slow->release(2));
  CAF_CHECK(has(c.socket->message(2), R"("id":1,)") && has(c.socket->message(2), "\"text\":\"1\""));
  CAF_CHECK(has(c.socket->message(3), R"("id":3,)") && has(c.socket->message(3), "\"text\":\"2\""));
}

CAF_TEST(a session whose actor dies while the store works says so and keeps what was stored) {
  world w;
  client c{w, w.create()};
  c.connect();
  CAF_REQUIRE(c.greet());
  w.slow->holds = true;
  c.send(call("1", "count"));
  c.send(R"({"jsonrpc":"2.0","id":2,"method":"ping"})");
  CAF_CHECK(has(c.socket->message(1), R"("id":2,)"));
  CAF_REQUIRE(w.kill_session(c.port->id()));
  CAF_CHECK(has(c.socket->message(2), R"("id":1,"error":{"code":-31500)"));
  w.slow->holds = false;
  CAF_CHECK(w.slow->release(1));
  c.send(call("3", "count"));
  CAF_CHECK(has(c.socket->message(3), "\"text\":\"2\""));
}

CAF_TEST(whoever waits for the store is told when the actor dies) {
  world w;
  client c{w, w.create()};
  w.slow->holds = true;
  const auto p =
      c.post(R"({"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-11-25",)"
             R"("capabilities":{},"clientInfo":{"name":"t","version":"1"}}})");
  // Behind it in the mailbox: when this is answered, that waits.
  CAF_CHECK(has(c.post(R"({"jsonrpc":"2.0","id":2,"method":"ping"})")->message(0), R"("id":2,)"));
  CAF_CHECK(p->sent().empty());
  CAF_REQUIRE(w.kill_session(c.port->id()));
  CAF_CHECK(has(p->message(0), R"("id":1,"error":{"code":-31503)"));
  CAF_CHECK(p->closed(channel_end::complete));
}

CAF_TEST(a store that refuses is an error for the client and the session goes on with what is stored) {
  world w;
  client c{w, w.create()};
  c.connect();
  CAF_REQUIRE(c.greet());
  c.send(call("1", "count"));
  CAF_CHECK(has(c.socket->message(1), "\"text\":\"1\""));
  w.slow->refuses = true;
  c.send(call("2", "count"));
  CAF_CHECK(has(c.socket->message(2), R"("id":2,)") && has(c.socket->message(2), "the disk is full"));
  w.slow->refuses = false;
  c.send(call("3", "count"));
  CAF_CHECK(has(c.socket->message(3), "\"text\":\"2\""));
  CAF_CHECK(!c.socket->end());
}

CAF_TEST(an initialize that can not be stored is an error and may come again) {
  world w;
  client c{w, w.create()};
  c.connect();
  w.slow->refuses = true;
  CAF_CHECK(!c.greet());
  CAF_CHECK(has(c.socket->sent().at(0).bytes, "-31503"));
  w.slow->refuses = false;
  CAF_CHECK(eventually([&] { return c.greet(); }));
}

CAF_TEST(no session is made that is not stored) {
  world w;
  w.slow->refuses = true;
  client c{w, w.create()};
  CAF_CHECK(!c.greet());
  CAF_CHECK(eventually([&] { return w.env->router->directory().size() == 0; }));
  w.slow->refuses = false;
  CAF_CHECK_EQUAL(w.store->size(), 0u);
  CAF_CHECK(client(w, w.create()).greet());
}

CAF_TEST(a session is stored with the answer to initialize and not before) {
  world w;
  client c{w, w.create()};
  c.connect();
  c.send(R"({"jsonrpc":"2.0","id":1,"method":"ping"})");
  CAF_CHECK(has(c.socket->message(0), R"("id":1,)"));
  CAF_CHECK_EQUAL(w.store->size(), 0u);
  CAF_REQUIRE(c.greet());
  CAF_CHECK_EQUAL(w.store->size(), 1u);
}

CAF_TEST(a session whose actor dies before anything is stored begins again) {
  world w;
  client c{w, w.create()};
  CAF_REQUIRE(w.kill_session(c.port->id()));
  CAF_CHECK(c.greet());
  CAF_CHECK_EQUAL(w.store->size(), 1u);
}

CAF_TEST(sessions that are too many leave memory and the one that was used last stays) {
  session_limits limits;
  limits.active_sessions = 1;
  world w{limits};
  std::vector<client> clients;
  for (int i = 0; i < 6; ++i) {
    clients.emplace_back(w, w.create());
    CAF_REQUIRE(clients.back().greet());
  }
  client connected{w, w.create()};
  connected.connect();
  CAF_REQUIRE(connected.greet());
  *w.now_ms += 10'000;
  CAF_CHECK(eventually([&] { return w.env->router->directory().size() == 1; }));
  CAF_CHECK(w.env->router->directory().find(connected.port->id()) != nullptr);
  for (auto& c : clients)
    CAF_CHECK(has(c.post(call("1", "now"))->message(0), R"("id":1,"result")"));
}

CAF_TEST(sessions that nobody uses leave memory and wake up as they were) {
  session_limits limits;
  limits.idle = std::chrono::milliseconds{20};
  world w{limits};
  client c{w, w.create()};
  CAF_REQUIRE(c.greet("2025-06-18"));
  CAF_CHECK(has(c.post(call("1", "count"))->message(0), "\"text\":\"1\""));
  for (int i = 2; i <= 4; ++i) {
    CAF_CHECK(eventually([&] { return w.env->router->directory().size() == 0; }));
    CAF_CHECK_EQUAL(w.store->size(), 1u);
    CAF_CHECK(has(c.post(call("2", "count"))->message(0), "\"text\":\"" + std::to_string(i) + "\""));
  }
  // By a fresh lookup as well, on another context.
  CAF_CHECK(eventually([&] { return w.env->router->directory().size() == 0; }));
  const auto found = w.find(c.port->id(), 1);
  CAF_REQUIRE(found);
  client again{w, *found, 1};
  CAF_CHECK(has(again.post(call("9", "count"))->message(0), "\"text\":\"5\""));
}

CAF_TEST(sessions without an actor expire without getting one) {
  world w{forgetful()};
  std::vector<client> clients;
  for (int i = 0; i < 200; ++i) {
    clients.emplace_back(w, w.create());
    CAF_REQUIRE(clients.back().greet());
  }
  CAF_CHECK(eventually([&] { return w.env->router->directory().size() == 0; }));
  const auto starts = w.slow->gets.load();
  *w.now_ms += 1900;
  CAF_CHECK(look_around(w));
  CAF_CHECK_EQUAL(w.store->size(), 200u);  // their time is not over
  *w.now_ms += 1100;
  CAF_CHECK(eventually([&] { return w.store->size() == 0; }));
  CAF_CHECK_EQUAL(w.slow->gets.load(), starts);  // nobody was read in order to be woken
  CAF_CHECK(w.find(clients[0].port->id()).error().code == errc::not_found);
  CAF_CHECK(clients[1].post(call("1", "now"))->closed(channel_end::ended));
}

CAF_TEST(whoever wants a session while it expires waits for the outcome) {
  world w{forgetful()};
  client c{w, w.create()};
  CAF_REQUIRE(c.greet());
  CAF_CHECK(eventually([&] { return w.env->router->directory().size() == 0; }));
  w.slow->holds = true;
  *w.now_ms += 3000;
  CAF_CHECK(
      eventually([&] { return w.store->size() == 0; }));  // it has ended, and its shard does not know yet
  const auto gets = w.slow->gets.load();
  const auto late = c.post(call("1", "now"));
  pass_shard(w, c.port->id());
  CAF_CHECK_EQUAL(w.slow->gets.load(), gets + 1);  // nobody has looked at what is being ended
  CAF_CHECK(!late->end());
  w.slow->holds = false;
  CAF_CHECK(w.slow->release(1));
  CAF_CHECK(late->closed(channel_end::ended));
}

CAF_TEST(a session that can not be ended goes on) {
  world w{forgetful()};
  client c{w, w.create()};
  CAF_REQUIRE(c.greet());
  CAF_CHECK(eventually([&] { return w.env->router->directory().size() == 0; }));
  w.slow->refuses = true;
  *w.now_ms += 3000;
  CAF_CHECK(eventually([&] { return w.slow->refused > 0; }));
  w.slow->refuses = false;
  CAF_CHECK(eventually([&] { return w.store->size() == 0; }));
}

CAF_TEST(whoever wants a session that can not be ended gets it) {
  world w{forgetful()};
  client c{w, w.create()};
  CAF_REQUIRE(c.greet());
  CAF_CHECK(eventually([&] { return w.env->router->directory().size() == 0; }));
  w.slow->refuses = w.slow->holds = true;
  *w.now_ms += 3000;
  CAF_CHECK(eventually([&] { return w.slow->refused > 0; }));
  const auto late = c.post(call("1", "now"));
  pass_shard(w, c.port->id());
  w.slow->refuses = w.slow->holds = false;
  CAF_CHECK(w.slow->release(1));
  CAF_CHECK(has(late->message(0), R"("id":1,"result")"));
}

CAF_TEST(a session that is being woken does not expire) {
  world w{forgetful()};
  client c{w, w.create()};
  CAF_REQUIRE(c.greet());
  CAF_CHECK(eventually([&] { return w.env->router->directory().size() == 0; }));
  w.slow->holds_gets = true;
  const auto gets = w.slow->gets.load();
  const auto late = c.post(call("1", "now"));
  CAF_REQUIRE(eventually([&] { return w.slow->gets > gets; }));
  *w.now_ms += 3000;
  CAF_CHECK(look_around(w));
  CAF_CHECK_EQUAL(w.store->size(), 1u);
  w.slow->holds_gets = false;
  CAF_CHECK(w.slow->release(1));
  CAF_CHECK(has(late->message(0), R"("id":1,"result")"));
}

CAF_TEST(sessions that expire together are all ended in one go as soon as the store knows them) {
  crowded w;
  CAF_CHECK_EQUAL(w.store->size(), 200u);
  w.slow->reads = false;
  CAF_CHECK(eventually([&] { return w.store->size() == 0; }));
  CAF_CHECK_EQUAL(w.env->router->directory().size(), 0u);
  CAF_CHECK_EQUAL(w.slow->gets.load(), 0);
}

CAF_TEST(sessions that can not be ended are left alone until the next look) {
  crowded w;
  w.slow->refuses = true;
  w.slow->reads = false;
  CAF_CHECK(eventually([&] { return w.slow->refused >= 64; }));
  for (int i = 0; i < 500; ++i)  // a shard that begins anew at once is through with it
    pass_shard(w, w.ids.front());
  CAF_CHECK_EQUAL(w.slow->refused.load(), 64);
  CAF_CHECK_EQUAL(w.store->size(), 200u);
}

CAF_TEST(sessions that are in use stay) {
  session_limits limits;
  limits.idle = std::chrono::milliseconds{1};
  world w{limits};
  client open{w, w.create()};
  open.connect();
  CAF_REQUIRE(open.greet());
  client busy{w, w.create()};
  CAF_REQUIRE(busy.greet());
  const auto p = busy.post(call("1", "hold"));
  const auto held = w.handler->held(0);
  CAF_REQUIRE(held != nullptr);
  client idle{w, w.create()};
  CAF_REQUIRE(idle.greet());
  CAF_CHECK(eventually([&] { return w.env->router->directory().size() == 2; }));
  CAF_CHECK(w.actor(open.port->id()) && w.actor(busy.port->id()));
  held->finish(mcp::finish(held->call(), mcp::text_result("done")));
  CAF_CHECK(has(p->message(p->sent().empty() ? 0 : p->sent().size() - 1), "done") ||
            has(p->message(p->sent().size()), "done"));
  CAF_CHECK(eventually([&] { return w.env->router->directory().size() == 1; }));
}

CAF_TEST(nothing is lost between a session that goes and the next one) {
  session_limits limits;
  limits.idle = std::chrono::milliseconds{1};
  world w{limits};
  client c{w, w.create()};
  CAF_REQUIRE(c.greet());
  for (int i = 1; i <= 300; ++i)
    CAF_REQUIRE(has(c.post(call("1", "count"))->message(0), "\"text\":\"" + std::to_string(i) + "\""));
}
