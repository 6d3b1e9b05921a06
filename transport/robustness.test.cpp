#define CAF_SUITE transport_robustness

#include <random>

#include "transport/test_harness.hpp"

#include "tests/unit/caf_test.hpp"

using namespace cafmcp::transport;
using namespace cafmcp::transport::test;
using namespace std::literals;

namespace {

const std::string valid[] = {
    hello,
    "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Type: text/plain\r\nContent-Length: 5\r\n\r\nabcde",
    "POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n3;a=b\r\nabc\r\n0\r\nT: u\r\n\r\n",
    "GET /later?a=b HTTP/1.1\r\nHost: x\r\nConnection: keep-alive\r\nAccept: */*\r\n\r\n" + hello,
    "OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n",
    "GET http://a:1/headers HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\n\r\n",
};

// Changes a few bytes, leaves some out, doubles some.
std::string mutate(std::string text, std::mt19937& random) {
  const std::string interesting = "\r\n\0 :;,\t/0x9\xff"s;
  for (auto rounds = 1 + random() % 4; rounds > 0 && !text.empty(); --rounds) {
    const auto at = random() % text.size();
    switch (random() % 5) {
      case 0:
        text[at] = static_cast<char>(random());
        break;
      case 1:
        text[at] = interesting[random() % interesting.size()];
        break;
      case 2:
        text.erase(at, 1 + random() % 8);
        break;
      case 3:
        text.insert(at, text.substr(at, 1 + random() % 40));
        break;
      default:
        text.resize(at);
        break;
    }
  }
  return text;
}

}  // namespace

CAF_TEST(mutated requests leave the server answering) {
  limits bounds;
  bounds.connections = 64;
  harness h{bounds};
  std::mt19937 random{20260728};
  for (int i = 0; i < 4000; ++i) {
    client c{h.port()};
    c.send(mutate(valid[random() % std::size(valid)], random));
    // Without a half-close the server would rightly wait for more.
    c.half_close();
    while (c.fill()) {
    }
  }
  client c{h.port()};
  CAF_CHECK_EQUAL(c.ask(hello).status, 200);
  CAF_CHECK(eventually([&] { return h.open() == 1; }));
  CAF_CHECK_GREATER(h.counters->bad_requests.get(), 500u);
  CAF_CHECK_GREATER(h.counters->responses[2].get(), 300u);
  CAF_CHECK_EQUAL(h.counters->handler_errors.get(), 0u);
}

CAF_TEST(half a request and then nothing) {
  harness h;
  for (const auto& text : valid)
    for (std::size_t size = 0; size < text.size(); size += 3) {
      client c{h.port()};
      c.send(std::string_view{text}.substr(0, size));
    }
  CAF_CHECK(eventually([&] { return h.open() == 0; }));
  client c{h.port()};
  CAF_CHECK_EQUAL(c.ask(hello).status, 200);
}

CAF_TEST(garbage is answered or cut off and nothing else) {
  harness h;
  std::mt19937 random{1};
  for (int i = 0; i < 300; ++i) {
    std::string noise(1 + random() % 3000, 0);
    for (auto& c : noise)
      c = static_cast<char>(random());
    client c{h.port()};
    c.send(noise);
    c.half_close();
    while (c.fill()) {
    }
  }
  client c{h.port()};
  CAF_CHECK_EQUAL(c.ask(hello).status, 200);
}

CAF_TEST(headers of 10 MB are not read) {
  harness h;
  client c{h.port()};
  c.send("GET /hello HTTP/1.1\r\nHost: x\r\nA: ");
  const std::string part(64 * 1024, 'a');
  std::size_t sent = 0;
  while (sent < 10 * 1024 * 1024 && c.send(part) == part.size())
    sent += part.size();
  CAF_CHECK(eventually([&] { return h.open() == 0; }));
  CAF_CHECK_EQUAL(h.counters->bad_requests.get(), 1u);
  CAF_CHECK_EQUAL(h.counters->responses[4].get(), 1u);
  CAF_CHECK_LESS(h.counters->bytes_in.get(), 64u * 1024);
}

CAF_TEST(a body that is announced but not sent costs nothing) {
  limits bounds;
  bounds.body_bytes = std::size_t{1} << 40;
  harness h{bounds};
  client c{h.port()};
  c.send("POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000000000\r\n\r\nabc");
  client d{h.port()};
  d.send("POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nf000000000\r\nabc");
  client e{h.port()};
  CAF_CHECK_EQUAL(e.ask(hello).status, 200);
}
