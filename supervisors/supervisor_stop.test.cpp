#define CAF_SUITE supervisor_stop

#include <algorithm>

#include "supervisors/supervisor.hpp"
#include "tests/unit/caf_test.hpp"

#include "supervisors/test_supervisor_b.hpp"

using namespace std::chrono_literals;
using namespace cafmcp::otp;
using namespace supervisor_tests_b;

namespace {

caf::error error() {
  return caf::make_error(caf::sec::runtime_error);
}

struct stop_fixture : fixture {
  child_spec plain(const std::string& id, restart r = restart::permanent) {
    return probe_spec({id, &log}, r);
  }
  child_spec slow(const std::string& id, std::chrono::milliseconds delay = 100ms) {
    return probe_spec({id, &log, false, delay});
  }
  child_spec stubborn(const std::string& id, std::optional<shutdown_rule> rule) {
    auto spec = probe_spec({id, &log, true});
    spec.shutdown = rule;
    return spec;
  }
  // Ends with `why` when told to stop.
  child_spec headstrong(const std::string& id, caf::error why, restart r = restart::permanent) {
    return probe_spec({id, &log, false, 0ms, std::move(why)}, r);
  }
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
  events heard;
  const auto spec = [&](const char* id) { return probe_spec({id, &log, false, 0ms, {}, &heard}); };
  start({}, {spec("a"), spec("b"), spec("c")});
  log.clear();
  shut_down();
  CAF_CHECK_EQUAL(heard, list({"c: shutdown", "b: shutdown", "a: shutdown"}));
  CAF_CHECK_EQUAL(log, list({"-c", "-b", "-a"}));
  CAF_CHECK(root_is_down());
  CAF_CHECK_EQUAL(describe(reason), "shutdown");
}

CAF_TEST(each stop waits until the one before has ended) {
  start({}, {slow("a"), plain("b"), slow("c")});
  log.clear();
  shut_down();
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
  shut_down();
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
    report_log reports;
    shut_down();
    if (r.time > 0ms) {
      pass(r.time - 1ms);
      CAF_CHECK_EQUAL(log, list({"?s"}));
      pass(1ms);
    } else {
      pass(0ms);
    }
    CAF_CHECK_EQUAL(log, r.asked ? list({"?s", "-s", "-a"}) : list({"-s", "-a"}));
    CAF_CHECK(root_is_down());
    CAF_CHECK_EQUAL(reports.take(), *r.report ? list({r.report}) : events{});
  }
}

CAF_TEST(a child with infinity is waited for as long as it takes) {
  start({}, {plain("a"), stubborn("s", shutdown_rule::infinity())});
  log.clear();
  shut_down();
  pass(24h);
  CAF_CHECK_EQUAL(log, list({"?s"}));
  CAF_CHECK(!root_is_down());
  report_log reports;
  end("s", make_exit(exit_code::shutdown));
  CAF_CHECK_EQUAL(log, list({"?s", "-s", "-a"}));
  CAF_CHECK(root_is_down());
  CAF_CHECK_EQUAL(reports.take(), events{});
}

CAF_TEST(supervisors are waited for unless their specification says otherwise) {
  auto s = supervisor_spec("s", {}, {stubborn("x", shutdown_rule::within(1h))});
  start({}, {s});
  log.clear();
  shut_down();
  pass(1h - 1ms);
  CAF_CHECK(!root_is_down());
  pass(1ms);
  CAF_CHECK_EQUAL(log, list({"?x", "-x"}));
  CAF_CHECK(root_is_down());
  s.shutdown = shutdown_rule::within(200ms);
  start({}, {s});
  shut_down();
  pass(199ms);
  CAF_CHECK(!root_is_down());
  pass(1ms);
  CAF_CHECK(root_is_down());
  s.shutdown = shutdown_rule::brutal_kill();
  start({}, {s});
  shut_down();
  CAF_CHECK(root_is_down());
}

