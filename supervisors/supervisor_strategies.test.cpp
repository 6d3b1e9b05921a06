#define CAF_SUITE supervisor_strategies

#include <algorithm>

#include "supervisors/supervisor.hpp"
#include "tests/unit/caf_test.hpp"

#include "supervisors/test_reports.hpp"
#include "supervisors/test_script.hpp"
#include "supervisors/test_supervisor.hpp"

using namespace cafmcp::otp;
using namespace cafmcp::otp::testing;

namespace {

const strategy with_ids[] = {strategy::one_for_one, strategy::one_for_all, strategy::rest_for_one};
const strategy with_groups[] = {strategy::one_for_all, strategy::rest_for_one};

supervisor_flags waits(strategy s, std::uint32_t intensity) {
  supervisor_flags flags{s, intensity, 60s};
  flags.backoff.initial = 1s;
  return flags;
}

struct strategies_fixture : script_fixture {
  // Three children, or three instances, of one strategy.
  void start_three(supervisor_flags flags) {
    if (flags.strategy != strategy::simple_one_for_one) {
      start(flags, {plain("a"), plain("b"), plain("c")});
    } else {
      start(flags, {plain("i")});
      for (int i = 0; i < 3; ++i)
        instance();
    }
    log.clear();
  }
  // The second of them.
  caf::actor second() {
    const auto all = get(which_children{});
    return all.size() > 1 ? all[1].actor : caf::actor{};
  }
  std::string three_of(strategy s) const { return s == strategy::simple_one_for_one ? "1 3 0 3" : "3 3 0 3"; }
};

struct expectation {
  strategy how;
  events restarted;  // when the second of three has crashed
  events given_up;   // when that was one too many
};

std::vector<expectation> expectations() {
  return {{strategy::one_for_one, list({"-b", "+b"}), list({"-b", "-c", "-a"})},
          {strategy::one_for_all, list({"-b", "-c", "-a", "+a", "+b", "+c"}), list({"-b", "-c", "-a"})},
          {strategy::rest_for_one, list({"-b", "-c", "+b", "+c"}), list({"-b", "-c", "-a"})},
          {strategy::simple_one_for_one, list({"-i", "+i"}), list({"-i", "-i", "-i"})}};
}

}  // namespace

CAF_TEST_FIXTURE_SCOPE(supervisor_strategies_tests, strategies_fixture)

CAF_TEST(each strategy restarts whom it should and gives up in reverse order) {
  for (const auto& e : expectations()) {
    CAF_MESSAGE(to_string(e.how));
    start_three({e.how, 1});
    log_capture said;
    crash(second());
    CAF_CHECK_EQUAL(log, e.restarted);
    CAF_CHECK_EQUAL(counts(), three_of(e.how));
    CAF_CHECK(!root_is_down());
    log.clear();
    crash(second());
    CAF_CHECK_EQUAL(log, e.given_up);
    CAF_CHECK(root_is_down());
    CAF_CHECK_EQUAL(describe(reason), "shutdown");
    const std::string id = e.how == strategy::simple_one_for_one ? "i" : "b";
    const auto crashed = "child_terminated " + id + ": crashed: boom";
    CAF_CHECK_EQUAL(said.reports(),
                    (events{crashed, crashed, "shutdown " + id + ": reached_max_restart_intensity"}));
  }
}

CAF_TEST(a restart counts until it is older than the period) {
  for (const auto& e : expectations()) {
    CAF_MESSAGE(to_string(e.how));
    start_three({e.how, 1, 1000ms});
    crash(second());
    pass(1000ms);
    crash(second());
    CAF_CHECK(root_is_down());
    start_three({e.how, 1, 1000ms});
    crash(second());
    pass(1001ms);
    crash(second());
    CAF_CHECK(!root_is_down());
    CAF_CHECK_EQUAL(counts(), three_of(e.how));
  }
}

CAF_TEST(with an intensity of 0 the first restart is one too many) {
  for (const auto& e : expectations()) {
    CAF_MESSAGE(to_string(e.how));
    start_three({e.how, 0});
    crash(second());
    CAF_CHECK_EQUAL(log, e.given_up);
    CAF_CHECK(root_is_down());
  }
}

CAF_TEST(all children of a supervisor share one count) {
  for (const auto s : with_ids) {
    start({s, 2}, {plain("a"), plain("b"), plain("c")});
    crash("a");
    crash("b");
    CAF_CHECK(!root_is_down());
    crash("c");
    CAF_CHECK(root_is_down());
  }
}

