#define CAF_SUITE supervisor_stop

#include <algorithm>

#include "supervisors/supervisor.hpp"
#include "tests/unit/caf_test.hpp"

#include "supervisors/test_reports.hpp"
#include "supervisors/test_script.hpp"
#include "supervisors/test_supervisor.hpp"

using namespace cafmcp::otp;
using namespace cafmcp::otp::testing;

namespace {

struct stop_fixture : script_fixture {
  // The branch is not restarted, so that nothing but its end is seen.
  child_spec branch(const std::string& id, std::vector<child_spec> specs) {
    auto spec = supervisor_spec(id, {}, std::move(specs));
    spec.restart = restart::temporary;
    return spec;
  }
};

}  // namespace

CAF_TEST_FIXTURE_SCOPE(supervisor_stop_tests, stop_fixture)

CAF_TEST(children hear shutdown in reverse order of their start) {
  start({}, {plain("a"), plain("b"), plain("c")});
  log.clear();
  stop();
  CAF_CHECK_EQUAL(heard, list({"c: shutdown", "b: shutdown", "a: shutdown"}));
  CAF_CHECK_EQUAL(log, list({"-c", "-b", "-a"}));
  CAF_CHECK(root_is_down());
  CAF_CHECK_EQUAL(describe(reason), "shutdown");
}

CAF_TEST(each stop waits until the one before has ended) {
  start({}, {slow("a"), plain("b"), slow("c")});
  log.clear();
  stop();
  pass(99ms);
  CAF_CHECK_EQUAL(log, events{});
  pass(1ms);
  CAF_CHECK_EQUAL(log, list({"-c", "-b"}));
  CAF_CHECK(!root_is_down());
  pass(100ms);
  CAF_CHECK_EQUAL(log, list({"-c", "-b", "-a"}));
  CAF_CHECK(root_is_down());
}

CAF_TEST(a branch is stopped as a whole before the children in front of it) {
  start({}, {plain("a"), supervisor_spec("s", {}, {plain("x"), slow("y")}), plain("z")});
  log.clear();
  stop();
  CAF_CHECK_EQUAL(log, list({"-z"}));
  pass(100ms);
  CAF_CHECK_EQUAL(log, list({"-z", "-y", "-x", "-a"}));
}

CAF_TEST(a worker that ignores the stop is killed when its time is over and not before) {
  struct row {
    std::optional<shutdown_rule> rule;
    bool asked;
    std::chrono::milliseconds time;
    const char* report;
  };
  const row rows[] = {{shutdown_rule::brutal_kill(), false, 0ms, ""},
                      {shutdown_rule::within(500ms), true, 500ms, "shutdown_error s: kill"},
                      {std::nullopt, true, 5000ms, "shutdown_error s: kill"},
                      {shutdown_rule::within(0ms), true, 0ms, "shutdown_error s: kill"}};
  for (const auto& r : rows) {
    start({}, {plain("a"), stubborn("s", r.rule)});
    log.clear();
    log_capture said;
    stop();
    if (r.time > 0ms) {
      pass(r.time - 1ms);
      CAF_CHECK_EQUAL(log, list({"?s"}));
      pass(1ms);
    } else {
      pass(0ms);
    }
    CAF_CHECK_EQUAL(log, r.asked ? list({"?s", "-s", "-a"}) : list({"-s", "-a"}));
    CAF_CHECK(root_is_down());
    CAF_CHECK_EQUAL(said.reports(), *r.report ? list({r.report}) : events{});
  }
}

CAF_TEST(a child with infinity is waited for as long as it takes) {
  start({}, {plain("a"), stubborn("s", shutdown_rule::infinity())});
  log.clear();
  stop();
  pass(24h);
  CAF_CHECK_EQUAL(log, list({"?s"}));
  CAF_CHECK(!root_is_down());
  log_capture said;
  end("s", make_exit(exit_code::shutdown));
  CAF_CHECK_EQUAL(log, list({"?s", "-s", "-a"}));
  CAF_CHECK(root_is_down());
  CAF_CHECK_EQUAL(said.reports(), events{});
}

CAF_TEST(supervisors are waited for unless their specification says otherwise) {
  auto s = supervisor_spec("s", {}, {stubborn("x", shutdown_rule::within(1h))});
  start({}, {s});
  log.clear();
  stop();
  pass(1h - 1ms);
  CAF_CHECK(!root_is_down());
  pass(1ms);
  CAF_CHECK_EQUAL(log, list({"?x", "-x"}));
  CAF_CHECK(root_is_down());
  s.shutdown = shutdown_rule::within(200ms);
  start({}, {s});
  stop();
  pass(199ms);
  CAF_CHECK(!root_is_down());
  pass(1ms);
  CAF_CHECK(root_is_down());
  s.shutdown = shutdown_rule::brutal_kill();
  start({}, {s});
  stop();
  CAF_CHECK(root_is_down());
}

