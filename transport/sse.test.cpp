#define CAF_SUITE transport_sse

#include "transport/sse.hpp"

#include "transport/streamable_http_harness.hpp"

#include "tests/unit/caf_test.hpp"

using namespace cafmcp::transport;
using namespace cafmcp::transport::test;
using namespace std::literals;

namespace {

const auto echo = R"({"jsonrpc":"2.0","id":1,"method":")"s;
const auto get = "Accept: text/event-stream\r\nMcp-Session-Id: s1\r\n"s;

outgoing event(std::string bytes, std::string id = {}) {
  outgoing out;
  out.bytes = std::move(bytes);
  out.event_id = std::move(id);
  return out;
}

bool send(fake_session& s, const channel_ptr& to, const std::string& bytes, const std::string& id = {}) {
  return s.on(to, [&](client_channel& c) { return c.send(event(bytes, id)); });
}

void close(fake_session& s, const channel_ptr& to, channel_end why) {
  s.on(to, [&](client_channel& c) {
    c.close(why);
    return true;
  });
}

// A client with an open stream; its channel is `h.s1()->attached()`.
client listening(mcp_harness& h, const std::string& more = {}) {
  const auto before = h.s1()->attaches.load();
  client c{h.port()};
  c.send(mcp_request("GET", get + more));
  until(c, "\r\n\r\n");
  eventually([&] { return h.s1()->attaches.load() > before; });
  return c;
}

// A client whose POST is held by the session.
client holding(mcp_harness& h) {
  client c{h.port()};
  c.send(mcp_post("hold"));
  eventually([&] { return h.s1()->held() != nullptr; });
  return c;
}

}  // namespace

CAF_TEST(the framing of an event) {
  auto m = event("x", "7");
  CAF_CHECK_EQUAL(event_head(m), "id: 7\ndata: "s);
  m.retry_ms = 500;
  CAF_CHECK_EQUAL(event_head(m), "id: 7\nretry: 500\ndata: "s);
  CAF_CHECK_EQUAL(event_head(event("x")), "data: "s);
}

CAF_TEST(one answer with the end is JSON and all else a stream) {
  mcp_harness h;
  for (const auto* word : {"now", "later"}) {
    client c{h.port()};
    const auto r = c.ask(mcp_post(word));
    CAF_CHECK_EQUAL(r.body, echo + word + "\"}");
    CAF_CHECK(r.has("Content-Type: application/json\r\n"));
  }
  client split{h.port()};
  split.send(mcp_post("split"));
  const auto head = until(split, "\r\n\r\n");
  CAF_CHECK(head.find("Content-Type: text/event-stream\r\n") != std::string::npos);
  CAF_CHECK(head.find("Cache-Control: no-cache\r\n") != std::string::npos);
  CAF_CHECK(head.find("X-Accel-Buffering: no\r\n") != std::string::npos);
  CAF_CHECK_EQUAL(until(split, "0\r\n\r\n"), "38\r\nid: e1\ndata: " + echo + "split\"}\n\n\r\n0\r\n\r\n");
  client two{h.port()};
  two.send(mcp_post("two"));
  until(two, "\r\n\r\n");
  CAF_CHECK_EQUAL(until(two, "0\r\n\r\n").size(), 2 * ("36\r\n"s.size() + 0x36 + 2) + 5);
}

CAF_TEST(a priming event makes a stream that may end early) {
  mcp_harness h;
  client c{h.port()};
  c.send(mcp_post("prime"));
  CAF_CHECK(until(c, "\r\n\r\n").find("text/event-stream") != std::string::npos);
  CAF_CHECK_EQUAL(until(c, "0\r\n\r\n"), "1a\r\nid: e0\nretry: 500\ndata: \n\n\r\n0\r\n\r\n"s);
  CAF_CHECK_EQUAL(h.s1()->detaches.load(), 0);
}

CAF_TEST(HTTP 1.0 gets a stream that ends with the connection) {
  mcp_harness h;
  auto text = mcp_post("split");
  text.replace(text.find("HTTP/1.1"), 8, "HTTP/1.0");
  client c{h.port()};
  c.send(text);
  const auto head = until(c, "\r\n\r\n");
  CAF_CHECK(head.find("chunked") == std::string::npos);
  CAF_CHECK_EQUAL(until(c, "\n\n"), "id: e1\ndata: " + echo + "split\"}\n\n");
  CAF_CHECK(c.ended());
}

CAF_TEST(an answer that takes long becomes a stream with comments) {
  mcp_options options;
  options.keepalive_interval = 20ms;
  mcp_harness h{options};
  auto c = holding(h);
  CAF_CHECK(until(c, "\r\n\r\n").find("text/event-stream") != std::string::npos);
  CAF_CHECK_EQUAL(until(c, "\n\n\r\n"), "e\r\n: keep-alive\n\n\r\n"s);
  CAF_CHECK_EQUAL(until(c, "\n\n\r\n"), "e\r\n: keep-alive\n\n\r\n"s);
  CAF_CHECK_EQUAL(h.counters->sse_streams.get(), 1);
  CAF_CHECK(send(*h.s1(), h.s1()->held(), "{}", "9"));
  close(*h.s1(), h.s1()->held(), channel_end::complete);
  CAF_CHECK(until(c, "0\r\n\r\n").find("id: 9\ndata: {}\n\n") != std::string::npos);
  CAF_CHECK_EQUAL(c.ask(mcp_post("now")).status, 200);
  CAF_CHECK_EQUAL(h.counters->sse_streams.get(), 0);
}