CAF_TEST(each retry counts as a restart) {
  for (const auto s : with_ids) {
    CAF_MESSAGE(to_string(s));
    start({s, 3}, {flaky("f", {step::at_once, step::error, step::error})});
    crash("f");
    CAF_CHECK_EQUAL(log, list({"+f", "-f", "!f", "!f", "+f"}));
    CAF_CHECK(!root_is_down());
    start({s, 2}, {flaky("f", {step::at_once, step::error, step::error})});
    log.clear();
    crash("f");
    CAF_CHECK_EQUAL(log, list({"-f", "!f", "!f"}));
    CAF_CHECK(root_is_down());
  }
}

CAF_TEST(each failed attempt is reported) {
  start({strategy::one_for_one, 2}, {flaky("f", {step::at_once, step::error, step::error})});
  log_capture said;
  crash("f");
  CAF_CHECK_EQUAL(
      said.reports(),
      list({"child_terminated f: crashed: boom", "start_error f: cannot_open_port: no luck",
            "start_error f: cannot_open_port: no luck", "shutdown f: reached_max_restart_intensity"}));
}

CAF_TEST(members that were terminated or never ran are started by the restart of their group) {
  for (const auto s : with_groups) {
    const bool all = s == strategy::one_for_all;
    start({s}, {plain("early"), plain("a"), plain("late"), flaky("shy", {step::ignore})});
    ask(terminate_child{"early"});
    ask(terminate_child{"late"});
    CAF_CHECK_EQUAL(children(), list({"early stopped", "a running", "late stopped", "shy stopped"}));
    log.clear();
    crash("a");
    CAF_CHECK_EQUAL(
        log, all ? list({"-a", "+early", "+a", "+late", "+shy"}) : list({"-a", "+a", "+late", "+shy"}));
    CAF_CHECK_EQUAL(children(), (events{all ? "early running" : "early stopped", "a running", "late running",
                                        "shy running"}));
  }
}

CAF_TEST(one_for_one leaves those alone that were terminated) {
  start({}, {plain("early"), plain("a"), plain("late")});
  ask(terminate_child{"early"});
  ask(terminate_child{"late"});
  crash("a");
  CAF_CHECK_EQUAL(children(), list({"early stopped", "a running", "late stopped"}));
}

CAF_TEST(temporary members of a group are stopped and forgotten) {
  for (const auto s : with_groups) {
    start({s}, {plain("t", restart::temporary), plain("a"), plain("u", restart::temporary), plain("c")});
    log.clear();
    crash("a");
    const bool all = s == strategy::one_for_all;
    CAF_CHECK_EQUAL(log,
                    all ? list({"-a", "-c", "-u", "-t", "+a", "+c"}) : list({"-a", "-c", "-u", "+a", "+c"}));
    CAF_CHECK_EQUAL(children(),
                    all ? list({"a running", "c running"}) : list({"t running", "a running", "c running"}));
  }
}

CAF_TEST(a member that fails in a restart of its group is the one that is tried again) {
  for (const auto s : with_groups) {
    const bool all = s == strategy::one_for_all;
    start({s, 2}, {plain("z"), plain("a"), flaky("f", {step::at_once, step::error}), plain("c")});
    log.clear();
    crash("a");
    CAF_CHECK_EQUAL(log,
                    all ? list({"-a", "-c", "-f", "-z", "+z", "+a", "!f", "-a", "-z", "+z", "+a", "+f", "+c"})
                        : list({"-a", "-c", "-f", "+a", "!f", "+f", "+c"}));
    CAF_CHECK(!root_is_down());
    CAF_CHECK_EQUAL(children(), list({"z running", "a running", "f running", "c running"}));
    crash("z");
    CAF_CHECK(root_is_down());
  }
}

CAF_TEST(until the next attempt those behind the failed member do not run and those before it do) {
  for (const auto s : with_groups) {
    start(waits(s, 5), {plain("a"), flaky("f", {step::at_once, step::error}), plain("c")});
    crash("a");
    pass(1s);
    CAF_CHECK_EQUAL(children(), list({"a running", "f restarting", "c stopped"}));
    pass(1s);
    CAF_CHECK_EQUAL(children(), list({"a running", "f running", "c running"}));
  }
}

CAF_TEST(one behind a failed member can be started by hand and goes along with the next attempt) {
  start(waits(strategy::rest_for_one, 5), {plain("a"), flaky("f", {step::at_once, step::error}), plain("c")});
  crash("a");
  pass(1s);
  CAF_CHECK(!ask(restart_child{"c"}));
  CAF_CHECK_EQUAL(ask(restart_child{"f"}), exit_code::restarting);
  log.clear();
  pass(1s);
  CAF_CHECK_EQUAL(log, list({"-c", "+f", "+c"}));
}