CAF_TEST(a child that stops late but in time is not killed) {
  auto late = slow("s", 499ms);
  late.shutdown = shutdown_rule::within(500ms);
  start({}, {late});
  log_capture said;
  stop();
  pass(499ms);
  CAF_CHECK(root_is_down());
  CAF_CHECK_EQUAL(said.reports(), events{});
}

CAF_TEST(the reason with which a child stops decides whether it is reported) {
  struct row {
    caf::error why;
    restart type;
    bool expected;
  };
  const row rows[] = {{make_exit(exit_code::shutdown), restart::permanent, true},
                      {make_exit(exit_code::shutdown), restart::transient, true},
                      {make_exit(exit_code::shutdown), restart::temporary, true},
                      {{}, restart::permanent, false},
                      {{}, restart::transient, true},
                      {{}, restart::temporary, true},
                      {broken(), restart::permanent, false},
                      {broken(), restart::transient, false},
                      {broken(), restart::temporary, false},
                      {caf::make_error(caf::exit_reason::kill), restart::transient, false}};
  for (const auto& r : rows) {
    CAF_MESSAGE(to_string(r.type) << ' ' << describe(r.why));
    start({}, {plain("a"), headstrong("h", r.why, r.type), plain("z")});
    log.clear();
    log_capture said;
    stop();
    CAF_CHECK_EQUAL(log, list({"-z", "-h", "-a"}));
    CAF_CHECK(root_is_down());
    CAF_CHECK_EQUAL(describe(reason), "shutdown");
    CAF_CHECK_EQUAL(said.reports(), r.expected ? events{} : events{"shutdown_error h: " + describe(r.why)});
  }
}

CAF_TEST(a child that dies before its turn is passed over and judged by its reason) {
  const std::vector<std::pair<caf::error, events>> rows{{broken(), list({"shutdown_error b: runtime_error"})},
                                                        {make_exit(exit_code::shutdown), {}},
                                                        {{}, list({"shutdown_error b: normal"})}};
  for (const auto& [why, reported] : rows) {
    start({}, {plain("a"), plain("b"), slow("c")});
    log.clear();
    log_capture said;
    stop();
    end("b", why);
    CAF_CHECK_EQUAL(log, list({"-b"}));
    pass(100ms);
    CAF_CHECK_EQUAL(log, list({"-b", "-c", "-a"}));
    CAF_CHECK(root_is_down());
    CAF_CHECK_EQUAL(said.reports(), reported);
  }
}

CAF_TEST(a child that takes a sibling along in a stop is not the end of the stop) {
  start({}, {plain("a"), plain("b"), headstrong("c", broken())});
  tell("b", link_with{kid("c")});
  log.clear();
  log_capture said;
  stop();
  CAF_CHECK_EQUAL(log, list({"-c", "-b", "-a"}));
  CAF_CHECK(root_is_down());
  CAF_CHECK_EQUAL(said.reports(),
                  list({"shutdown_error c: runtime_error", "shutdown_error b: runtime_error"}));
}

CAF_TEST(a death during the stop of one child is not the affair of that stop) {
  start({strategy::one_for_one, 1}, {plain("a"), slow("s")});
  auto handle = self->request(root, caf::infinite, terminate_child{"s"});
  run();
  log.clear();
  log_capture said;
  crash("a");
  CAF_CHECK_EQUAL(log, list({"-a"}));
  pass(100ms);
  handle.receive([](caf::ok_atom) {}, [&](const caf::error& e) { refusal = e; });
  CAF_CHECK(!refusal);
  CAF_CHECK_EQUAL(log, list({"-a", "-s", "+a"}));
  CAF_CHECK_EQUAL(said.reports(), list({"child_terminated a: crashed: boom"}));
}

CAF_TEST(the stop of one child is not a restart whatever its reason) {
  for (const auto s : {strategy::one_for_one, strategy::one_for_all, strategy::rest_for_one}) {
    start({s, 0}, {headstrong("h", broken()), plain("z")});
    log.clear();
    log_capture said;
    CAF_CHECK(!ask(terminate_child{"h"}));
    CAF_CHECK_EQUAL(log, list({"-h"}));
    CAF_CHECK_EQUAL(children(), list({"h stopped", "z running"}));
    CAF_CHECK_EQUAL(said.reports(), list({"shutdown_error h: runtime_error"}));
    CAF_CHECK(!root_is_down());
  }
}