CAF_TEST(a child that stops late but in time is not killed) {
  auto late = slow("s", 499ms);
  late.shutdown = shutdown_rule::within(500ms);
  start({}, {late});
  report_log reports;
  shut_down();
  pass(499ms);
  CAF_CHECK(root_is_down());
  CAF_CHECK_EQUAL(reports.take(), events{});
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
                      {error(), restart::permanent, false},
                      {error(), restart::transient, false},
                      {error(), restart::temporary, false},
                      {caf::make_error(caf::exit_reason::kill), restart::transient, false}};
  for (const auto& r : rows) {
    CAF_MESSAGE(to_string(r.type) << ' ' << describe(r.why));
    start({}, {plain("a"), headstrong("h", r.why, r.type), plain("z")});
    log.clear();
    report_log reports;
    shut_down();
    CAF_CHECK_EQUAL(log, list({"-z", "-h", "-a"}));
    CAF_CHECK(root_is_down());
    CAF_CHECK_EQUAL(describe(reason), "shutdown");
    CAF_CHECK_EQUAL(reports.take(), r.expected ? events{} : events{"shutdown_error h: " + describe(r.why)});
  }
}

CAF_TEST(a child that dies before its turn is passed over and judged by its reason) {
  const std::vector<std::pair<caf::error, events>> rows{{error(), list({"shutdown_error b: runtime_error"})},
                                                        {make_exit(exit_code::shutdown), {}},
                                                        {{}, list({"shutdown_error b: normal"})}};
  for (const auto& [why, reported] : rows) {
    start({}, {plain("a"), plain("b"), slow("c")});
    log.clear();
    report_log reports;
    shut_down();
    end("b", why);
    CAF_CHECK_EQUAL(log, list({"-b"}));
    pass(100ms);
    CAF_CHECK_EQUAL(log, list({"-b", "-c", "-a"}));
    CAF_CHECK(root_is_down());
    CAF_CHECK_EQUAL(reports.take(), reported);
  }
}

CAF_TEST(a child that takes a sibling along in a stop is not the end of the stop) {
  start({}, {plain("a"), plain("b"), headstrong("c", error())});
  self->send(kid("b"), link_with{kid("c")});
  run();
  log.clear();
  report_log reports;
  shut_down();
  CAF_CHECK_EQUAL(log, list({"-c", "-b", "-a"}));
  CAF_CHECK(root_is_down());
  CAF_CHECK_EQUAL(reports.take(),
                  list({"shutdown_error c: runtime_error", "shutdown_error b: runtime_error"}));
}

CAF_TEST(a death during the stop of one child is not the affair of that stop) {
  start({strategy::one_for_one, 1}, {plain("a"), slow("s")});
  auto handle = self->request(root, caf::infinite, terminate_child{"s"});
  run();
  log.clear();
  report_log reports;
  crash("a");
  CAF_CHECK_EQUAL(log, list({"-a"}));
  pass(100ms);
  handle.receive([](caf::ok_atom) {}, [&](const caf::error& e) { refusal = e; });
  CAF_CHECK(!refusal);
  CAF_CHECK_EQUAL(log, list({"-a", "-s", "+a"}));
  CAF_CHECK_EQUAL(reports.take(), list({"child_terminated a: crashed: boom"}));
}

CAF_TEST(the stop of one child is not a restart whatever its reason) {
  for (const auto s : {strategy::one_for_one, strategy::one_for_all, strategy::rest_for_one}) {
    start({s, 0}, {headstrong("h", error()), plain("z")});
    log.clear();
    report_log reports;
    call<caf::ok_atom>(terminate_child{"h"});
    CAF_CHECK(!refusal);
    CAF_CHECK_EQUAL(log, list({"-h"}));
    CAF_CHECK_EQUAL(children(), list({"h stopped", "z running"}));
    CAF_CHECK_EQUAL(reports.take(), list({"shutdown_error h: runtime_error"}));
    CAF_CHECK(!root_is_down());
  }
}

CAF_TEST(a shutdown goes on with a stop that is under way) {
  events heard;
  start({}, {plain("a"), probe_spec({"s", &log, false, 100ms, {}, &heard}), plain("z")});
  auto handle = self->request(root, caf::infinite, terminate_child{"s"});
  run();
  log.clear();
  shut_down();
  CAF_CHECK_EQUAL(log, list({"-z"}));
  pass(100ms);
  CAF_CHECK_EQUAL(log, list({"-z", "-s", "-a"}));
  CAF_CHECK_EQUAL(heard, list({"s: shutdown"}));
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
    shut_down();
    pass(100ms);
    CAF_CHECK_EQUAL(log, list({"-a", "-c", "-b"}));
    CAF_CHECK(root_is_down());
  }
}