CAF_TEST(two deaths at once in one group are one restart) {
  for (const auto s : with_groups) {
    start({s, 1}, {plain("a"), plain("b"), plain("c")});
    const auto a = kid("a");
    const auto b = kid("b");
    const auto c = kid("c");
    log.clear();
    for (const auto& victim : {a, b, c})
      caf::anon_send_exit(victim, caf::exit_reason::kill);
    run();
    CAF_CHECK_EQUAL(log, list({"-a", "-b", "-c", "+a", "+b", "+c"}));
    CAF_CHECK_EQUAL(children(), list({"a running", "b running", "c running"}));
    CAF_CHECK(!root_is_down());
    crash("a");
    CAF_CHECK(root_is_down());
  }
}

CAF_TEST(deaths at once under one_for_one are a restart each) {
  start({strategy::one_for_one, 2}, {plain("a"), plain("b"), plain("c")});
  const auto a = kid("a");
  const auto b = kid("b");
  caf::anon_send_exit(b, caf::exit_reason::kill);
  caf::anon_send_exit(a, caf::exit_reason::kill);
  run();
  CAF_CHECK(!root_is_down());
  CAF_CHECK_EQUAL(children(), list({"a running", "b running", "c running"}));
  crash("c");
  CAF_CHECK(root_is_down());
}

CAF_TEST(a death while the group is being stopped is no restart of its own) {
  for (const auto s : with_groups) {
    start({s, 1}, {plain("a"), plain("b"), slow("c")});
    const auto b = kid("b");
    log.clear();
    log_capture said;
    crash("a");
    kill(b);
    CAF_CHECK_EQUAL(log, list({"-a", "-b"}));
    pass(100ms);
    CAF_CHECK_EQUAL(log, list({"-a", "-b", "-c", "+a", "+b", "+c"}));
    CAF_CHECK_EQUAL(said.reports(), list({"child_terminated a: crashed: boom", "shutdown_error b: kill"}));
    CAF_CHECK(!root_is_down());
    CAF_CHECK_EQUAL(children(), list({"a running", "b running", "c running"}));
  }
}

CAF_TEST(a death that is news only after the group was started again is a restart) {
  start({strategy::one_for_all, 2}, {plain("a"), plain("b")});
  crash("a");
  crash("b");
  CAF_CHECK(!root_is_down());
  crash("b");
  CAF_CHECK(root_is_down());
}

CAF_TEST(one outside of the group that dies during its stop has its own restart) {
  start({strategy::rest_for_one, 2}, {plain("z"), plain("a"), slow("c")});
  const auto z = kid("z");
  log.clear();
  crash("a");
  crash(z);
  pass(100ms);
  CAF_CHECK_EQUAL(log, list({"-a", "-z", "-c", "+a", "+c"}));
  pass(100ms);
  CAF_CHECK_EQUAL(log, list({"-a", "-z", "-c", "+a", "+c", "-c", "-a", "+z", "+a", "+c"}));
  CAF_CHECK_EQUAL(children(), list({"z running", "a running", "c running"}));
  CAF_CHECK(!root_is_down());
  crash("z");
  pass(100ms);
  CAF_CHECK(root_is_down());
}

CAF_TEST(the restart of a group makes void what was to be restarted in it) {
  start(waits(strategy::one_for_all, 1), {plain("a"), plain("b")});
  const auto b = kid("b");
  log.clear();
  crash("a");
  pass(500ms);
  crash(b);
  CAF_CHECK_EQUAL(children(), list({"a restarting", "b restarting"}));
  pass(500ms);
  CAF_CHECK_EQUAL(log, list({"-a", "-b", "+a", "+b"}));
  pass(10s);
  CAF_CHECK_EQUAL(log, list({"-a", "-b", "+a", "+b"}));
  CAF_CHECK(!root_is_down());
}

CAF_TEST(a restart that chooses not to run is not tried again) {
  for (const auto s : with_ids) {
    start({s, 1}, {flaky("a", {step::at_once, step::ignore}), plain("b")});
    script_of("a")->calls = 0;
    crash("a");
    CAF_CHECK_EQUAL(script_of("a")->calls, 1);
    CAF_CHECK_EQUAL(children(), list({"a stopped", "b running"}));
    CAF_CHECK(!root_is_down());
  }
}

