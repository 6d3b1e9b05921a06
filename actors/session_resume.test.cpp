// Sessions whose connections, actors or shards go.
#define CAF_SUITE session_resume

#include "actors/shard.hpp"
#include "actors/test_harness.hpp"
#include "tests/unit/caf_test.hpp"

using namespace cafmcp;
using namespace cafmcp::actors;
using namespace cafmcp::actors::test;
using transport::channel_end;

CAF_TEST(what a dropped socket missed comes with the next one) {
  world w;
  for (const std::size_t where : {0, 1}) {
    client c{w, w.create(0), where};
    const auto first = c.connect();
    CAF_REQUIRE(c.greet());
    c.send(call("3", "hold"));
    const auto held = w.handler->held(where);
    CAF_REQUIRE(held != nullptr);
    first->lose();
    held->finish(mcp::finish(held->call(), mcp::text_result("missed")));
    c.send(R"({"jsonrpc":"2.0","method":"notifications/x"})");
    const auto second = c.connect();
    CAF_CHECK(has(second->message(0), "missed"));
    CAF_CHECK(first->closed(channel_end::replaced));
    const auto third = c.connect();
    c.send(R"({"jsonrpc":"2.0","id":4,"method":"ping"})");
    CAF_CHECK(has(third->message(0), R"("id":4,)"));
  }
}

CAF_TEST(messages that a connection took and could not send come with the next one) {
  world w;
  client c{w, w.create(), 1};
  const auto first = c.connect();
  CAF_REQUIRE(c.greet());
  c.port->detach(first, {"{\"one\":1}", "{\"two\":2}"});
  const auto second = c.connect();
  CAF_CHECK_EQUAL(second->message(0), "{\"one\":1}");
  CAF_CHECK_EQUAL(second->message(1), "{\"two\":2}");
  // Also when the old connection says so after the new one is there.
  const auto third = c.connect();
  c.port->detach(second, {"{\"three\":3}"});
  CAF_CHECK_EQUAL(third->message(0), "{\"three\":3}");
}

CAF_TEST(a client that counts from anew never gets an old answer) {
  session_limits limits;
  limits.replay_delay = std::chrono::milliseconds{1};
  world w{limits};
  client c{w, w.create()};
  const auto first = c.connect();
  CAF_REQUIRE(c.greet());
  c.send(call("1", "hold"));
  c.send(call("2", "hold"));
  const auto one = w.handler->held(0);
  const auto two = w.handler->held(1);
  first->lose();
  c.port->detach(first, {});
  one->finish(mcp::finish(one->call(), mcp::text_result("old one")));
  CAF_REQUIRE(eventually([&] { return w.env->router->directory().find(c.port->id())->running == 1; }));
  // The new socket and its first request come in one turn, before anything can be replayed.
  std::promise<void> go;
  boost::asio::post(w.runtime.pool().context(0), [wait = go.get_future().share()] { wait.wait(); });
  const auto second = c.connect();
  c.send(call("1", "now"));
  c.send(call("2", "now"));
  go.set_value();
  CAF_CHECK(has(second->message(0), R"("id":1,)") && has(second->message(0), R"("text":"now")"));
  CAF_CHECK(has(second->message(1), R"("id":2,)") && has(second->message(1), R"("text":"now")"));
  CAF_CHECK(two->cancelled());
  two->finish(mcp::finish(two->call(), mcp::text_result("old two")));
  c.send(R"({"jsonrpc":"2.0","id":3,"method":"ping"})");
  CAF_CHECK(has(second->message(2), R"("id":3,)"));
  const auto entry = w.env->router->directory().find(c.port->id());
  CAF_CHECK(eventually([&] { return entry->running == 0; }));
  CAF_CHECK_EQUAL(second->sent().size(), 3u);
}

CAF_TEST(initialize over a resumed socket keeps the session) {
  world w;
  client c{w, w.create()};
  c.connect();
  CAF_REQUIRE(c.greet("2025-06-18"));
  c.send(call("1", "count"));
  CAF_CHECK(has(c.socket->message(1), "\"text\":\"1\""));
  c.send(R"({"jsonrpc":"2.0","id":2,"method":"initialize","params":{}})");
  CAF_CHECK(has(c.socket->message(2), "-32600"));
  c.connect();
  CAF_REQUIRE(c.greet("2025-11-25"));
  c.send(call("3", "count"));
  CAF_CHECK(has(c.socket->message(1), "\"text\":\"2\""));
}

CAF_TEST(a killed session loses its running calls and nothing else) {
  world w;
  for (const std::size_t where : {0, 1}) {
    client c{w, w.create(0), where};
    c.connect();
    CAF_REQUIRE(c.greet());
    c.send(call("1", "count"));
    CAF_CHECK(has(c.socket->message(1), "\"text\":\"1\""));
    c.send(call("2", "hold"));
    const auto held = w.handler->held(where);
    CAF_REQUIRE(held != nullptr);
    CAF_REQUIRE(w.kill_session(c.port->id()));
    CAF_CHECK(has(c.socket->message(2), R"("id":2,"error":{"code":-31500)"));
    CAF_CHECK(held->cancelled());
    c.send(call("3", "count"));
    CAF_CHECK(has(c.socket->message(3), "\"text\":\"2\""));
    CAF_CHECK(!c.socket->end());
    const auto entry = w.env->router->directory().find(c.port->id());
    CAF_CHECK_EQUAL(entry->restarts.load(), 1u);
    CAF_CHECK_EQUAL(entry->queued.load(), 0u);
  }
}

