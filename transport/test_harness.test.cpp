// The server that the tests of this folder talk to.
#define CAF_SUITE transport_harness

#include "transport/test_harness.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <stdexcept>
#include <utility>

#include "tests/unit/caf_test.hpp"

namespace cafmcp::transport::test {

using namespace std::literals;

struct gate::place {
  explicit place(const asio::any_io_executor& ex) : timer(ex, asio::steady_timer::time_point::max()) {}
  asio::steady_timer timer;
  bool opened = false;
};

asio::awaitable<void> gate::pass() {
  const auto ex = co_await asio::this_coro::executor;
  const auto here = std::make_shared<place>(ex);
  {
    const std::lock_guard lock{mutex_};
    places_.push_back(here);
  }
  waiting_.fetch_add(1);
  if (deaf_)
    co_await here->timer.async_wait(
        asio::bind_cancellation_slot(asio::cancellation_slot{}, asio::as_tuple(asio::use_awaitable)));
  else
    co_await here->timer.async_wait(asio::as_tuple(asio::use_awaitable));
  waiting_.fetch_sub(1);
  if (!here->opened)
    throw std::runtime_error("cancelled");
}

void gate::open() {
  const std::lock_guard lock{mutex_};
  for (auto& weak : std::exchange(places_, {}))
    if (const auto p = weak.lock())
      asio::post(p->timer.get_executor(), [p] {
        p->opened = true;
        p->timer.cancel();
      });
}

namespace {

// Greets, echoes what comes until "quit" ("back" returns to HTTP), and says good-bye in a drain.
asio::awaitable<after> raw_echo(stream& s, harness& h) {
  std::string text = "raw:" + std::string{s.head().query} + ":" + s.take_leftover();
  if (s.head().query == "release")
    s.release();
  if (s.socket().is_open() && text.starts_with("raw:short"))
    s.close_after(50ms);
  s.on_drain([&s, &h] {
    h.told_to_drain.fetch_add(1);
    boost::system::error_code ec;
    s.socket().shutdown(tcp_socket::shutdown_receive, ec);
  });
  for (;;) {
    co_await asio::async_write(s.socket(), asio::buffer(text), asio::use_awaitable);
    text.resize(1024);
    const auto n = co_await s.socket().async_read_some(asio::buffer(text), asio::use_awaitable);
    text.resize(n);
    if (text == "quit")
      co_return after::close;
    if (text == "back")
      co_return after::keep_alive;
  }
}

void add_slow_routes(router& r, harness& h) {
  r.get("/later", [](request& req, response& res) -> asio::awaitable<void> {
    co_await asio::post(co_await asio::this_coro::executor, asio::use_awaitable);
    res.json(200, R"({"later":true})");
    res.header("X-Query", req.query);
  });
  r.get("/later-throw", [](request&, response&) -> asio::awaitable<void> {
    co_await asio::post(co_await asio::this_coro::executor, asio::use_awaitable);
    throw std::runtime_error("later");
  });
  r.get("/gate", [&h](request&, response& res) -> asio::awaitable<void> {
    co_await h.door.pass();
    res.json(200, R"({"passed":true})");
  });
  r.get("/deaf", [&h](request&, response& res) -> asio::awaitable<void> {
    co_await h.deaf_door.pass();
    res.json(200, R"({"passed":true})");
  });
  r.get("/raw", [&h](request&, response& res) { res.take_over([&h](stream& s) { return raw_echo(s, h); }); });
}

std::shared_ptr<const router> make_routes(harness& h) {
  auto r = std::make_shared<router>();
  r->get("/hello", [](request&, response& res) { res.json(200, R"({"hello":1})"); });
  r->post("/echo", [](request& req, response& res) {
    res.content_type = req[http::field::content_type];
    res.body = req.body;
  });
  r->get("/big", [](request&, response& res) {
    res.body.resize(4 * 1024 * 1024);
    for (std::size_t i = 0; i < res.body.size(); ++i)
      res.body[i] = big_byte(i);
  });
  r->get("/throw", [](request&, response&) { throw std::runtime_error("now"); });
  r->get("/close", [](request&, response& res) { res.close = true; });
  r->get("/headers", [](request& req, response& res) {
    res.body = std::string{req.host} + "|" + std::string{req.path} + "|" + std::string{req.query};
    for (const auto& f : req.headers())
      res.body += "|" + std::string{f.name} + "=" + std::string{f.value};
  });
  r->add(router::any, "/any", [](request&, response& res) { res.status = 204; });
  r->add_prefix(http::verb::get, "/tree/", [](request& req, response& res) { res.body = req.tail; });
  add_slow_routes(*r, h);
  return r;
}

}  // namespace

harness::harness(const limits& bounds, std::size_t threads) {
  auto opened = net::listen("127.0.0.1", 0);
  socket.emplace(std::move(opened.value()));
  pool = std::make_unique<otp::io_pool>(threads);
  set = connection_set::make(*pool, make_routes(*this), bounds, counters,
                             [this](const event&) { events.fetch_add(1); });
  server = make_server();
  if (!server->start())
    std::abort();
}

harness::~harness() {
  server.reset();
  if (pool)
    pool->stop();
}

}  // namespace cafmcp::transport::test

using namespace cafmcp::transport::test;
using namespace std::literals;

CAF_TEST(the harness serves one request) {
  harness h;
  client c{h.port()};
  const auto r = c.ask(hello);
  CAF_CHECK_EQUAL(r.status, 200);
  CAF_CHECK_EQUAL(r.body, R"({"hello":1})"s);
  CAF_CHECK(r.has("Content-Type: application/json\r\n"));
  CAF_CHECK(r.has("\r\nDate: "));
}
