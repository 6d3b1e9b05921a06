#define CAF_SUITE transport_timeouts

#include "transport/test_harness.hpp"

#include "tests/unit/caf_test.hpp"

using namespace cafmcp::transport;
using namespace cafmcp::transport::test;
using namespace std::literals;

namespace {

limits with(std::chrono::milliseconds limits::*which, std::chrono::milliseconds value) {
  limits out;
  out.*which = value;
  return out;
}

}  // namespace

CAF_TEST(headers that trickle in are refused) {
  harness h{with(&limits::header_timeout, 100ms)};
  client c{h.port()};
  CAF_CHECK_EQUAL(c.ask(hello).status, 200);
  c.send("GET /hello HTTP/1.1\r\n");
  // The time counts from the first byte: more bytes don't help.
  const auto start = std::chrono::steady_clock::now();
  bool answered = false;
  while (!answered && std::chrono::steady_clock::now() < start + 10s) {
    c.send("A: b\r\n");
    pollfd p{c.fd(), POLLIN, 0};
    answered = ::poll(&p, 1, 10) == 1;
  }
  CAF_CHECK_GREATER_OR_EQUAL(std::chrono::steady_clock::now() - start, 90ms);
  CAF_CHECK_EQUAL(c.read().status, 408);
  CAF_CHECK(c.ended());
  CAF_CHECK_EQUAL(h.counters->timeouts_header.get(), 1u);
}

CAF_TEST(idle connections are closed) {
  harness h{with(&limits::idle_timeout, 100ms)};
  client fresh{h.port()};
  client used{h.port()};
  CAF_CHECK_EQUAL(used.ask(hello).status, 200);
  CAF_CHECK(fresh.ended());
  CAF_CHECK(used.ended());
  CAF_CHECK_EQUAL(h.counters->timeouts_idle.get(), 2u);
  CAF_CHECK(eventually([&] { return h.open() == 0; }));
}

CAF_TEST(an idle connection that is used stays) {
  harness h{with(&limits::idle_timeout, 600ms)};
  client c{h.port()};
  const auto start = std::chrono::steady_clock::now();
  while (std::chrono::steady_clock::now() < start + 1500ms) {
    CAF_REQUIRE_EQUAL(c.ask(hello).status, 200);
    ::poll(nullptr, 0, 10);
  }
  CAF_CHECK_EQUAL(h.counters->timeouts_idle.get(), 0u);
  // The timer has fired early meanwhile, and waits for the last deadline.
  CAF_CHECK(c.ended());
  CAF_CHECK_EQUAL(h.counters->timeouts_idle.get(), 1u);
}

CAF_TEST(bodies that do not come are refused) {
  harness h{with(&limits::request_timeout, 100ms)};
  client c{h.port()};
  c.send("POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nabc");
  CAF_CHECK_EQUAL(c.read().status, 408);
  CAF_CHECK(c.ended());
  CAF_CHECK_EQUAL(h.counters->timeouts_body.get(), 1u);
}

CAF_TEST(handlers that take too long are cancelled) {
  harness h{with(&limits::request_timeout, 100ms)};
  client c{h.port()};
  const auto r = c.ask("GET /gate HTTP/1.1\r\nHost: x\r\n\r\n");
  CAF_CHECK_EQUAL(r.status, 504);
  CAF_CHECK(r.body.find("handler_timeout") != std::string::npos);
  CAF_CHECK(c.ended());
  CAF_CHECK_EQUAL(h.door.waiting(), 0u);
  CAF_CHECK_EQUAL(h.counters->timeouts_handler.get(), 1u);
  CAF_CHECK_EQUAL(h.counters->handler_errors.get(), 0u);
  CAF_CHECK(eventually([&] { return h.open() == 0; }));
}

CAF_TEST(handlers that do not listen to that are left alone) {
  harness h{with(&limits::request_timeout, 100ms)};
  client c{h.port()};
  CAF_CHECK_EQUAL(c.ask("GET /deaf HTTP/1.1\r\nHost: x\r\n\r\n").status, 504);
  CAF_CHECK(c.ended());
  CAF_CHECK_EQUAL(h.deaf_door.waiting(), 1u);
  CAF_CHECK_EQUAL(h.open(), 1);
  h.deaf_door.open();
  CAF_CHECK(eventually([&] { return h.open() == 0; }));
}

CAF_TEST(clients that do not read are reset) {
  harness h{with(&limits::write_timeout, 100ms)};
  client c{h.port()};
  const int small = 4096;
  ::setsockopt(c.fd(), SOL_SOCKET, SO_RCVBUF, &small, sizeof small);
  c.send("GET /big HTTP/1.1\r\nHost: x\r\n\r\n");
  CAF_CHECK(eventually([&] { return h.counters->timeouts_write.get() == 1; }));
  CAF_CHECK(eventually([&] { return h.open() == 0; }));
  CAF_CHECK(!c.drops_to_clean_end());
}

CAF_TEST(a connection that was taken over sets its own time) {
  harness h;
  client c{h.port()};
  c.send("GET /raw?short HTTP/1.1\r\nHost: x\r\n\r\n");
  CAF_CHECK_EQUAL(c.take(10), "raw:short:"s);
  CAF_CHECK(c.ended());
  CAF_CHECK(eventually([&] { return h.open() == 0; }));
}

CAF_TEST(limits change while the server runs) {
  harness h;
  client before{h.port()};
  CAF_CHECK_EQUAL(before.ask(hello).status, 200);
  auto bounds = with(&limits::idle_timeout, 50ms);
  bounds.body_bytes = 2;
  h.set->set_limits(bounds);
  CAF_CHECK_EQUAL(before.ask("POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc").status, 413);
  client after_it{h.port()};
  CAF_CHECK(after_it.ended());
}
