#define CAF_SUITE transport_http_server

#include "transport/http_server.hpp"

#include <sys/resource.h>

#include <fcntl.h>

#include "transport/test_harness.hpp"

#include "tests/unit/caf_test.hpp"

using namespace cafmcp::transport;
using namespace cafmcp::transport::test;
using namespace std::literals;

namespace {

std::string get(std::string_view path) {
  return "GET " + std::string{path} + " HTTP/1.1\r\nHost: x\r\n\r\n";
}

int status_of(harness& h, std::string_view text) {
  client c{h.port()};
  return c.ask(text).status;
}

}  // namespace

CAF_TEST(many requests on one connection) {
  harness h;
  client c{h.port()};
  for (int i = 0; i < 50; ++i)
    CAF_REQUIRE_EQUAL(c.ask(hello).status, 200);
  CAF_CHECK_EQUAL(h.counters->accepted.get(), 1u);
  CAF_CHECK_EQUAL(h.counters->responses[2].get(), 50u);
  CAF_CHECK_EQUAL(h.counters->bytes_in.get(), 50 * hello.size());
  CAF_CHECK_EQUAL(h.open(), 1);
  c.close();
  CAF_CHECK(eventually([&] { return h.open() == 0; }));
}

CAF_TEST(pipelined requests are answered in order) {
  harness h;
  client c{h.port()};
  std::string all;
  for (int i = 0; i < 300; ++i)
    all += get("/tree/" + std::to_string(i)) + (i % 7 == 0 ? get("/later?" + std::to_string(i)) : "");
  c.send(all);
  for (int i = 0; i < 300; ++i) {
    CAF_REQUIRE_EQUAL(c.read().body, std::to_string(i));
    if (i % 7 == 0)
      CAF_REQUIRE(c.read().has("X-Query: " + std::to_string(i) + "\r\n"));
  }
}

CAF_TEST(a request may come byte by byte) {
  harness h;
  client c{h.port()};
  for (const char b : "\r\n\r\nPOST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc"s)
    c.send({&b, 1});
  CAF_CHECK_EQUAL(c.read().body, "abc"s);
  for (const char b :
       "POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n0\r\n\r\n"s)
    c.send({&b, 1});
  CAF_CHECK_EQUAL(c.read().body, "ab"s);
}

CAF_TEST(bodies of all sizes go through) {
  harness h;
  client c{h.port()};
  for (const std::size_t size : {0, 1, 100, 4096, 65536, 1000000, 4 * 1024 * 1024}) {
    std::string body(size, 'a');
    for (std::size_t i = 0; i < size; i += 97)
      body[i] = static_cast<char>('a' + i % 26);
    std::thread sender{[&] {
      c.send("POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: " + std::to_string(size) + "\r\n\r\n" + body);
    }};
    const auto r = c.read();
    sender.join();
    CAF_CHECK_EQUAL(r.status, 200);
    CAF_CHECK(r.body == body);
  }
}