CAF_TEST(a shutdown overtakes the start of the supervisor itself) {
  start({}, {plain("a"), scripted({"h", &log}, steps("~")), plain("c")});
  CAF_CHECK_EQUAL(log, list({"+a", "+h"}));
  shut_down();
  CAF_CHECK_EQUAL(log, list({"+a", "+h", "-h", "-a"}));
  CAF_CHECK(root_is_down());
}

CAF_TEST(a shutdown drops a restart that is waited for) {
  supervisor_flags flags{strategy::one_for_one, 5};
  flags.backoff.initial = 1s;
  for (const auto s : {strategy::one_for_one, strategy::one_for_all, strategy::simple_one_for_one}) {
    flags.strategy = s;
    start(flags, {s == strategy::simple_one_for_one ? instances({"", &log}) : plain("i")});
    crash(s == strategy::simple_one_for_one ? instance() : kid("i"));
    log.clear();
    shut_down();
    CAF_CHECK(root_is_down());
    pass(1min);
    CAF_CHECK_EQUAL(log, events{});
  }
}

CAF_TEST(requests during a stop are refused and questions are answered) {
  start({}, {plain("a"), slow("s")});
  shut_down();
  const auto refused = [&](auto message, auto type) {
    call<decltype(type)>(message);
    CAF_CHECK_EQUAL(refusal, exit_code::stopping);
  };
  refused(start_child{plain("n")}, child_started{});
  refused(restart_child{"a"}, child_started{});
  refused(terminate_child{"a"}, caf::ok_atom_v);
  refused(delete_child{"a"}, caf::ok_atom_v);
  refused(change_supervisor{supervisor_flags{}}, caf::ok_atom_v);
  CAF_CHECK_EQUAL(children(), list({"a running", "s stopping"}));
  CAF_CHECK_EQUAL(counts().active, 2u);
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
  shut_down();
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
  tell_from(self->address(), error());
  tell_from(kid("a").address(), error());
  self->send(stranger, link_with{root});
  run();
  end(stranger, error());
  CAF_CHECK(!alive(stranger));
  CAF_CHECK(!root_is_down());
  CAF_CHECK_EQUAL(children(), list({"a running"}));
  tell_from(root.address(), make_exit(exit_code::shutdown));
  CAF_CHECK(root_is_down());
}

CAF_TEST(the reason of the order to end is the reason of the end) {
  for (const auto& why : {error(), caf::error{}, caf::make_error(caf::exit_reason::user_shutdown)}) {
    events heard;
    const auto options = worker_options{"a", &log, false, 0ms, {}, &heard};
    root = sys.spawn<supervisor>(
        supervisor_options{"root", {}, {probe_spec(options)}, nullptr, caf::actor_cast<caf::actor>(self)});
    self->monitor(root);
    run();
    self->receive([](const init_ack&) {});
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
    shut_down();
    pass(time);
    pass(kill_grace - 1ms);
    CAF_CHECK_EQUAL(log, events{});
    pass(1ms);
    CAF_CHECK_EQUAL(log, list({"-a"}));
    CAF_CHECK(root_is_down());
  }
}

CAF_TEST(instances are asked at once and waited for together) {
  start({strategy::simple_one_for_one}, {instances({"", &log, false, 100ms})});
  for (int i = 0; i < 3; ++i)
    instance();
  log.clear();
  shut_down();
  pass(99ms);
  CAF_CHECK_EQUAL(log, events{});
  pass(1ms);
  CAF_CHECK_EQUAL(log, list({"-i", "-i", "-i"}));
  CAF_CHECK(root_is_down());
  CAF_CHECK_EQUAL(describe(reason), "shutdown");
}

