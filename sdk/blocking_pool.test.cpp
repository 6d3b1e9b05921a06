#define CAF_SUITE blocking_pool

#include "sdk/blocking_pool.hpp"

#include <future>

#include "sdk/fake_session.hpp"
#include "sdk/server.hpp"
#include "tests/unit/caf_test.hpp"

using namespace cafmcp;
using namespace cafmcp::sdk;

namespace {

// Jobs that wait until they are let go.
struct fixture {
  ~fixture() { gate.set_value(); }
  std::function<void()> job() {
    return [this, open = opened] {
      ++started;
      open.wait();
      ++ended;
    };
  }
  bool submit() { return pool->submit(pool->next_ticket(), job()); }
  bool eventually(const std::function<bool()>& condition) const {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds{20};
    while (!condition()) {
      if (std::chrono::steady_clock::now() > deadline)
        return false;
      std::this_thread::yield();
    }
    return true;
  }
  actors::server& up(server& s) {
    auto attached = s.attach(pool);
    CAF_REQUIRE(attached);
    return *(running = *attached);
  }

  std::atomic<int> started{0};
  std::atomic<int> ended{0};
  std::promise<void> gate;
  std::shared_future<void> opened = gate.get_future().share();
  std::shared_ptr<blocking_pool> pool = std::make_shared<blocking_pool>(
      blocking_pool::limits{.threads = 2, .max_waiting = 2, .patience = std::chrono::milliseconds{20'000}});
  std::shared_ptr<actors::server> running;
  std::shared_ptr<fake_session> session = std::make_shared<fake_session>();
};

const mcp::json any = {{"type", "object"}};

}  // namespace

CAF_TEST_FIXTURE_SCOPE(blocking_pool_tests, fixture)

CAF_TEST(what runs and what waits is bounded) {
  for (int i = 0; i < 4; ++i)
    CAF_CHECK(submit());
  CAF_CHECK(eventually([&] { return started == 2; }));
  CAF_CHECK_EQUAL(pool->running(), 2u);
  CAF_CHECK_EQUAL(pool->waiting(), 2u);
  CAF_CHECK(!submit());
  CAF_CHECK_EQUAL(pool->refused(), 1u);
  gate.set_value();
  CAF_CHECK(eventually([&] { return ended == 4 && pool->running() == 0; }));
  CAF_CHECK_EQUAL(pool->waiting(), 0u);
  gate = {};
}

CAF_TEST(what waits can be taken back and stop drops it) {
  submit();
  submit();
  CAF_CHECK(eventually([&] { return started == 2; }));
  auto held = std::make_shared<int>(1);
  const auto one = pool->next_ticket();
  const auto two = pool->next_ticket();
  pool->submit(one, [held] {});
  pool->submit(two, [held] {});
  CAF_CHECK(pool->drop(one));
  CAF_CHECK(!pool->drop(one));
  CAF_CHECK_EQUAL(held.use_count(), 2);
  CAF_CHECK_EQUAL(pool->waiting(), 1u);
  pool->stop();
  CAF_CHECK_EQUAL(held.use_count(), 1);
  CAF_CHECK(!submit());
}

CAF_TEST(a pool does not wait for ever for a handler that hangs) {
  pool = std::make_shared<blocking_pool>(
      blocking_pool::limits{.threads = 1, .max_waiting = 1, .patience = std::chrono::milliseconds{1}});
  submit();
  CAF_CHECK(eventually([&] { return started == 1; }));
  pool.reset();
  CAF_CHECK_EQUAL(ended, 0);
  gate.set_value();
  CAF_CHECK(eventually([&] { return ended == 1; }));
  gate = {};
}

CAF_TEST(calls beyond the bound are refused at once) {
  server s{"slow"};
  s.tool("hang", "", any, blocking([run = job()] {
           run();
           return "done";
         }));
  auto& running_server = up(s);
  std::vector<actors::request_ptr> calls;
  for (int i = 0; i < 4; ++i)
    calls.push_back(session->start_tool(running_server, "hang", json::object()));
  CAF_CHECK(eventually([&] { return started == 2; }));
  const auto refused = session->tool(running_server, "hang");
  CAF_CHECK(refused.message().find("busy") != std::string::npos);
  CAF_CHECK_EQUAL(refused.at("/error/data/retryable"), true);
  CAF_CHECK(!refused.failed);
  gate.set_value();
  for (const auto& c : calls)
    CAF_CHECK_EQUAL(session->wait(c).text(), "done");
  gate = {};
}

CAF_TEST(a call that is cancelled while it waits is not run) {
  server s{"slow"};
  std::atomic<int> cancelled_inside{0};
  s.tool("hang", "", any, blocking([&, run = job()](call& c) {
           c.on_cancel([&] { ++cancelled_inside; });
           run();
           return c.cancelled() ? "cancelled" : "done";
         }));
  auto& running_server = up(s);
  const auto first = session->start_tool(running_server, "hang", json::object());
  const auto second = session->start_tool(running_server, "hang", json::object());
  CAF_CHECK(eventually([&] { return started == 2; }));
  const auto third = session->start_tool(running_server, "hang", json::object());
  third->cancel();
  CAF_CHECK_EQUAL(pool->waiting(), 0u);
  const auto out = session->wait(third);
  CAF_CHECK(out.message().find("cancelled") != std::string::npos);
  CAF_CHECK(!out.failed);
  first->cancel();
  CAF_CHECK_EQUAL(cancelled_inside, 1);
  gate.set_value();
  CAF_CHECK_EQUAL(session->wait(first).text(), "cancelled");
  CAF_CHECK_EQUAL(session->wait(second).text(), "done");
  CAF_CHECK_EQUAL(started, 2);
  gate = {};
}

CAF_TEST_FIXTURE_SCOPE_END()