CAF_TEST(restarts keep their place in the order) {
  for (const auto s : with_ids) {
    start({s, 5}, {plain("a"), plain("b"), plain("c")});
    crash("a");
    crash("b");
    CAF_CHECK_EQUAL(children(), list({"a running", "b running", "c running"}));
    log.clear();
    stop();
    CAF_CHECK_EQUAL(log, list({"-c", "-b", "-a"}));
  }
}

CAF_TEST(a child that was added by request is last in the order and in its group) {
  start({strategy::rest_for_one, 5}, {plain("a"), plain("b")});
  ask(start_child{plain("n")});
  log.clear();
  crash("b");
  CAF_CHECK_EQUAL(log, list({"-b", "-n", "+b", "+n"}));
  log.clear();
  crash("n");
  CAF_CHECK_EQUAL(log, list({"-n", "+n"}));
}

CAF_TEST(a child that was dead when its supervisor looked is restarted) {
  auto corpse = sys.spawn<probe>(worker_options{"x"});
  kill(corpse);
  auto spec = plain("a");
  int starts = 0;
  spec.start = [&, good = spec.start](const start_context& context) -> start_result {
    return ++starts == 1 ? start_result{started{corpse}} : good(context);
  };
  start({}, {spec});
  CAF_CHECK_EQUAL(starts, 2);
  CAF_CHECK_EQUAL(children(), list({"a running"}));
  crash("a");
  CAF_CHECK(root_is_down());
}

CAF_TEST(news of an end that fits no child is ignored) {
  start({strategy::one_for_all, 0}, {plain("a"), plain("b")});
  log.clear();
  const auto why = make_exit(exit_code::crashed);
  for (std::uint32_t slot = 0; slot < 4; ++slot)
    caf::anon_send(root, child_down{{slot, 12345}, why});
  caf::anon_send(root, child_retry{{0, 12345}});
  tell(root, caf::down_msg{self->address(), why});
  CAF_CHECK_EQUAL(log, events{});
  CAF_CHECK_EQUAL(children(), list({"a running", "b running"}));
  CAF_CHECK(!root_is_down());
}

CAF_TEST(a failure goes up level by level and only as far as it must) {
  const auto twig = [&](restart r) {
    auto spec = supervisor_spec("twig", {strategy::one_for_one, 0}, {plain("leaf")});
    spec.restart = r;
    return spec;
  };
  start({strategy::one_for_one, 1},
        {supervisor_spec("branch", {strategy::one_for_one, 1}, {twig(restart::permanent)}), plain("z")});
  const auto leaf = [&] { return kid_of(kid_of(kid("branch"), "twig"), "leaf"); };
  log.clear();
  const auto branch = kid("branch");
  crash(leaf());
  CAF_CHECK_EQUAL(log, list({"-leaf", "+leaf"}));
  CAF_CHECK(kid("branch") == branch);
  crash(leaf());
  CAF_CHECK_EQUAL(log, list({"-leaf", "+leaf", "-leaf", "+leaf"}));
  CAF_CHECK(kid("branch") != branch);
  CAF_CHECK(!root_is_down());
  crash(leaf());
  crash(leaf());
  CAF_CHECK(root_is_down());
  CAF_CHECK_EQUAL(log.back(), "-z");
}

CAF_TEST(a transient supervisor that has given up is not restarted) {
  auto branch = supervisor_spec("branch", {strategy::one_for_one, 0}, {plain("a")});
  branch.restart = restart::transient;
  start({}, {branch, plain("z")});
  log.clear();
  crash(kid_of(kid("branch"), "a"));
  CAF_CHECK_EQUAL(log, list({"-a"}));
  CAF_CHECK_EQUAL(children(), list({"branch stopped", "z running"}));
  CAF_CHECK(!root_is_down());
}

CAF_TEST_FIXTURE_SCOPE_END()

namespace {

// One child, or instance, whose restarts fail for ever, under an intensity that is never used up.
struct loop_fixture : strategies_fixture {
  static constexpr std::uint32_t endless = 1'000'000;

