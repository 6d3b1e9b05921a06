#define CAF_SUITE timer_thread

#include "sdk/timer_thread.hpp"

#include <future>
#include <stdexcept>

#include "tests/unit/caf_test.hpp"

using namespace cafmcp::sdk;
using namespace std::chrono_literals;

CAF_TEST(functions run in the order of their times) {
  timer_thread timers;
  std::string order;
  std::promise<void> done;
  timers.after(40ms, [&] {
    order += 'c';
    done.set_value();
  });
  timers.after(20ms, [&] {
    order += 'b';
    throw std::runtime_error("logged, and that is all");
  });
  timers.after(0ms, [&] { order += 'a'; });
  CAF_REQUIRE(done.get_future().wait_for(20s) == std::future_status::ready);
  CAF_CHECK_EQUAL(order, "abc");
}

CAF_TEST(what is cancelled or left is destroyed and not run) {
  auto held = std::make_shared<int>(0);
  auto timers = std::make_shared<timer_thread>();
  const auto t = timers->after(1h, [held] { ++*held; });
  timers->after(1h, [held] { ++*held; });
  CAF_REQUIRE(t);
  timers->cancel(*t);
  std::promise<void> done;
  timers->after(0ms, [&] { done.set_value(); });
  CAF_REQUIRE(done.get_future().wait_for(20s) == std::future_status::ready);
  CAF_CHECK_EQUAL(held.use_count(), 2);
  timers.reset();
  CAF_CHECK_EQUAL(held.use_count(), 1);
  CAF_CHECK_EQUAL(*held, 0);
}

CAF_TEST(what waits is bounded) {
  timer_thread timers;
  for (std::size_t i = 0; i < timer_thread::max_waiting; ++i)
    CAF_REQUIRE(timers.after(1h, [] {}));
  CAF_CHECK(!timers.after(1h, [] {}));
}

CAF_TEST(the last owner may be a function of its own) {
  auto timers = std::make_shared<timer_thread>();
  std::weak_ptr<timer_thread> watched = timers;
  std::promise<void> done;
  auto* borrowed = timers.get();
  borrowed->after(0ms, [timers = std::move(timers), &done]() mutable {
    timers.reset();
    done.set_value();
  });
  CAF_REQUIRE(done.get_future().wait_for(20s) == std::future_status::ready);
  CAF_CHECK(watched.expired());
}
