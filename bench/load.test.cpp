#define CAF_SUITE load

#include <thread>

#include "bench/echo_server.hpp"
#include "bench/report.hpp"
#include "bench/run_load.hpp"
#include "tests/unit/caf_test.hpp"

using namespace cafmcp;
using namespace cafmcp::bench;
using namespace std::chrono_literals;

namespace {

// The bare server on a free port, for one test.
struct running_server {
  explicit running_server(answering how) : server(2, how) {
    CAF_REQUIRE(server.listen({asio::ip::address_v4::loopback(), 0}).has_value());
    thread = std::jthread{[this] { server.run(); }};
  }
  ~running_server() { server.stop(); }

  plan plan_for(const std::string& scheme, const std::string& path) const {
    plan p;
    p.where = url{scheme, "127.0.0.1", server.address().port(), path};
    p.what = scheme == "ws" ? mode::ws_echo : mode::http_post;
    p.connections = 8;
    p.threads = 2;
    p.warmup = 0ms;
    p.duration = 200ms;
    return p;
  }

  echo_server server;
  std::jthread thread;
};

stats run(plan p) {
  CAF_REQUIRE(complete(p).has_value());
  auto out = run_load(p);
  CAF_REQUIRE(out.has_value());
  return *out;
}

std::uint64_t failures(const stats& s, failure kind) {
  return s.failures[static_cast<std::size_t>(kind)];
}

}  // namespace

CAF_TEST(http requests are answered and counted) {
  const running_server s{answering::text};
  const plan p = s.plan_for("http", "/mcp");
  const stats counted = run(p);
  CAF_CHECK(counted.requests() > 0);
  CAF_CHECK_EQUAL(counted.failed(), 0u);
  CAF_CHECK_EQUAL(counted.connects, 8u);
  CAF_CHECK_EQUAL(counted.reconnects, 0u);
  CAF_CHECK(counted.bytes_sent > counted.requests() * p.body.size());
  const auto report = to_json(p, counted, 0.5);
  CAF_CHECK_EQUAL(report["requests"].get<std::uint64_t>(), counted.requests());
  CAF_CHECK(report["latency_us"]["p99"].get<double>() >= report["latency_us"]["p50"].get<double>());
  CAF_CHECK(to_table(report).find("p99.9") != std::string::npos);
}

CAF_TEST(another status is an error with its number) {
  const running_server s{answering::text};
  const stats counted = run(s.plan_for("http", "/nowhere"));
  CAF_CHECK_EQUAL(counted.requests(), 0u);
  CAF_CHECK(counted.failed() > 0);
  CAF_CHECK(counted.statuses.size() == 1 && counted.statuses.begin()->first == 404);
  CAF_CHECK(counted.first_failure.find("HTTP 404") != std::string::npos);
}

CAF_TEST(a connection that the server closes is opened again) {
  const running_server s{answering::text};
  plan p = s.plan_for("http", "/mcp");
  p.headers = {{"Connection", "close"}};
  const stats counted = run(p);
  CAF_CHECK(counted.requests() > 0);
  CAF_CHECK_EQUAL(counted.failed(), 0u);
  CAF_CHECK(counted.reconnects > 0);
}

CAF_TEST(websocket echoes are compared) {
  const running_server raw{answering::raw};
  const stats equal = run(raw.plan_for("ws", "/mcp"));
  CAF_CHECK(equal.requests() > 0);
  CAF_CHECK_EQUAL(equal.failed(), 0u);
  const running_server text{answering::text};
  const stats different = run(text.plan_for("ws", "/mcp"));
  CAF_CHECK_EQUAL(different.requests(), 0u);
  CAF_CHECK(failures(different, failure::mismatch) > 0);
}

CAF_TEST(large messages in flight do not lock up) {
  const running_server s{answering::raw};
  plan p = s.plan_for("ws", "/");
  p.body.assign(std::size_t{2} << 20, 'x');
  p.connections = 1;
  p.pipeline = 8;
  p.duration = 2s;
  const stats counted = run(p);
  CAF_CHECK(counted.requests() > 0);  // none at all if both sides waited for each other
  CAF_CHECK_EQUAL(counted.failed(), 0u);
}

CAF_TEST(a server that is not there is an error at once) {
  plan p;
  {
    const running_server s{answering::text};
    p = s.plan_for("http", "/mcp");
  }
  CAF_REQUIRE(complete(p).has_value());
  const auto out = run_load(p);
  CAF_CHECK(out.has_error() && out.error().code == errc::unavailable);
}