CAF_TEST(the next actor of a session is attached to its socket without a message of the client) {
  world w;
  client c{w, w.create(0), 1};
  c.connect();
  CAF_REQUIRE(c.greet());
  CAF_REQUIRE(w.kill_session(c.port->id()));
  CAF_REQUIRE(eventually([&] {
    const auto entry = w.env->router->directory().find(c.port->id());
    return entry->actor() && entry->connected;
  }));
  w.handler->add_tool("new");
  CAF_CHECK(has(c.socket->message(1), "list_changed"));
}

CAF_TEST(messages that were queued when the actor died are handled by the next one) {
  world w;
  client c{w, w.create()};
  c.connect();
  CAF_REQUIRE(c.greet());
  std::promise<void> go;
  boost::asio::post(w.runtime.pool().context(0), [wait = go.get_future().share()] { wait.wait(); });
  caf::anon_send_exit(w.actor(c.port->id()), caf::exit_reason::kill);
  for (int i = 1; i <= 5; ++i)
    c.send(call(std::to_string(i), "count"));
  go.set_value();
  for (std::size_t i = 1; i <= 5; ++i)
    CAF_CHECK(has(c.socket->message(i), "\"text\":\"" + std::to_string(i) + "\""));
}

CAF_TEST(posts of a killed session are told as well) {
  world w;
  client c{w, w.create(), 1};
  CAF_REQUIRE(c.greet());
  const auto p = c.post(call("1", "hold"));
  CAF_REQUIRE(w.handler->held(0) != nullptr);
  CAF_REQUIRE(w.kill_session(c.port->id()));
  CAF_REQUIRE(p->closed(channel_end::complete));
  CAF_CHECK(has(p->sent().back().bytes, "-31500"));
  CAF_CHECK(has(c.post(call("2", "now"))->message(0), R"("id":2,"result")"));
}

CAF_TEST(a session that always dies is left alone for a while) {
  world w;
  client c{w, w.create()};
  CAF_REQUIRE(c.greet());
  for (std::size_t i = 0; i <= session_entry::max_crashes; ++i) {
    CAF_REQUIRE(w.find(c.port->id()));
    CAF_REQUIRE(w.kill_session(c.port->id()));
  }
  CAF_CHECK(w.find(c.port->id()).error().code == errc::unavailable);
  *w.now_ms += session_entry::crash_period_ms + 1;
  CAF_CHECK(w.find(c.port->id()));
}

CAF_TEST(sessions go on without their shard and find the next one) {
  world w;
  client c{w, w.create(0)};
  c.connect();
  CAF_REQUIRE(c.greet());
  const auto shard = w.env->router->shard_of(c.port->id());
  const auto before = w.env->router->shard(shard);
  caf::anon_send_exit(before, caf::exit_reason::kill);
  c.send(call("1", "now"));
  CAF_CHECK(has(c.socket->message(1), R"("id":1,"result")"));
  CAF_REQUIRE(eventually([&] {
    const auto now = w.env->router->shard(shard);
    return now && now != before;
  }));
  CAF_REQUIRE(w.kill_session(c.port->id()));
  c.send(call("2", "now"));
  CAF_CHECK(has(c.socket->message(2), R"("id":2,"result")"));
}

CAF_TEST(sessions whose supervisor dies wake up again) {
  world w;
  client c{w, w.create(0)};
  c.connect();
  CAF_REQUIRE(c.greet());
  c.send(call("1", "count"));
  CAF_CHECK(has(c.socket->message(1), "\"text\":\"1\""));
  const auto before = w.actor(c.port->id());
  caf::anon_send_exit(*w.names->lookup("sessions/" + std::to_string(w.env->router->shard_of(c.port->id()))),
                      caf::exit_reason::kill);
  CAF_REQUIRE(eventually([&] { return w.actor(c.port->id()) != before; }));
  // Until the shard is back, requests are refused as retryable.
  for (int i = 2; i < 1000; ++i) {
    c.send(call(std::to_string(i), "count"));
    const auto answer = c.socket->message(static_cast<std::size_t>(i));
    if (has(answer, "\"text\":\"2\""))
      break;
    CAF_REQUIRE(has(answer, "-31503"));
  }
  CAF_CHECK(!c.socket->end());
}

CAF_TEST(a store that refuses ends the actor and the next one reads what is stored) {
  // Room for the session, and for little more.
  world w;
  auto small = std::make_shared<persistence::memory_store>(1000, 3000);
  auto env = std::make_shared<session_environment>(*w.env);
  env->store = small;
  auto entry = w.env->router->directory().add("small", "");
  persistence::session_record record;
  persistence::operation op{persistence::bucket_of("small"), 1, 1, "small", persistence::op_kind::create,
                            persistence::create_bytes("", 1)};
  CAF_REQUIRE(persistence::apply(record, op));
  small->apply({op}, [](const result<void>& r) { CAF_REQUIRE(r); });
  auto start = std::make_shared<const session_start>(session_start{env, entry, record});
  const auto who = otp::spawn_on<session>(w.runtime.system(), w.runtime.unit(0), start);
  entry->actor_started(who);
  auto event =
      std::make_shared<request_event>(request_event::put{"k", "\"" + std::string(5000, 'x') + "\"", {}});
  std::promise<bool> refused;
  std::get<request_event::put>(event->body).then = [&](const result<void>& r) { refused.set_value(!r); };
  caf::anon_send(who, request_mail{event});
  CAF_CHECK(refused.get_future().get());
  CAF_CHECK(eventually([&] { return !entry->actor(); }));
  CAF_CHECK_EQUAL(entry->restarts.load(), 0u);  // the fault is not its own
}
