#define CAF_SUITE transport_connection_set

#include "transport/connection_set.hpp"

#include <malloc.h>

#include "transport/test_harness.hpp"

#include "tests/unit/caf_test.hpp"

using namespace cafmcp::transport;
using namespace cafmcp::transport::test;
using namespace std::literals;

namespace {

const auto gated = "GET /gate HTTP/1.1\r\nHost: x\r\n\r\n"s;

}  // namespace

CAF_TEST(one connection too many is told so) {
  limits bounds;
  bounds.connections = 2;
  harness h{bounds};
  client a{h.port()};
  client b{h.port()};
  CAF_CHECK_EQUAL(a.ask(hello).status, 200);
  CAF_CHECK_EQUAL(b.ask(hello).status, 200);
  client c{h.port()};
  const auto r = c.read();
  CAF_CHECK_EQUAL(r.status, 503);
  CAF_CHECK(r.has("Retry-After: 1\r\n"));
  CAF_CHECK(r.body.find("too_many_connections") != std::string::npos);
  CAF_CHECK(c.ended());
  CAF_CHECK_EQUAL(h.counters->refused_connections.get(), 1u);
  CAF_CHECK_EQUAL(a.ask(hello).status, 200);
  b.close();
  CAF_CHECK(eventually([&] { return h.set->size() == 1; }));
  client d{h.port()};
  CAF_CHECK_EQUAL(d.ask(hello).status, 200);
}

CAF_TEST(one address cannot take all) {
  limits bounds;
  bounds.connections_per_address = 1;
  harness h{bounds};
  client a{h.port()};
  CAF_CHECK_EQUAL(a.ask(hello).status, 200);
  client b{h.port()};
  CAF_CHECK(b.read().body.find("too_many_from_address") != std::string::npos);
  CAF_CHECK_EQUAL(h.counters->refused_address.get(), 1u);
  a.close();
  CAF_CHECK(eventually([&] { return h.set->size() == 0; }));
  client c{h.port()};
  CAF_CHECK_EQUAL(c.ask(hello).status, 200);
}

CAF_TEST(a drain lets requests under way finish) {
  harness h;
  client idle{h.port()};
  client busy{h.port()};
  client raw{h.port()};
  CAF_CHECK_EQUAL(idle.ask(hello).status, 200);
  raw.send("GET /raw HTTP/1.1\r\nHost: x\r\n\r\n");
  CAF_CHECK_EQUAL(raw.take(5), "raw::"s);
  busy.send(gated);
  CAF_CHECK(eventually([&] { return h.door.waiting() == 1; }));
  std::atomic<int> gone{0};
  h.set->drain(60s, [&] { gone.fetch_add(1); });
  CAF_CHECK(idle.ended());
  CAF_CHECK(raw.ended());
  CAF_CHECK_EQUAL(h.told_to_drain.load(), 1);
  client late{h.port()};
  CAF_CHECK(late.read().body.find("draining") != std::string::npos);
  CAF_CHECK_EQUAL(h.counters->refused_draining.get(), 1u);
  CAF_CHECK_EQUAL(gone.load(), 0);
  h.door.open();
  const auto r = busy.read();
  CAF_CHECK_EQUAL(r.status, 200);
  CAF_CHECK(r.has("Connection: close\r\n"));
  CAF_CHECK(busy.ended());
  CAF_CHECK(eventually([&] { return gone.load() == 1; }));
  CAF_CHECK_EQUAL(h.open(), 0);
  h.set->resume();
  client again{h.port()};
  CAF_CHECK_EQUAL(again.ask(hello).status, 200);
}

CAF_TEST(a drain ends at its deadline) {
  harness h;
  client busy{h.port()};
  busy.send(gated);
  CAF_CHECK(eventually([&] { return h.door.waiting() == 1; }));
  std::atomic<int> gone{0};
  h.set->drain(50ms, [&] { gone.fetch_add(1); });
  CAF_CHECK(eventually([&] { return gone.load() == 1; }));
  CAF_CHECK_EQUAL(busy.read().status, 0);
  CAF_CHECK_EQUAL(h.door.waiting(), 0u);
}