  // Starts it, crashes it, and lets it fail for a while: `dead` fails later, `error` at once.
  std::string enter(strategy s, step failure) {
    CAF_MESSAGE(to_string(s) << (failure == step::error ? ", failing at once" : ", failing later"));
    luck = script{{step::at_once}, failure};
    caf::actor victim;
    std::string id = "f";
    if (s == strategy::simple_one_for_one) {
      start({s, endless}, {scripted_spec(luck, options("f"))});
      victim = instance();
      id = pid_of(victim);
    } else {
      start({s, endless}, {plain("a"), scripted_spec(luck, options("f")), plain("c")});
      victim = kid("f");
    }
    self->send(victim, 0);
    sched.run(300);
    CAF_CHECK(luck->calls > 3);
    CAF_CHECK(luck->calls < 400);
    return id;
  }
  // Sends a request and runs a while: the loop must let it through.
  template <class M>
  std::optional<answer<M>> ask_in_loop(M message) {
    std::optional<answer<M>> got;
    refusal = {};
    auto handle = self->request(root, caf::infinite, std::move(message));
    sched.run(100);
    if (self->mailbox().empty())
      return got;  // it has no turn
    handle.receive([&](answer<M>& value) { got = std::move(value); }, [&](caf::error& e) { refusal = e; });
    return got;
  }
  script luck;
  silence quiet;
};

const strategy any_strategy[] = {strategy::one_for_one, strategy::one_for_all, strategy::rest_for_one,
                                 strategy::simple_one_for_one};

}  // namespace

CAF_TEST_FIXTURE_SCOPE(supervisor_strategies_loop_tests, loop_fixture)

CAF_TEST(a loop of restarts that fail lets questions through) {
  for (const auto s : any_strategy) {
    for (const auto failure : {step::error, step::dead}) {
      enter(s, failure);
      const auto all = ask_in_loop(which_children{});
      CAF_CHECK(all.has_value());
      const auto counted = ask_in_loop(count_children{});
      CAF_REQUIRE(counted.has_value());
      CAF_CHECK_EQUAL(counted->workers, s == strategy::simple_one_for_one ? 1u : 3u);
    }
  }
}

CAF_TEST(a loop of restarts that fail is ended by terminate_child) {
  for (const auto s : any_strategy) {
    for (const auto failure : {step::error, step::dead}) {
      const auto id = enter(s, failure);
      const bool simple = s == strategy::simple_one_for_one;
      if (!(simple && failure == step::dead)) {  // whose number changes with each attempt
        CAF_CHECK(ask_in_loop(terminate_child{id}).has_value());
        const auto starts = luck->calls;
        run();
        pass(1min);
        CAF_CHECK_EQUAL(luck->calls, starts);
        const auto workers = get(count_children{}).workers;
        CAF_CHECK_EQUAL(workers, simple ? 0u : 3u);
        CAF_CHECK(!root_is_down());
        if (!simple) {
          luck->rest = step::at_once;
          CAF_CHECK(!ask(restart_child{"f"}));
        }
      }
    }
  }
}

CAF_TEST(a loop of restarts that fail refuses what a child that is being restarted refuses) {
  for (const auto s : with_ids) {
    enter(s, step::error);
    CAF_CHECK(!ask_in_loop(restart_child{"f"}).has_value());
    CAF_CHECK_EQUAL(refusal, exit_code::restarting);
    CAF_CHECK(!ask_in_loop(delete_child{"f"}).has_value());
    CAF_CHECK_EQUAL(refusal, exit_code::restarting);
    CAF_CHECK(!ask_in_loop(start_child{plain("f")}).has_value());
    CAF_CHECK_EQUAL(refusal, exit_code::already_present);
  }
}

CAF_TEST(a loop of restarts that fail is ended by a shutdown) {
  for (const auto s : any_strategy) {
    for (const auto failure : {step::error, step::dead}) {
      enter(s, failure);
      send_shutdown(root);
      sched.run(100);
      CAF_CHECK(root_is_down());
      CAF_CHECK_EQUAL(describe(reason), "shutdown");
      const auto starts = luck->calls;
      run();
      CAF_CHECK_EQUAL(luck->calls, starts);
    }
  }
}

CAF_TEST(a loop of restarts that fail ends when a start succeeds) {
  for (const auto s : any_strategy) {
    for (const auto failure : {step::error, step::dead}) {
      enter(s, failure);
      luck->rest = step::at_once;
      run();
      CAF_CHECK_EQUAL(counts(), s == strategy::simple_one_for_one ? "1 1 0 1" : "3 3 0 3");
    }
  }
}

CAF_TEST(a sibling that dies in the loop is restarted too) {
  enter(strategy::one_for_one, step::dead);
  const auto a = ask_in_loop(find_child{"a"});
  CAF_REQUIRE(a.has_value());
  log.clear();
  self->send(*a, 0);
  sched.run(50);
  CAF_CHECK_EQUAL(std::count(log.begin(), log.end(), "-a"), 1);
  CAF_CHECK_EQUAL(std::count(log.begin(), log.end(), "+a"), 1);
  CAF_CHECK(std::count(log.begin(), log.end(), "+f") > 0);
}

CAF_TEST_FIXTURE_SCOPE_END()
