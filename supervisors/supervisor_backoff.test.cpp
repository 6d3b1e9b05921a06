#define CAF_SUITE supervisor_backoff

#include "supervisors/supervisor.hpp"
#include "tests/unit/caf_test.hpp"

#include "supervisors/test_script.hpp"
#include "supervisors/test_supervisor.hpp"

using namespace cafmcp::otp;
using namespace cafmcp::otp::testing;

namespace {

struct backoff_fixture : script_fixture {
  /// Runs on until something is logged, and says how long that took; 0 if an hour is not enough.
  std::chrono::milliseconds next_attempt() {
    log.clear();
    for (auto waited = 100ms; waited <= 1h; waited += 100ms) {
      pass(100ms);
      if (!log.empty())
        return waited;
    }
    return 0ms;
  }
  /// The next waits, in tenths of a second.
  std::vector<int> waits(int count) {
    std::vector<int> out;
    while (count-- > 0)
      out.push_back(static_cast<int>(next_attempt().count() / 100));
    return out;
  }
};

}  // namespace

CAF_TEST_FIXTURE_SCOPE(supervisor_backoff_tests, backoff_fixture)

CAF_TEST(without a back - off restarts are made at once) {
  CAF_CHECK_EQUAL(supervisor_flags{}.backoff.initial.count(), 0);
  start({strategy::one_for_one, 5}, {flaky("a")});
  failing("a", 3);
  crash("a");
  CAF_CHECK_EQUAL(log, list({"+a", "-a", "!a", "!a", "!a", "+a"}));
}

CAF_TEST(failed attempts wait twice as long each time up to the limit) {
  start(backing_off(), {flaky("a")});
  failing("a", 6);
  crash("a");
  CAF_CHECK_EQUAL(log, list({"+a", "-a"}));
  CAF_CHECK_EQUAL(waits(7), (std::vector<int>{10, 20, 40, 80, 80, 80, 80}));
  CAF_CHECK_EQUAL(children(), list({"a running"}));
  CAF_CHECK_EQUAL(log, list({"+a"}));
}

CAF_TEST(not a millisecond too early) {
  start(backing_off(), {flaky("a")});
  crash("a");
  log.clear();
  pass(999ms);
  CAF_CHECK_EQUAL(log, events{});
  CAF_CHECK_EQUAL(children(), list({"a restarting"}));
  pass(1ms);
  CAF_CHECK_EQUAL(log, list({"+a"}));
}

CAF_TEST(deaths soon after a start wait longer as failed attempts do) {
  start(backing_off(), {plain("a")});
  std::vector<int> all;
  for (int i = 0; i < 5; ++i) {
    crash("a");
    all.push_back(waits(1).front());
  }
  CAF_CHECK_EQUAL(all, (std::vector<int>{10, 20, 40, 80, 80}));
}

CAF_TEST(the factor is that of the flags) {
  auto flags = backing_off();
  flags.backoff = {200ms, 10s, 1.5, 60s};
  start(flags, {flaky("a")});
  failing("a", 2);
  crash("a");
  log.clear();
  pass(200ms);
  CAF_CHECK_EQUAL(log, list({"!a"}));
  pass(299ms);
  CAF_CHECK_EQUAL(log, list({"!a"}));
  pass(1ms);
  CAF_CHECK_EQUAL(log, list({"!a", "!a"}));
  pass(449ms);
  CAF_CHECK_EQUAL(log, list({"!a", "!a"}));
  pass(1ms);
  CAF_CHECK_EQUAL(log, list({"!a", "!a", "+a"}));
}