CAF_TEST(a drain of nothing is over at once) {
  harness h;
  int gone = 0;
  h.set->drain(60s, [&] { ++gone; });
  CAF_CHECK_EQUAL(gone, 1);
}

CAF_TEST(close_all closes connections in every phase) {
  harness h;
  client idle{h.port()};
  client head{h.port()};
  client body{h.port()};
  client handler{h.port()};
  client writing{h.port()};
  client raw{h.port()};
  CAF_CHECK_EQUAL(idle.ask(hello).status, 200);
  head.send("GET /hel");
  body.send("POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nabc");
  handler.send(gated);
  writing.send("GET /big HTTP/1.1\r\nHost: x\r\n\r\n");
  raw.send("GET /raw?release HTTP/1.1\r\nHost: x\r\n\r\n");
  CAF_CHECK_EQUAL(raw.take(12), "raw:release:"s);
  CAF_CHECK(eventually(
      [&] { return h.open() == 6 && h.door.waiting() == 1 && h.counters->bytes_out.get() > 50000; }));
  std::atomic<int> gone{0};
  h.set->close_all([&] { gone.fetch_add(1); });
  CAF_CHECK(eventually([&] { return gone.load() == 1; }));
  CAF_CHECK_EQUAL(h.open(), 0);
  CAF_CHECK(idle.ended() && head.ended() && body.ended() && handler.ended() && raw.ended());
}

CAF_TEST(everything may be destroyed with connections open) {
  for (int order = 0; order < 4; ++order) {
    harness h;
    client idle{h.port()};
    client handler{h.port()};
    client deaf{h.port()};
    client raw{h.port()};
    CAF_CHECK_EQUAL(idle.ask(hello).status, 200);
    handler.send(gated);
    deaf.send("GET /deaf HTTP/1.1\r\nHost: x\r\n\r\n");
    raw.send("GET /raw HTTP/1.1\r\nHost: x\r\n\r\n");
    CAF_CHECK_EQUAL(raw.take(5), "raw::"s);
    CAF_CHECK(eventually([&] { return h.door.waiting() == 1 && h.deaf_door.waiting() == 1; }));
    const auto counters = h.counters;
    if (order & 1)
      h.pool->stop();
    if (order & 2)
      h.server.reset();
    h.set.reset();
    h.pool.reset();
    h.server.reset();
    CAF_CHECK_EQUAL(counters->open.get(), 0);
    CAF_CHECK_EQUAL(counters->streams.get(), 0);
  }
}

CAF_TEST(thousands of short connections leave nothing) {
  harness h;
  for (int i = 0; i < 3000; ++i) {
    client c{h.port()};
    switch (i % 4) {
      case 0:
        CAF_REQUIRE_EQUAL(c.ask(hello).status, 200);
        break;
      case 1:
        c.send("GET /hel");
        break;
      case 2:
        c.send("POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nabc");
        break;
      default:
        break;
    }
  }
  CAF_CHECK(eventually([&] { return h.counters->accepted.get() == 3000 && h.open() == 0; }));
  CAF_CHECK_EQUAL(h.set->size(), 0u);
  CAF_CHECK_EQUAL(h.counters->refused_connections.get(), 0u);
}

CAF_TEST(an idle connection costs less than 4 KiB) {
  harness h;
  const std::size_t n = 1000;
  std::vector<client> warm(300);
  for (auto& c : warm)
    c.connect(h.port());
  for (auto& c : warm)
    CAF_REQUIRE_EQUAL(c.ask(hello).status, 200);
  std::vector<client> clients(n);
  const auto before = ::mallinfo2().uordblks;
  for (auto& c : clients) {
    c.connect(h.port());
    c.send(hello);
  }
  CAF_CHECK(eventually([&] { return h.counters->responses[2].get() == n + warm.size(); }));
  const auto each = (::mallinfo2().uordblks - before) / n;
  CAF_MESSAGE("bytes per idle connection: " << each);
  CAF_CHECK_LESS(each, 4096u);
}