CAF_TEST(a client that goes away is not a cancellation) {
  mcp_harness h;
  { auto early = holding(h); }
  CAF_CHECK(eventually([&] { return h.s1()->detaches.load() == 1; }));
  CAF_CHECK(!send(*h.s1(), h.s1()->held(), "{}"));
  {
    client late{h.port()};
    late.send(mcp_post("hold again"));
    CAF_CHECK(eventually([&] { return h.s1()->messages.load() == 2; }));
    CAF_CHECK(send(*h.s1(), h.s1()->held(), "{}"));
    CAF_CHECK(until(late, "\n\n\r\n").ends_with("{}\n\n\r\n"));
  }
  CAF_CHECK(eventually([&] { return h.s1()->detaches.load() == 2; }));
  { auto stream = listening(h); }
  CAF_CHECK(eventually([&] { return h.s1()->detaches.load() == 3; }));
  CAF_CHECK(eventually([&] { return h.counters->open.get() == 0; }));
}

CAF_TEST(GET is a stream of the session) {
  mcp_options options;
  options.keepalive_interval = 20ms;
  mcp_harness h{options};
  auto c = listening(h, "Last-Event-ID: s-42\r\n");
  CAF_CHECK_EQUAL(h.s1()->last_event_id(), "s-42"s);
  CAF_CHECK_EQUAL(until(c, "\n\n\r\n"), "e\r\n: keep-alive\n\n\r\n"s);
  CAF_CHECK(send(*h.s1(), h.s1()->attached(), "{\"n\":1}", "s-43"));
  CAF_CHECK(until(c, "}\n\n\r\n").ends_with("id: s-43\ndata: {\"n\":1}\n\n\r\n"));
  CAF_CHECK_EQUAL(h.counters->messages_out.get(), 1u);
}

CAF_TEST(a second GET replaces the first) {
  mcp_harness h;
  auto first = listening(h);
  auto second = listening(h);
  CAF_CHECK_EQUAL(until(first, "0\r\n\r\n"), "0\r\n\r\n"s);
  CAF_CHECK(first.ended());
  CAF_CHECK(send(*h.s1(), h.s1()->attached(), "{}"));
  CAF_CHECK_EQUAL(until(second, "\n\n\r\n"), "a\r\ndata: {}\n\n\r\n"s);
  CAF_CHECK_EQUAL(h.s1()->detaches.load(), 0);
}

CAF_TEST(a drain ends streams but not answers) {
  mcp_harness h;
  auto stream = listening(h);
  auto answer = holding(h);
  std::atomic<bool> gone{false};
  h.set->drain(60s, [&] { gone = true; });
  CAF_CHECK_EQUAL(until(stream, "0\r\n\r\n"), "0\r\n\r\n"s);
  CAF_CHECK(stream.ended());
  CAF_CHECK(eventually([&] { return h.s1()->detaches.load() == 1; }));
  CAF_CHECK(!gone);
  h.s1()->on(h.s1()->held(), [](client_channel& c) {
    c.send(event("{}"));
    c.close(channel_end::complete);
    return true;
  });
  const auto r = answer.read();
  CAF_CHECK_EQUAL(r.body, "{}"s);
  CAF_CHECK(r.has("Connection: close\r\n"));
  CAF_CHECK(answer.ended());
  CAF_CHECK(eventually([&] { return gone.load(); }));
}

CAF_TEST(a reader that is too slow is cut) {
  mcp_options options;
  options.backlog_bytes = 1024 * 1024;
  mcp_harness h{options};
  auto c = listening(h);
  const auto to = h.s1()->attached();
  const std::string big(100'000, 'x');
  int sent = 0;
  while (sent < 1000 && send(*h.s1(), to, big))
    ++sent;
  CAF_CHECK_GREATER(sent, 5);
  CAF_CHECK_LESS(sent, 1000);
  CAF_CHECK_EQUAL(h.counters->slow_readers.get(), 1u);
  CAF_CHECK(eventually([&] { return h.s1()->detaches.load() == 1 && h.counters->open.get() == 0; }));
  CAF_CHECK(!send(*h.s1(), to, "{}"));
}

CAF_TEST(a reader that stands still is cut in time) {
  mcp_options options;
  options.write_timeout = 50ms;
  mcp_harness h{options};
  auto c = listening(h);
  CAF_CHECK(send(*h.s1(), h.s1()->attached(), std::string(12'000'000, 'x')));
  CAF_CHECK(eventually([&] { return h.s1()->detaches.load() == 1 && h.counters->open.get() == 0; }));
}

CAF_TEST(a big answer arrives whole) {
  mcp_harness h;
  auto c = holding(h);
  const std::string big(12'000'000, 'x');
  h.s1()->on(h.s1()->held(), [&](client_channel& to) {
    to.send(event(big));
    to.close(channel_end::complete);
    return true;
  });
  const auto r = c.read();
  CAF_CHECK_EQUAL(r.status, 200);
  CAF_CHECK(r.body == big);
  CAF_CHECK_EQUAL(c.ask(mcp_post("later")).status, 200);
}

CAF_TEST(a server may be destroyed with streams open) {
  for (int order = 0; order < 2; ++order) {
    mcp_harness h;
    auto stream = listening(h);
    auto answer = holding(h);
    const auto s1 = h.s1();  // keeps the channels for longer than the server
    if (order == 1)
      h.pool->stop();
    h.server.reset();
    h.set.reset();
  }
}
