// One session, from its creation to its end, as clients see it.
#define CAF_SUITE session

#include "actors/session.hpp"

#include "actors/test_harness.hpp"
#include "tests/unit/caf_test.hpp"

using namespace cafmcp;
using namespace cafmcp::actors;
using namespace cafmcp::actors::test;
using transport::channel_end;

namespace {

// The context where neither session nor shard of a client are, if `far`.
constexpr std::size_t contexts[] = {0, 1};

}  // namespace

CAF_TEST(a socket gets answers in order whatever its context) {
  world w;
  for (const auto where : contexts) {
    client c{w, w.create(0), where};
    c.connect();
    CAF_REQUIRE(c.greet());
    CAF_CHECK(has(c.socket->message(0), R"("io.cafmcp/session":{"id":")" + c.port->id()));
    CAF_CHECK(has(c.socket->message(0), "ws://h/mcp?mcp-session-id=" + c.port->id()));
    c.send(call("1", "now"));
    c.send(R"({"jsonrpc":"2.0","id":"two","method":"ping"})");
    CAF_CHECK(has(c.socket->message(1), R"("id":1,)") && has(c.socket->message(1), R"("text":"now")"));
    CAF_CHECK_EQUAL(c.socket->message(2), R"({"jsonrpc":"2.0","id":"two","result":{}})");
    CAF_CHECK(!c.socket->end());
  }
}

CAF_TEST(a post is answered once and closed) {
  world w;
  for (const auto where : contexts) {
    client c{w, w.create(0), where};
    CAF_REQUIRE(c.greet());
    const auto p = c.post(call("7", "now"));
    CAF_CHECK(has(p->message(0), R"("id":7,)"));
    CAF_CHECK(p->closed(channel_end::complete));
    CAF_CHECK_EQUAL(p->sent().size(), 1u);
    CAF_CHECK_EQUAL(p->first().event_id, "");
  }
}

CAF_TEST(what is no message gets its error and status) {
  world w;
  client c{w, w.create()};
  CAF_REQUIRE(c.greet());
  const auto p = c.post("[1,2");
  CAF_CHECK(has(p->message(0), "-32700"));
  CAF_CHECK_EQUAL(p->first().http_status, 400);
  CAF_CHECK(p->closed(channel_end::complete));
  CAF_CHECK(has(c.post(R"({"jsonrpc":"2.0","id":1,"method":"nope"})")->message(0), "-32601"));
  // A post that holds no request is not left open.
  CAF_CHECK(c.post(R"({"jsonrpc":"2.0","method":"notifications/whatever"})")->closed(channel_end::complete));
}

CAF_TEST(batches are for one revision) {
  world w;
  client old{w, w.create()};
  CAF_REQUIRE(old.greet("2025-03-26"));
  const auto batch =
      "[" + call("1", "now") + "," + call("2", "hold") + R"(,{"jsonrpc":"2.0","method":"x"},7])";
  const auto p = old.post(batch);
  auto held = w.handler->held(0);
  CAF_REQUIRE(held != nullptr);
  CAF_CHECK(p->sent().empty());
  held->finish(mcp::finish(held->call(), mcp::text_result("held")));
  const auto answers = mcp::json::parse(p->message(0));
  CAF_CHECK_EQUAL(answers.size(), 3u);
  CAF_CHECK(p->closed(channel_end::complete));
  client fresh{w, w.create()};
  CAF_REQUIRE(fresh.greet("2025-11-25"));
  const auto q = fresh.post("[" + call("1", "now") + "]");
  CAF_CHECK(has(q->message(0), "-32600"));
  CAF_CHECK_EQUAL(q->first().http_status, 400);
}

CAF_TEST(a batch over a socket is answered by one message and closes nothing) {
  world w;
  client c{w, w.create()};
  c.connect();
  CAF_REQUIRE(c.greet("2025-03-26"));
  c.send("[" + call("1", "now") + "," + call("2", "now") + "]");
  CAF_CHECK_EQUAL(mcp::json::parse(c.socket->message(1)).size(), 2u);
  CAF_CHECK(!c.socket->end());
}

CAF_TEST(a handler that throws costs one error answer) {
  world w;
  client c{w, w.create()};
  c.connect();
  CAF_REQUIRE(c.greet());
  c.send(call("1", "throw"));
  CAF_CHECK(has(c.socket->message(1), "thrown by the test"));
  c.send(call("2", "now"));
  CAF_CHECK(has(c.socket->message(2), R"("id":2,)"));
  const auto& stats = *w.env->registry->get()->servers[0].stats;
  CAF_CHECK_EQUAL(stats.calls(), 2u);
  CAF_CHECK_EQUAL(stats.errors(), 1u);
}

CAF_TEST(progress and log lines of a post make it a stream whose events have ids) {
  world w;
  client c{w, w.create(), 1};
  CAF_REQUIRE(c.greet());
  const auto p = c.post(call("5", "hold", R"("tok")"));
  const auto held = w.handler->held(0);
  CAF_REQUIRE(held != nullptr);
  held->progress(1, 2, "half");
  held->log(mcp::log_level::info, "test", R"("line")");
  held->finish(mcp::finish(held->call(), mcp::text_result("done")));
  held->progress(2, 2, "too late");
  CAF_CHECK(p->closed(channel_end::complete));
  auto sent = p->sent();
  // A priming event may come first, if this took its time.
  if (sent.size() == 4 && sent[0].bytes.empty())
    sent.erase(sent.begin());
  CAF_REQUIRE_EQUAL(sent.size(), 3u);
  CAF_CHECK(has(sent[0].bytes, R"("progressToken":"tok","progress":1,"total":2,"message":"half")"));
  CAF_CHECK(has(sent[1].bytes, "notifications/message"));
  CAF_CHECK(has(sent[2].bytes, R"("id":5,)"));
  const auto first = parse_event_id(sent[0].event_id);
  const auto last = parse_event_id(sent[2].event_id);
  CAF_CHECK(first.stream != 0 && first.stream == last.stream && first.number + 2 == last.number);
}

CAF_TEST(an answer that takes its time can be resumed) {
  session_limits limits;
  limits.prime_after = std::chrono::milliseconds{1};
  world w{limits};
  client c{w, w.create()};
  CAF_REQUIRE(c.greet());
  const auto p = c.post(call("5", "hold"));
  CAF_CHECK_EQUAL(p->message(0), "");
  CAF_REQUIRE(eventually([&] { return p->sent().size() == 1; }));
  const auto seen = p->sent()[0].event_id;
  CAF_CHECK(seen != "");
  c.port->detach(p, {});
  const auto held = w.handler->held(0);
  held->finish(mcp::finish(held->call(), mcp::text_result("after the drop")));
  const auto again = std::make_shared<channel>(1, false);
  c.port->attach(again, seen);
  CAF_CHECK(has(again->message(0), "after the drop"));
  CAF_CHECK(again->closed(channel_end::complete));
  CAF_CHECK_EQUAL(p->sent().size(), 1u);
}

CAF_TEST(a stream that is resumed while its call runs goes on over the new connection) {
  session_limits limits;
  limits.prime_after = std::chrono::milliseconds{1};
  world w{limits};
  client c{w, w.create()};
  CAF_REQUIRE(c.greet());
  const auto p = c.post(call("5", "hold", "1"));
  CAF_REQUIRE(eventually([&] { return p->sent().size() == 1; }));
  const auto held = w.handler->held(0);
  held->progress(1);
  CAF_REQUIRE(eventually([&] { return p->sent().size() == 2; }));
  const auto again = std::make_shared<channel>(0, false);
  c.port->attach(again, p->sent()[0].event_id);
  CAF_CHECK(has(again->message(0), R"("progress":1)"));
  CAF_CHECK(p->closed(channel_end::replaced));
  held->finish(mcp::finish(held->call(), mcp::text_result("end")));
  CAF_CHECK(has(again->message(1), R"("id":5,)"));
  CAF_CHECK(again->closed(channel_end::complete));
}

CAF_TEST(a cancelled call gets no answer and its handler hears of it) {
  world w;
  client c{w, w.create()};
  c.connect();
  CAF_REQUIRE(c.greet());
  c.send(call("9", "hold"));
  const auto held = w.handler->held(0);
  CAF_REQUIRE(held != nullptr);
  std::atomic<int> cancels{0};
  held->on_cancel([&] { ++cancels; });
  c.send(R"({"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":9}})");
  CAF_CHECK(eventually([&] { return cancels == 1; }));
  CAF_CHECK(held->cancelled());
  held->finish(mcp::finish(held->call(), mcp::text_result("late")));
  c.send(call("10", "now"));
  CAF_CHECK(has(c.socket->message(1), R"("id":10,)"));
}

CAF_TEST(an id that is in use is refused) {
  world w;
  client c{w, w.create()};
  c.connect();
  CAF_REQUIRE(c.greet());
  c.send(call("9", "hold"));
  c.send(call("9", "now"));
  CAF_CHECK(has(c.socket->message(1), "a request with this id is running"));
}

CAF_TEST(a stream whose request id is used anew does not keep its session in memory) {
  session_limits limits;
  limits.prime_after = std::chrono::milliseconds{1};
  limits.idle = std::chrono::milliseconds{20};
  world w{limits};
  client c{w, w.create()};
  CAF_REQUIRE(c.greet());
  const auto p = c.post(call("5", "hold"));
  CAF_REQUIRE(eventually([&] { return p->sent().size() == 1; }));
  c.port->detach(p, {});
  CAF_CHECK(has(c.post(call("5", "now"))->message(0), R"("id":5,"result")"));
  CAF_CHECK(w.handler->held(0)->cancelled());
  CAF_CHECK(eventually([&] { return w.env->router->directory().size() == 0; }));
}

CAF_TEST(calls in one session are bounded) {
  session_limits limits;
  limits.running_calls = 3;
  world w{limits};
  client c{w, w.create()};
  c.connect();
  CAF_REQUIRE(c.greet());
  for (int i = 0; i < 4; ++i)
    c.send(call(std::to_string(i), "hold"));
  CAF_CHECK(has(c.socket->message(1), R"("id":3,"error":{"code":-31503)"));
  w.handler->held(0)->finish("{}");
  CAF_CHECK_EQUAL(c.socket->message(2), "{}");
  c.send(call("4", "now"));
  CAF_CHECK(has(c.socket->message(3), R"("id":4,"result")"));
}

CAF_TEST(an answer that no connection could carry is an error) {
  session_limits limits;
  limits.message_bytes = 1000;
  world w{limits};
  client c{w, w.create()};
  c.connect();
  CAF_REQUIRE(c.greet());
  c.send(call("1", "hold"));
  const auto held = w.handler->held(0);
  held->log(mcp::log_level::info, "", '"' + std::string(2000, 'x') + '"');
  held->finish(mcp::finish(held->call(), mcp::text_result(std::string(2000, 'x'))));
  CAF_CHECK(has(c.socket->message(1), R"("id":1,"error":{"code":-32603)"));
  CAF_CHECK(!c.socket->end());
}

CAF_TEST(what a mailbox may hold is bounded) {
  session_limits limits;
  limits.queued_messages = 2;
  limits.queued_bytes = 1000;
  world w{limits};
  const auto port = w.create();
  // Nothing is taken while the session's thread is busy.
  std::promise<void> go;
  boost::asio::post(w.runtime.pool().context(0), [wait = go.get_future().share()] { wait.wait(); });
  const std::string ping = R"({"jsonrpc":"2.0","id":1,"method":"ping"})";
  CAF_CHECK(port->receive(ping, nullptr));
  CAF_CHECK(!port->receive(std::string(2000, ' '), nullptr));
  CAF_CHECK(port->receive(ping, nullptr));
  CAF_CHECK(!port->receive(ping, nullptr));
  go.set_value();
  CAF_CHECK(eventually([&] { return port->receive(ping, nullptr); }));
}

CAF_TEST(state is kept with the session) {
  world w;
  client c{w, w.create()};
  c.connect();
  CAF_REQUIRE(c.greet());
  for (int i = 1; i <= 3; ++i) {
    c.send(call(std::to_string(i), "count"));
    CAF_CHECK(has(c.socket->message(static_cast<std::size_t>(i)), "\"text\":\"" + std::to_string(i) + "\""));
  }
  std::promise<std::string> stored;
  w.store->get(c.port->id(), [&](const result<persistence::session_record>& r) {
    stored.set_value(r ? r->user.at("n") : r.error().message);
  });
  CAF_CHECK_EQUAL(stored.get_future().get(), "3");
}

CAF_TEST(a client that ends its session is told and nobody finds it again) {
  world w;
  client c{w, w.create()};
  c.connect();
  CAF_REQUIRE(c.greet());
  c.send(call("1", "hold"));
  const auto held = w.handler->held(0);
  c.port->end();
  CAF_CHECK(c.socket->closed(channel_end::ended));
  CAF_CHECK(eventually([&] { return held->cancelled(); }));
  CAF_CHECK(w.find(c.port->id()).error().code == errc::not_found);
  CAF_CHECK(eventually([&] { return w.env->router->directory().size() == 0; }));
  CAF_CHECK(w.find(c.port->id()).error().code == errc::not_found);
  // What was on its way hears the same.
  CAF_CHECK(c.post(call("2", "now"))->closed(channel_end::ended));
}

CAF_TEST(sessions expire when nobody uses them) {
  session_limits limits;
  limits.ttl = std::chrono::milliseconds{2000};
  world w{limits};
  client idle{w, w.create()};
  CAF_REQUIRE(idle.greet());
  client used{w, w.create()};
  used.connect();
  CAF_REQUIRE(used.greet());
  *w.now_ms += 5000;
  CAF_CHECK(eventually([&] { return w.env->router->directory().size() == 1; }));
  CAF_CHECK(w.find(idle.port->id()).error().code == errc::not_found);
  used.send(call("1", "now"));
  CAF_CHECK(has(used.socket->message(1), R"("id":1,)"));
}

CAF_TEST(a session whose client never says initialize ends) {
  session_limits limits;
  limits.greeting_timeout = std::chrono::milliseconds{1};
  world w{limits};
  const auto port = w.create();
  CAF_CHECK(eventually([&] { return w.env->router->directory().size() == 0; }));
  CAF_CHECK(w.find(port->id()).error().code == errc::not_found);
}

CAF_TEST(changes of what is offered reach clients that are connected) {
  world w;
  client c{w, w.create()};
  c.connect();
  CAF_REQUIRE(c.greet());
  w.handler->add_tool("another");
  CAF_CHECK(has(c.socket->message(1), "notifications/tools/list_changed"));
  c.send(R"({"jsonrpc":"2.0","id":1,"method":"tools/list"})");
  CAF_CHECK(has(c.socket->message(2), R"("name":"another")"));
}

CAF_TEST(the log of what was sent is bounded and keeps the newest) {
  session_limits limits;
  limits.outbound_messages = 4;
  limits.outbound_bytes = 1000;
  world w{limits};
  client c{w, w.create()};
  CAF_REQUIRE(c.greet());
  const auto p = c.post(call("1", "hold", "1"));
  const auto held = w.handler->held(0);
  for (int i = 0; i < 20; ++i)
    held->progress(i);
  held->finish(mcp::finish(held->call(), mcp::text_result(std::string(5000, 'x'))));
  CAF_REQUIRE(p->closed(channel_end::complete));
  const auto last = parse_event_id(p->sent().back().event_id);
  const auto again = std::make_shared<channel>(0, false);
  c.port->attach(again, to_string(event_id{1, last.stream, last.number - 1}));
  CAF_CHECK(again->message(0).size() > 5000);
  std::promise<std::size_t> kept;
  w.store->get(c.port->id(), [&](const result<persistence::session_record>& r) {
    kept.set_value(r.value().outbound.size());
  });
  CAF_CHECK_EQUAL(kept.get_future().get(), 1u);
}