CAF_TEST(a child that has run long enough begins anew) {
  start(backing_off(), {plain("a")});
  crash("a");
  CAF_CHECK_EQUAL(waits(1), std::vector<int>{10});
  pass(59'999ms);
  crash("a");
  CAF_CHECK_EQUAL(waits(1), std::vector<int>{20});
  pass(60'000ms);
  crash("a");
  CAF_CHECK_EQUAL(waits(1), std::vector<int>{10});
}

CAF_TEST(time spent waiting is not time spent running) {
  auto flags = backing_off();
  flags.backoff.reset_after = 3s;
  start(flags, {flaky("a")});
  failing("a", 4);
  crash("a");
  CAF_CHECK_EQUAL(waits(5), (std::vector<int>{10, 20, 40, 80, 80}));
}

CAF_TEST(children wait each for itself) {
  start(backing_off(), {flaky("a"), flaky("b")});
  failing("a", 1);
  crash("a");
  pass(1s);
  crash("b");
  log.clear();
  pass(1s);
  CAF_CHECK_EQUAL(log, list({"+b"}));
  pass(1s);
  CAF_CHECK_EQUAL(log, list({"+b", "+a"}));
}

CAF_TEST(a child that waits counts as restarting and others are served meanwhile) {
  start(backing_off(), {flaky("a"), plain("b")});
  crash("a");
  CAF_CHECK_EQUAL(ask(find_child{"a"}), exit_code::restarting);
  CAF_CHECK_EQUAL(counts(), "2 1 0 2");
  CAF_CHECK(!ask(start_child{plain("c")}));
  CAF_CHECK(!ask(terminate_child{"b"}));
  CAF_CHECK_EQUAL(children(), list({"a restarting", "b stopped", "c running"}));
}

CAF_TEST(the intensity counts attempts when they are made) {
  auto flags = backing_off();
  flags.intensity = 2;
  flags.period = 5s;
  start(flags, {flaky("a")});
  failing("a", 1000);
  crash("a");
  pass(1s);  // attempts at 1 s, 3 s, 7 s, 15 s, 23 s: never three in five seconds
  pass(2s);
  pass(4s);
  for (int i = 0; i < 20; ++i)
    pass(8s);
  CAF_CHECK(!root_is_down());
  CAF_CHECK_EQUAL(script_of("a")->calls, 1 + 23);
}

CAF_TEST(attempts within the period that are too many end the supervisor) {
  auto flags = backing_off();
  flags.intensity = 2;
  flags.period = 6s;
  start(flags, {flaky("a")});
  failing("a", 1000);
  crash("a");
  pass(1s);
  pass(2s);
  CAF_CHECK(!root_is_down());
  pass(4s);  // the third attempt in six seconds
  CAF_CHECK(root_is_down());
  CAF_CHECK_EQUAL(reason, exit_code::shutdown);
  CAF_CHECK_EQUAL(script_of("a")->calls, 1 + 2);
}

CAF_TEST(terminate_child cancels the wait and forgets how long it was) {
  start(backing_off(), {flaky("a")});
  failing("a", 2);
  crash("a");
  CAF_CHECK_EQUAL(waits(2), (std::vector<int>{10, 20}));
  CAF_CHECK(!ask(terminate_child{"a"}));
  CAF_CHECK_EQUAL(next_attempt().count(), 0);
  CAF_CHECK_EQUAL(children(), list({"a stopped"}));
  CAF_CHECK(!ask(restart_child{"a"}));
  crash("a");
  CAF_CHECK_EQUAL(waits(1), std::vector<int>{10});
}

CAF_TEST(a restart by request is not overtaken by the wait before it) {
  start(backing_off(), {flaky("a")});
  crash("a");
  pass(500ms);
  CAF_CHECK(!ask(terminate_child{"a"}));
  CAF_CHECK(!ask(restart_child{"a"}));
  crash("a");
  log.clear();
  pass(999ms);  // the wait of the first death was over in between
  CAF_CHECK_EQUAL(log, events{});
  pass(1ms);
  CAF_CHECK_EQUAL(log, list({"+a"}));
}

CAF_TEST(a stop does not wait for those that wait) {
  for (const auto s : {strategy::one_for_one, strategy::one_for_all, strategy::rest_for_one}) {
    start(backing_off(s), {flaky("a"), plain("b")});
    crash("a");
    log.clear();
    stop();
    CAF_CHECK(root_is_down());
    CAF_CHECK_EQUAL(log, list({"-b"}));
    CAF_CHECK_EQUAL(next_attempt().count(), 0);
  }
}

CAF_TEST(a group is left alone until the wait is over) {
  start(backing_off(strategy::one_for_all), {plain("a"), flaky("b"), plain("c")});
  log.clear();
  failing("b", 1);
  crash("b");
  CAF_CHECK_EQUAL(log, list({"-b"}));
  CAF_CHECK_EQUAL(children(), list({"a running", "b restarting", "c running"}));
  pass(1s);
  CAF_CHECK_EQUAL(log, list({"-b", "-c", "-a", "+a", "!b"}));
  CAF_CHECK_EQUAL(children(), list({"a running", "b restarting", "c stopped"}));
  log.clear();
  pass(2s);
  CAF_CHECK_EQUAL(log, list({"-a", "+a", "+b", "+c"}));
}

CAF_TEST(a restart of the group by a sibling makes the wait void) {
  start(backing_off(strategy::one_for_all), {flaky("a"), flaky("b")});
  crash("a");
  pass(500ms);
  crash("b");
  pass(500ms);  // a is due
  log.clear();
  pass(500ms);  // b would be due, and runs
  CAF_CHECK_EQUAL(log, events{});
  CAF_CHECK_EQUAL(children(), list({"a running", "b running"}));
}

CAF_TEST(instances wait too) {
  start(backing_off(strategy::simple_one_for_one), {instances()});
  const auto x = instance("x");
  failing("x", 2);
  crash(x);
  CAF_CHECK_EQUAL(waits(3), (std::vector<int>{10, 20, 40}));
  CAF_CHECK_EQUAL(log, list({"+x"}));
  CAF_CHECK_EQUAL(counts(), "1 1 0 1");
}

CAF_TEST(a back - off that makes no sense is refused) {
  for (const auto& bad : {backoff{-1ms, 1s, 2, 1s}, backoff{2s, 1s, 2, 1s}, backoff{1s, 2s, 0.5, 1s}}) {
    auto flags = backing_off();
    flags.backoff = bad;
    start(flags, {flaky("a")});
    CAF_CHECK(root_is_down());
    CAF_CHECK_EQUAL(reason, exit_code::bad_specification);
    CAF_CHECK_EQUAL(log, events{});
  }
}

CAF_TEST_FIXTURE_SCOPE_END()