CAF_TEST(a shutdown goes on with a stop that is under way) {
  start({}, {plain("a"), slow("s"), plain("z")});
  auto handle = self->request(root, caf::infinite, terminate_child{"s"});
  run();
  log.clear();
  stop();
  CAF_CHECK_EQUAL(log, list({"-z"}));
  pass(100ms);
  CAF_CHECK_EQUAL(log, list({"-z", "-s", "-a"}));
  CAF_CHECK_EQUAL(heard, list({"s: shutdown", "z: shutdown", "a: shutdown"}));
  bool answered = false;
  handle.receive([&](caf::ok_atom) { answered = true; }, [](const caf::error&) {});
  CAF_CHECK(answered);
  CAF_CHECK(root_is_down());
}

CAF_TEST(a shutdown during the restart of a group starts nobody) {
  for (const auto s : {strategy::one_for_all, strategy::rest_for_one}) {
    start({s}, {plain("a"), plain("b"), slow("c")});
    log.clear();
    crash("a");
    stop();
    pass(100ms);
    CAF_CHECK_EQUAL(log, list({"-a", "-c", "-b"}));
    CAF_CHECK(root_is_down());
  }
}

CAF_TEST(a shutdown overtakes the start of the supervisor itself) {
  start({}, {plain("a"), flaky("h", {step::later}), plain("c")});
  CAF_CHECK_EQUAL(log, list({"+a", "+h"}));
  stop();
  CAF_CHECK_EQUAL(log, list({"+a", "+h", "-h", "-a"}));
  CAF_CHECK(root_is_down());
}

CAF_TEST(a shutdown drops a restart that is waited for) {
  for (const auto s : {strategy::one_for_one, strategy::one_for_all, strategy::simple_one_for_one}) {
    start(backing_off(s), {plain("i")});
    crash(s == strategy::simple_one_for_one ? instance() : kid("i"));
    log.clear();
    stop();
    CAF_CHECK(root_is_down());
    pass(1min);
    CAF_CHECK_EQUAL(log, events{});
  }
}

CAF_TEST(requests during a stop are refused and questions are answered) {
  start({}, {plain("a"), slow("s")});
  stop();
  CAF_CHECK_EQUAL(ask(start_child{plain("n")}), exit_code::stopping);
  CAF_CHECK_EQUAL(ask(restart_child{"a"}), exit_code::stopping);
  CAF_CHECK_EQUAL(ask(terminate_child{"a"}), exit_code::stopping);
  CAF_CHECK_EQUAL(ask(delete_child{"a"}), exit_code::stopping);
  CAF_CHECK_EQUAL(ask(change_supervisor{supervisor_flags{}}), exit_code::stopping);
  CAF_CHECK_EQUAL(children(), list({"a running", "s stopping"}));
  CAF_CHECK_EQUAL(counts(), "2 2 0 2");
  CAF_CHECK(kid("a") != nullptr);
  pass(100ms);
  CAF_CHECK(root_is_down());
}

CAF_TEST(requests that wait when a stop begins are refused) {
  start({}, {plain("a"), slow("s")});
  auto first = self->request(root, caf::infinite, terminate_child{"s"});
  auto second = self->request(root, caf::infinite, start_child{plain("n")});
  run();
  log.clear();
  stop();
  second.receive([](const child_started&) {}, [&](const caf::error& e) { refusal = e; });
  CAF_CHECK_EQUAL(refusal, exit_code::stopping);
  pass(100ms);
  first.receive([](caf::ok_atom) {}, [](const caf::error&) {});
  CAF_CHECK_EQUAL(log, list({"-s", "-a"}));
}

CAF_TEST(nobody but its parent and itself can tell a supervisor to end) {
  auto stranger = sys.spawn<probe>(worker_options{"x"});
  start({}, {plain("a")});
  const auto tell_from = [&](const caf::actor_addr& who, caf::error why) {
    caf::anon_send(root, caf::exit_msg{who, std::move(why)});
    run();
  };
  tell_from(stranger.address(), make_exit(exit_code::shutdown));
  tell_from(stranger.address(), {});
  tell_from(self->address(), broken());
  tell_from(kid("a").address(), broken());
  tell(stranger, link_with{root});
  end(stranger, broken());
  CAF_CHECK(!alive(stranger));
  CAF_CHECK(!root_is_down());
  CAF_CHECK_EQUAL(children(), list({"a running"}));
  tell_from(root.address(), make_exit(exit_code::shutdown));
  CAF_CHECK(root_is_down());
}