CAF_TEST(a slow reader gets all of a big answer) {
  harness h;
  client c{h.port()};
  c.send(get("/big") + hello);
  CAF_CHECK(eventually([&] { return h.counters->bytes_out.get() > 10'000; }));
  const auto big = c.read().body;
  CAF_CHECK_EQUAL(big.size(), 4u * 1024 * 1024);
  std::size_t wrong = 0;
  for (std::size_t i = 0; i < big.size(); ++i)
    wrong += big[i] != big_byte(i);
  CAF_CHECK_EQUAL(wrong, 0u);
  CAF_CHECK_EQUAL(c.read().body, R"({"hello":1})"s);
}

CAF_TEST(every refusal has its status and ends the connection) {
  limits bounds;
  bounds.header_bytes = 4096;
  bounds.body_bytes = 1000;
  harness h{bounds};
  const auto long_line = std::string(5000, 'a');
  const std::pair<std::string, int> cases[] = {
      {"nonsense\r\n\r\n", 400},
      {"GET / HTTP/1.1\r\n\r\n", 400},
      {"\x16\x03\x01\x02", 400},
      {"GET /" + long_line, 414},
      {"GET / HTTP/1.1\r\nA: " + long_line, 431},
      {"POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 1001\r\n\r\n", 413},
      {"POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n3e9\r\n", 413},
      {"POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", 400},
      {"POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n1;" + long_line, 431},
      {"POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip\r\n\r\n", 501},
      {"POST /echo HTTP/1.1\r\nHost: x\r\nExpect: a-pony\r\n\r\n", 417},
      {"BREW / HTTP/1.1\r\nHost: x\r\n\r\n", 501},
      {"GET / HTTP/3.0\r\nHost: x\r\n\r\n", 505},
  };
  std::uint64_t n = 0;
  for (const auto& [text, status] : cases) {
    client c{h.port()};
    const auto r = c.ask(text);
    CAF_CHECK_EQUAL(r.status, status);
    CAF_CHECK(r.has("Connection: close\r\n"));
    CAF_CHECK(r.body.starts_with(R"({"error":{"code":")"));
    CAF_CHECK(c.ended());
    CAF_CHECK_EQUAL(h.counters->bad_requests.get(), ++n);
  }
  CAF_CHECK_EQUAL(status_of(h, hello), 200);
}

CAF_TEST(routes answer 404 and 405 and go on) {
  harness h;
  client c{h.port()};
  CAF_CHECK_EQUAL(c.ask(get("/nothing")).status, 404);
  const auto r = c.ask("DELETE /hello HTTP/1.1\r\nHost: x\r\n\r\n");
  CAF_CHECK_EQUAL(r.status, 405);
  CAF_CHECK(r.has("Allow: OPTIONS, GET, HEAD\r\n"));
  CAF_CHECK_EQUAL(c.ask("OPTIONS /hello HTTP/1.1\r\nHost: x\r\n\r\n").status, 204);
  CAF_CHECK_EQUAL(c.ask("OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n").status, 204);
  CAF_CHECK_EQUAL(c.ask("TRACE /any HTTP/1.1\r\nHost: x\r\n\r\n").status, 204);
  CAF_CHECK_EQUAL(c.ask(get("/tree/a/b?c")).body, "a/b"s);
  CAF_CHECK_EQUAL(c.ask(get("http://other:1/headers?q")).body, "other:1|/headers|q|Host=x"s);
}

CAF_TEST(a body for nobody is not read) {
  harness h;
  client c{h.port()};
  const auto r = c.ask("POST /nothing HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n");
  CAF_CHECK_EQUAL(r.status, 404);
  CAF_CHECK(r.has("Connection: close\r\n"));
  CAF_CHECK(c.ended());
}

CAF_TEST(a client that is refused while it sends can read why) {
  limits bounds;
  bounds.body_bytes = 1000;
  harness h{bounds};
  client c{h.port()};
  const std::string body(300'000, 'a');
  c.send("POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 300000\r\n\r\n" + body);
  CAF_CHECK_EQUAL(c.read().status, 413);
  CAF_CHECK(c.drops_to_clean_end());
}

CAF_TEST(HEAD is GET without the body) {
  harness h;
  client c{h.port()};
  c.send("HEAD /hello HTTP/1.1\r\nHost: x\r\n\r\n");
  const auto r = c.read(true);
  CAF_CHECK_EQUAL(r.status, 200);
  CAF_CHECK(r.has("Content-Length: 11\r\n"));
  CAF_CHECK_EQUAL(c.ask(hello).status, 200);
}

CAF_TEST(the client decides whether the connection stays) {
  harness h;
  client a{h.port()};
  CAF_CHECK(
      a.ask("GET /hello HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").has("Connection: close\r\n"));
  CAF_CHECK(a.ended());
  client b{h.port()};
  CAF_CHECK(b.ask("GET /hello HTTP/1.0\r\n\r\n").has("Connection: close\r\n"));
  CAF_CHECK(b.ended());
  client c{h.port()};
  CAF_CHECK(c.ask("GET /hello HTTP/1.0\r\nConnection: keep-alive\r\n\r\n").has("Connection: keep-alive\r\n"));
  CAF_CHECK_EQUAL(c.ask(hello).status, 200);
  CAF_CHECK(c.ask(get("/close")).has("Connection: close\r\n"));
  CAF_CHECK(c.ended());
}

CAF_TEST(a client that waits for 100 gets it) {
  harness h;
  client c{h.port()};
  c.send("POST /echo HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\n");
  CAF_CHECK_EQUAL(c.take(25), "HTTP/1.1 100 Continue\r\n\r\n"s);
  CAF_CHECK_EQUAL(c.ask("abc").body, "abc"s);
  // Not if some of the body is there already, and not if it is not wanted.
  c.send("POST /echo HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\na");
  CAF_CHECK_EQUAL(c.ask("bc").status, 200);
  CAF_CHECK_EQUAL(
      c.ask("POST /echo HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\nabc").status,
      200);
  CAF_CHECK_EQUAL(
      c.ask("POST /no HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\n").status, 404);
}

CAF_TEST(a client that closes its side after the request is answered) {
  harness h;
  client c{h.port()};
  c.send(get("/later"));
  c.half_close();
  CAF_CHECK_EQUAL(c.read().status, 200);
  CAF_CHECK(c.ended());
}

CAF_TEST(handlers that throw cost one answer) {
  harness h;
  client c{h.port()};
  for (const auto* path : {"/throw", "/later-throw"}) {
    const auto r = c.ask(get(path));
    CAF_CHECK_EQUAL(r.status, 500);
    CAF_CHECK(r.body.starts_with(R"({"error":{"code":"internal")"));
  }
  CAF_CHECK_EQUAL(c.ask(hello).status, 200);
  CAF_CHECK_EQUAL(h.counters->handler_errors.get(), 2u);
  CAF_CHECK_EQUAL(h.events.load(), 2);
}

CAF_TEST(a handler takes the connection over) {
  harness h;
  client c{h.port()};
  c.send(get("/raw?first") + "left");
  CAF_CHECK_EQUAL(c.take(14), "raw:first:left"s);
  CAF_CHECK_EQUAL(h.counters->streams.get(), 1);
  c.send("more");
  CAF_CHECK_EQUAL(c.take(4), "more"s);
  c.send("back");
  CAF_CHECK_EQUAL(c.ask(hello).status, 200);
  CAF_CHECK_EQUAL(h.counters->streams.get(), 0);
  c.send(get("/raw?release"));
  CAF_CHECK_EQUAL(c.take(12), "raw:release:"s);
  c.send("quit");
  CAF_CHECK(c.ended());
  CAF_CHECK(eventually([&] { return h.open() == 0; }));
}

CAF_TEST(the accepting part may die and come back) {
  harness h;
  client before{h.port()};
  CAF_CHECK_EQUAL(before.ask(hello).status, 200);
  h.server.reset();
  // Waits in the backlog, as nobody accepts: the connection of the old server still answers.
  client between{h.port()};
  between.send(hello);
  CAF_CHECK_EQUAL(before.ask(hello).status, 200);
  CAF_CHECK_EQUAL(h.counters->accepted.get(), 1u);
  h.server = h.make_server();
  CAF_REQUIRE(h.server->start().has_value());
  CAF_CHECK_EQUAL(between.read().status, 200);
  CAF_CHECK_EQUAL(before.ask(hello).status, 200);
  CAF_CHECK_EQUAL(h.open(), 2);
}

CAF_TEST(out of descriptors the loop sheds and recovers) {
  harness h;
  client a;
  client b;
  rlimit old{};
  ::getrlimit(RLIMIT_NOFILE, &old);
  // No descriptor is free from here on: the holes below the limit are filled.
  std::vector<cafmcp::net::unique_fd> fillers;
  rlimit low{static_cast<rlim_t>(b.fd()) + 20, old.rlim_max};
  ::setrlimit(RLIMIT_NOFILE, &low);
  for (cafmcp::net::unique_fd fd{::open("/dev/null", O_RDONLY | O_CLOEXEC)}; fd;
       fd = cafmcp::net::unique_fd{::open("/dev/null", O_RDONLY | O_CLOEXEC)})
    fillers.push_back(std::move(fd));
  CAF_CHECK(a.connect(h.port()));
  CAF_CHECK_EQUAL(a.read().status, 503);
  CAF_CHECK(a.ended());
  CAF_CHECK_GREATER_OR_EQUAL(h.counters->accept_errors.get(), 1u);
  CAF_CHECK(eventually([&] { return h.counters->accept_backoffs.get() >= 1; }));
  CAF_CHECK_EQUAL(h.counters->refused_descriptors.get(), 1u);
  fillers.clear();
  ::setrlimit(RLIMIT_NOFILE, &old);
  CAF_CHECK(b.connect(h.port()));
  CAF_CHECK_EQUAL(b.ask(hello).status, 200);
}