CAF_TEST(instances that ignore the stop are killed together and reported as one) {
  auto spec = instances({"", &log, true});
  spec.shutdown = shutdown_rule::within(500ms);
  start({strategy::simple_one_for_one}, {spec});
  for (int i = 0; i < 3; ++i)
    instance();
  log.clear();
  report_log reports;
  shut_down();
  pass(499ms);
  CAF_CHECK_EQUAL(log, list({"?i", "?i", "?i"}));
  CAF_CHECK(!root_is_down());
  pass(1ms);
  CAF_CHECK_EQUAL(log, list({"?i", "?i", "?i", "-i", "-i", "-i"}));
  CAF_CHECK(root_is_down());
  CAF_CHECK_EQUAL(reports.take(), list({"shutdown_error i: kill x3"}));
}

CAF_TEST(instances that end for other reasons are reported once for each reason) {
  start({strategy::simple_one_for_one}, {instances({"", &log, false, 100ms})});
  const auto a = instance();
  const auto b = instance();
  const auto c = instance();
  instance();
  log.clear();
  report_log reports;
  shut_down();
  end(a, error());
  end(b, error());
  crash(c);
  CAF_CHECK(!root_is_down());
  pass(100ms);
  CAF_CHECK(root_is_down());
  auto said = reports.take();
  std::sort(said.begin(), said.end());
  CAF_CHECK_EQUAL(said, list({"shutdown_error i: crashed: boom x1", "shutdown_error i: runtime_error x2"}));
}

CAF_TEST(brutal instances are not asked) {
  auto spec = instances({"", &log, true});
  spec.shutdown = shutdown_rule::brutal_kill();
  start({strategy::simple_one_for_one}, {spec});
  instance();
  instance();
  log.clear();
  report_log reports;
  shut_down();
  CAF_CHECK_EQUAL(log, list({"-i", "-i"}));
  CAF_CHECK(root_is_down());
  CAF_CHECK_EQUAL(reports.take(), events{});
}

CAF_TEST(an instance that is being restarted is passed over by the stop of the others) {
  supervisor_flags flags{strategy::simple_one_for_one, 5};
  flags.backoff.initial = 1s;
  start(flags, {instances({"", &log})});
  const auto a = instance();
  instance();
  crash(a);
  CAF_CHECK_EQUAL(counts().active, 1u);
  log.clear();
  shut_down();
  CAF_CHECK_EQUAL(log, list({"-i"}));
  CAF_CHECK(root_is_down());
  pass(1min);
  CAF_CHECK_EQUAL(log, list({"-i"}));
}

CAF_TEST(an instance that is stopped already is not asked again) {
  events heard;
  start({strategy::simple_one_for_one}, {instances({"", &log, false, 100ms, {}, &heard})});
  const auto a = instance();
  instance();
  auto handle = self->request(root, caf::infinite, terminate_child{id_of(a)});
  run();
  pass(50ms);
  log.clear();
  shut_down();
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
  auto spec = instances({"", &log});
  spec.shutdown = shutdown_rule::within(100ms);
  spec.start = [&](const start_context&) -> start_result {
    return started{caf::actor_cast<caf::actor>(stuck)};
  };
  start({strategy::simple_one_for_one}, {spec});
  instance();
  shut_down();
  pass(100ms);
  pass(kill_grace - 1ms);
  CAF_CHECK(!root_is_down());
  pass(1ms);
  CAF_CHECK(root_is_down());
}

CAF_TEST(children of a killed supervisor hear it and may clean up) {
  events heard;
  const auto spec = [&](const char* id, std::chrono::milliseconds delay) {
    return probe_spec({id, &log, false, delay, {}, &heard});
  };
  start({}, {branch("s", {spec("a", 0ms), spec("b", 100ms)})});
  log.clear();
  kill(kid("s"));
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
  kill(kid("s"));
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
  events heard;
  const auto spec = [&](const char* id) { return probe_spec({id, &log, false, 100ms, {}, &heard}); };
  start({}, {branch("s", {supervisor_spec("t", {}, {spec("a"), supervisor_spec("u", {}, {spec("b")})})})});
  log.clear();
  kill(kid("s"));
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
  events heard;
  const auto spec = [&](const char* id) { return probe_spec({id, &log, false, 100ms, {}, &heard}); };
  start({}, {spec("a"), supervisor_spec("t", {}, {spec("b")})});
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