CAF_TEST(the reason of the order to end is the reason of the end) {
  for (const auto& why : {broken(), caf::error{}, caf::make_error(caf::exit_reason::user_shutdown)}) {
    is_parent = true;
    start({}, {plain("a")});
    caf::anon_send(root, caf::exit_msg{self->address(), why});
    run();
    CAF_CHECK(root_is_down());
    CAF_CHECK_EQUAL(describe(reason), describe(why));
    CAF_CHECK_EQUAL(heard, list({"a: shutdown"}));
  }
}

CAF_TEST(a killed child that does not die is left behind after a while) {
  caf::scoped_actor stuck{sys};
  auto spec = plain("s");
  spec.start = [&](const start_context&) -> start_result {
    return started{caf::actor_cast<caf::actor>(stuck)};
  };
  for (const auto& [rule, time] :
       {std::pair{shutdown_rule::within(100ms), 100ms}, std::pair{shutdown_rule::brutal_kill(), 0ms}}) {
    spec.shutdown = rule;
    start({}, {plain("a"), spec});
    log.clear();
    stop();
    pass(time);
    pass(kill_grace - 1ms);
    CAF_CHECK_EQUAL(log, events{});
    pass(1ms);
    CAF_CHECK_EQUAL(log, list({"-a"}));
    CAF_CHECK(root_is_down());
  }
}

CAF_TEST(instances are asked at once and waited for together) {
  start({strategy::simple_one_for_one}, {slow("i")});
  for (int i = 0; i < 3; ++i)
    instance();
  log.clear();
  stop();
  pass(99ms);
  CAF_CHECK_EQUAL(log, events{});
  pass(1ms);
  CAF_CHECK_EQUAL(log, list({"-i", "-i", "-i"}));
  CAF_CHECK(root_is_down());
  CAF_CHECK_EQUAL(describe(reason), "shutdown");
}

CAF_TEST(instances that ignore the stop are killed together and reported as one) {
  start({strategy::simple_one_for_one}, {stubborn("i", shutdown_rule::within(500ms))});
  for (int i = 0; i < 3; ++i)
    instance();
  log.clear();
  log_capture said;
  stop();
  pass(499ms);
  CAF_CHECK_EQUAL(log, list({"?i", "?i", "?i"}));
  CAF_CHECK(!root_is_down());
  pass(1ms);
  CAF_CHECK_EQUAL(log, list({"?i", "?i", "?i", "-i", "-i", "-i"}));
  CAF_CHECK(root_is_down());
  CAF_CHECK_EQUAL(said.reports(), list({"shutdown_error i: kill x3"}));
}

CAF_TEST(instances that end for other reasons are reported once for each reason) {
  start({strategy::simple_one_for_one}, {slow("i")});
  const auto a = instance();
  const auto b = instance();
  const auto c = instance();
  instance();
  log.clear();
  log_capture capture;
  stop();
  end(a, broken());
  end(b, broken());
  crash(c);
  CAF_CHECK(!root_is_down());
  pass(100ms);
  CAF_CHECK(root_is_down());
  auto said = capture.reports();
  std::sort(said.begin(), said.end());
  CAF_CHECK_EQUAL(said, list({"shutdown_error i: crashed: boom x1", "shutdown_error i: runtime_error x2"}));
}

CAF_TEST(brutal instances are not asked) {
  start({strategy::simple_one_for_one}, {stubborn("i", shutdown_rule::brutal_kill())});
  instance();
  instance();
  log.clear();
  log_capture said;
  stop();
  CAF_CHECK_EQUAL(log, list({"-i", "-i"}));
  CAF_CHECK(root_is_down());
  CAF_CHECK_EQUAL(said.reports(), events{});
}

CAF_TEST(an instance that is being restarted is passed over by the stop of the others) {
  start(backing_off(strategy::simple_one_for_one), {plain("i")});
  const auto a = instance();
  instance();
  crash(a);
  CAF_CHECK_EQUAL(counts(), "1 1 0 2");
  log.clear();
  stop();
  CAF_CHECK_EQUAL(log, list({"-i"}));
  CAF_CHECK(root_is_down());
  pass(1min);
  CAF_CHECK_EQUAL(log, list({"-i"}));
}

