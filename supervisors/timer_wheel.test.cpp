#define CAF_SUITE timer_wheel

#include "supervisors/timer_wheel.hpp"

#include <map>
#include <memory>
#include <random>
#include <vector>

#include "tests/unit/caf_test.hpp"

using cafmcp::otp::timer_entry;
using cafmcp::otp::timer_wheel;
using namespace std::chrono_literals;

namespace {

struct probe final : timer_entry {
  explicit probe(std::function<void()> f = {}) : action(std::move(f)) {}
  void on_timer() override {
    ++fired;
    if (action)
      action();
  }
  int fired = 0;
  std::function<void()> action;
};

const timer_wheel::time_point t0{1h};

}  // namespace

CAF_TEST(an entry fires at its time and not before) {
  timer_wheel wheel{t0};
  probe a;
  wheel.schedule(a, t0 + 10ms);
  CAF_CHECK_EQUAL(wheel.advance(t0 + 9ms), 0u);
  CAF_CHECK(a.armed());
  CAF_CHECK_EQUAL(wheel.advance(t0 + 10ms), 1u);
  CAF_CHECK(!a.armed());
  CAF_CHECK_EQUAL(a.fired, 1);
  CAF_CHECK_EQUAL(wheel.size(), 0u);
  CAF_CHECK(!wheel.next());
}

CAF_TEST(fractions of a tick are rounded up) {
  timer_wheel wheel{t0};
  probe a;
  wheel.schedule(a, t0 + 1500us);
  wheel.advance(t0 + 1999us);
  CAF_CHECK_EQUAL(a.fired, 0);
  wheel.advance(t0 + 2ms);
  CAF_CHECK_EQUAL(a.fired, 1);
}

CAF_TEST(a time in the past fires at the next tick) {
  timer_wheel wheel{t0};
  wheel.advance(t0 + 1s);
  probe a;
  wheel.schedule(a, t0);
  CAF_CHECK_EQUAL(wheel.advance(t0 + 1s), 0u);
  CAF_CHECK_EQUAL(wheel.advance(t0 + 1s + 1ms), 1u);
}

CAF_TEST(cancelled and destroyed entries do not fire) {
  timer_wheel wheel{t0};
  probe a;
  wheel.schedule(a, t0 + 5ms);
  a.cancel();
  {
    probe b;
    wheel.schedule(b, t0 + 5ms);
    CAF_CHECK_EQUAL(wheel.size(), 1u);
  }
  CAF_CHECK_EQUAL(wheel.size(), 0u);
  CAF_CHECK(!wheel.next());
  CAF_CHECK_EQUAL(wheel.advance(t0 + 1h), 0u);
}

CAF_TEST(an entry may cancel another of the same tick and arm itself again) {
  timer_wheel wheel{t0};
  probe victim;
  probe killer{[&] { victim.cancel(); }};
  probe periodic;
  periodic.action = [&] {
    if (periodic.fired < 3)
      wheel.schedule(periodic, t0 + 7ms * (periodic.fired + 1));
  };
  wheel.schedule(killer, t0 + 7ms);
  wheel.schedule(victim, t0 + 7ms);
  wheel.schedule(periodic, t0 + 7ms);
  wheel.advance(t0 + 1s);
  CAF_CHECK_EQUAL(victim.fired, 0);
  CAF_CHECK_EQUAL(periodic.fired, 3);
}

CAF_TEST(far times survive the horizon) {
  timer_wheel wheel{t0};
  probe a;
  const auto far = t0 + 24h * 4000;  // the six levels span about 795 days
  wheel.schedule(a, far);
  auto now = t0;
  for (int i = 0; i < 100000 && a.fired == 0; ++i) {
    const auto next = wheel.next();
    CAF_REQUIRE(next.has_value());
    now = std::max(now + 1ms, *next);
    wheel.advance(now);
  }
  CAF_CHECK_EQUAL(a.fired, 1);
  CAF_CHECK(now >= far);
  CAF_CHECK(now <= far + 1ms);
}

CAF_TEST(a wheel behaves like a sorted map) {
  std::mt19937_64 random{42};
  timer_wheel wheel{t0};
  std::vector<std::unique_ptr<probe>> probes;
  std::map<probe*, timer_wheel::time_point> model;
  auto now = t0;
  for (int i = 0; i < 200; ++i)
    probes.push_back(std::make_unique<probe>());
  for (int round = 0; round < 20000; ++round) {
    auto* p = probes[random() % probes.size()].get();
    switch (random() % 3) {
      case 0: {
        const auto when = now + std::chrono::milliseconds{1 + random() % (1ull << (random() % 30))};
        wheel.schedule(*p, when);
        model[p] = when;
        break;
      }
      case 1:
        p->cancel();
        model.erase(p);
        break;
      default: {
        now += std::chrono::milliseconds{random() % (1ull << (random() % 20))};
        std::size_t expected = 0;
        for (auto i = model.begin(); i != model.end();) {
          if (i->second <= now) {
            ++expected;
            i = model.erase(i);
          } else {
            ++i;
          }
        }
        CAF_REQUIRE_EQUAL(wheel.advance(now), expected);
      }
    }
    CAF_REQUIRE_EQUAL(wheel.size(), model.size());
    if (const auto next = wheel.next())
      for (const auto& [entry, when] : model)
        CAF_REQUIRE(*next <= when);
  }
}