CAF_TEST(an instance that is stopped already is not asked again) {
  start({strategy::simple_one_for_one}, {slow("i")});
  const auto a = instance();
  instance();
  auto handle = self->request(root, caf::infinite, terminate_child{pid_of(a)});
  run();
  pass(50ms);
  log.clear();
  stop();
  pass(50ms);
  CAF_CHECK_EQUAL(log, list({"-i"}));
  bool answered = false;
  handle.receive([&](caf::ok_atom) { answered = true; }, [](const caf::error&) {});
  CAF_CHECK(answered);
  pass(50ms);
  CAF_CHECK_EQUAL(heard, list({"i: shutdown", "i: shutdown"}));
  CAF_CHECK(root_is_down());
}

CAF_TEST(killed instances that do not die are left behind after a while) {
  caf::scoped_actor stuck{sys};
  auto spec = plain("i");
  spec.shutdown = shutdown_rule::within(100ms);
  spec.start = [&](const start_context&) -> start_result {
    return started{caf::actor_cast<caf::actor>(stuck)};
  };
  start({strategy::simple_one_for_one}, {spec});
  instance();
  stop();
  pass(100ms);
  pass(kill_grace - 1ms);
  CAF_CHECK(!root_is_down());
  pass(1ms);
  CAF_CHECK(root_is_down());
}

CAF_TEST(children of a killed supervisor hear it and may clean up) {
  start({}, {branch("s", {plain("a"), slow("b")})});
  log.clear();
  kill("s");
  CAF_CHECK_EQUAL(heard, list({"a: killed", "b: killed"}));
  CAF_CHECK_EQUAL(log, list({"-a"}));
  pass(100ms);
  CAF_CHECK_EQUAL(log, list({"-a", "-b"}));
  CAF_CHECK(!root_is_down());
}

CAF_TEST(children of a killed supervisor are killed when their time is over) {
  auto brutal = stubborn("brutal", shutdown_rule::brutal_kill());
  start({}, {branch("s", {stubborn("timed", shutdown_rule::within(300ms)), brutal,
                          stubborn("patient", shutdown_rule::infinity())})});
  log.clear();
  const auto held = {kid_of(kid("s"), "timed"), kid_of(kid("s"), "patient")};
  kill("s");
  std::sort(log.begin(), log.end());
  CAF_CHECK_EQUAL(log, list({"-brutal", "?patient", "?timed"}));
  log.clear();
  pass(299ms);
  CAF_CHECK_EQUAL(log, events{});
  pass(1ms);
  CAF_CHECK_EQUAL(log, list({"-timed"}));
  pass(1min);
  CAF_CHECK_EQUAL(log, list({"-timed", "-patient"}));
  for (const auto& a : held)
    CAF_CHECK(!alive(a));
}

CAF_TEST(supervisors below a killed one stop their children in reverse order) {
  start({}, {branch("s", {supervisor_spec("t", {}, {slow("a"), supervisor_spec("u", {}, {slow("b")})})})});
  log.clear();
  kill("s");
  CAF_CHECK_EQUAL(heard, list({"b: killed"}));
  pass(100ms);
  CAF_CHECK_EQUAL(log, list({"-b"}));
  CAF_CHECK_EQUAL(heard, list({"b: killed", "a: killed"}));
  pass(100ms);
  CAF_CHECK_EQUAL(log, list({"-b", "-a"}));
  CAF_CHECK_EQUAL(heard, list({"b: killed", "a: killed"}));
}

CAF_TEST(a killed supervisor is restarted with all it has) {
  start({strategy::one_for_one, 1}, {supervisor_spec("s", {}, {plain("a"), plain("b")}), plain("z")});
  log.clear();
  const auto before = kid("s");
  kill(before);
  CAF_CHECK(kid("s") != before);
  CAF_CHECK_EQUAL(std::count(log.begin(), log.end(), "+a"), 1);
  CAF_CHECK_EQUAL(std::count(log.begin(), log.end(), "-a"), 1);
  CAF_CHECK_EQUAL(std::count(log.begin(), log.end(), "-b"), 1);
  CAF_CHECK_EQUAL(std::count(log.begin(), log.end(), "-z"), 0);
}

CAF_TEST(a stop goes on in order when nobody holds the supervisor any more) {
  start({}, {slow("a"), supervisor_spec("t", {}, {slow("b")})});
  log.clear();
  send_shutdown(root);
  root = nullptr;
  run();
  CAF_CHECK_EQUAL(heard, list({"b: shutdown"}));
  pass(100ms);
  CAF_CHECK_EQUAL(heard, list({"b: shutdown", "a: shutdown"}));
  pass(100ms);
  CAF_CHECK_EQUAL(log, list({"-b", "-a"}));
  CAF_CHECK(root_is_down());
  CAF_CHECK_EQUAL(describe(reason), "shutdown");
}

CAF_TEST_FIXTURE_SCOPE_END()
