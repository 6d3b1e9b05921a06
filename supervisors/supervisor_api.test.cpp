#define CAF_SUITE supervisor_api

#include "supervisors/runtime.hpp"
#include "supervisors/supervisor.hpp"
#include "tests/unit/caf_test.hpp"

#include "supervisors/test_script.hpp"
#include "supervisors/test_supervisor.hpp"

using namespace cafmcp::otp;
using namespace cafmcp::otp::testing;

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(std::shared_ptr<int>)

CAF_TEST_FIXTURE_SCOPE(supervisor_api_tests, script_fixture)

CAF_TEST(start_child puts the child at the end and answers with its actor and info) {
  start({}, {plain("a")});
  auto spec = plain("b");
  spec.start = [this](const start_context& context) -> start_result {
    return started{spawn_probe(context, {"b", &log}), false, caf::make_message(7)};
  };
  const auto answer = get(start_child{spec});
  CAF_REQUIRE(!refusal);
  CAF_CHECK_EQUAL(answer.actor, kid("b"));
  CAF_REQUIRE(answer.info.match_elements<int>());
  CAF_CHECK_EQUAL(answer.info.get_as<int>(0), 7);
  CAF_CHECK_EQUAL(children(), list({"a running", "b running"}));
  CAF_CHECK(!ask(terminate_child{"b"}));
  const auto again = get(restart_child{"b"});
  CAF_REQUIRE(!refusal);
  CAF_CHECK_EQUAL(again.actor, kid("b"));
  CAF_CHECK(again.info.match_elements<int>());
}

CAF_TEST(start_child of one that runs is already_started and carries the actor) {
  start({}, {plain("a")});
  log.clear();
  CAF_CHECK_EQUAL(ask(start_child{plain("a")}), exit_code::already_started);
  const auto carried = running_child(refusal);
  CAF_CHECK(carried);
  CAF_CHECK_EQUAL(carried, kid("a"));
  CAF_CHECK_EQUAL(log, events{});
}

CAF_TEST(start_child of one that does not run is already_present) {
  start(backing_off(), {plain("terminated"), plain("restarting"), plain("ended", restart::transient),
                        flaky("ignored", {step::ignore})});
  CAF_CHECK(!ask(terminate_child{"terminated"}));
  crash("restarting");
  end("ended");
  for (const auto* id : {"terminated", "restarting", "ended", "ignored"}) {
    CAF_CHECK_EQUAL(ask(start_child{plain(id)}), exit_code::already_present);
    CAF_CHECK(!running_child(refusal));
  }
  CAF_CHECK_EQUAL(counts(), "4 0 0 4");
}

CAF_TEST(start_child that fails leaves nothing and hands the error on with its code) {
  start({}, {plain("a")});
  failing("b", 1);
  CAF_CHECK_EQUAL(ask(start_child{named(flaky("b"), "the-b")}), caf::sec::cannot_open_port);
  CAF_CHECK_EQUAL(children(), list({"a running"}));
  CAF_CHECK_EQUAL(counts(), "1 1 0 1");
  CAF_CHECK(names->lookup("the-b").error().code == cafmcp::errc::not_found);
  CAF_CHECK_EQUAL(ask(find_child{"b"}), exit_code::not_found);
  CAF_CHECK(!ask(start_child{named(flaky("b"), "the-b")}));
  CAF_CHECK_EQUAL(ask(start_child{flaky("c", {step::raise})}), exit_code::crashed);
  CAF_CHECK_EQUAL(describe(refusal), "crashed: no luck");
  CAF_CHECK_EQUAL(children(), list({"a running", "b running"}));
}

CAF_TEST(a start function may say already_started and its caller gets that actor) {
  start({}, {plain("a")});
  const auto other = kid("a");
  auto spec = plain("b");
  spec.start = [other](const start_context&) -> start_result { return make_already_started("b", other); };
  CAF_CHECK_EQUAL(ask(start_child{spec}), exit_code::already_started);
  CAF_CHECK_EQUAL(running_child(refusal), other);
  CAF_CHECK_EQUAL(children(), list({"a running"}));
}

CAF_TEST(a child added by request may choose not to run) {
  start({}, {});
  script_of("s")->rest = step::ignore;
  auto shy = flaky("s");
  const auto answer = get(start_child{shy});
  CAF_REQUIRE(!refusal);
  CAF_CHECK(!answer.actor);
  CAF_CHECK_EQUAL(children(), list({"s stopped"}));
  const auto again = get(restart_child{"s"});
  CAF_REQUIRE(!refusal);
  CAF_CHECK(!again.actor);
  CAF_CHECK_EQUAL(children(), list({"s stopped"}));
  shy.id = "t";
  shy.restart = restart::temporary;
  CAF_CHECK(!ask(start_child{shy}));
  CAF_CHECK_EQUAL(children(), list({"s stopped"}));
}

CAF_TEST(a bad specification changes nothing) {
  start({}, {plain("a")});
  log.clear();
  auto spec = plain("b");
  for (const auto* id : {"", "b/c", "#1"}) {
    spec.id = id;
    CAF_CHECK_EQUAL(ask(start_child{spec}), exit_code::bad_specification);
  }
  spec.id = std::string(256, 'x');
  CAF_CHECK_EQUAL(ask(start_child{spec}), exit_code::bad_specification);
  spec.id = "b";
  spec.start = {};
  CAF_CHECK_EQUAL(ask(start_child{spec}), exit_code::bad_specification);
  CAF_CHECK_EQUAL(children(), list({"a running"}));
  CAF_CHECK_EQUAL(log, events{});
}

CAF_TEST(restart_child starts one that does not run and refuses all others) {
  start(backing_off(), {plain("a"), plain("b"), plain("c")});
  CAF_CHECK_EQUAL(ask(restart_child{"a"}), exit_code::running);
  CAF_CHECK_EQUAL(ask(restart_child{"nobody"}), exit_code::not_found);
  crash("c");
  CAF_CHECK_EQUAL(ask(restart_child{"c"}), exit_code::restarting);
  CAF_CHECK(!ask(terminate_child{"a"}));
  log.clear();
  const auto answer = get(restart_child{"a"});
  CAF_REQUIRE(!refusal);
  CAF_CHECK_EQUAL(answer.actor, kid("a"));
  CAF_CHECK_EQUAL(log, list({"+a"}));
  CAF_CHECK_EQUAL(children(), list({"a running", "b running", "c restarting"}));
}

CAF_TEST(restart_child that fails keeps the specification and hands the error on) {
  start({}, {flaky("a")});
  CAF_CHECK(!ask(terminate_child{"a"}));
  failing("a", 1);
  CAF_CHECK_EQUAL(ask(restart_child{"a"}), caf::sec::cannot_open_port);
  CAF_CHECK_EQUAL(children(), list({"a stopped"}));
  pass(60s);
  CAF_CHECK_EQUAL(children(), list({"a stopped"}));
  CAF_CHECK(!ask(restart_child{"a"}));
  CAF_CHECK_EQUAL(children(), list({"a running"}));
}

CAF_TEST(terminate_child stops one that runs and keeps its specification) {
  start({strategy::one_for_all, 0},
        {plain("a"), plain("b", restart::transient), plain("t", restart::temporary)});
  const auto restarts = restarts_total();
  log.clear();
  CAF_CHECK(!ask(terminate_child{"a"}));
  CAF_CHECK(!ask(terminate_child{"b"}));
  CAF_CHECK(!ask(terminate_child{"t"}));
  CAF_CHECK_EQUAL(log, list({"-a", "-b", "-t"}));
  CAF_CHECK_EQUAL(children(), list({"a stopped", "b stopped"}));
  CAF_CHECK_EQUAL(restarts_total(), restarts);
  CAF_CHECK(!root_is_down());
}

CAF_TEST(terminate_child of one that does not run is no error unless nobody knows it) {
  start(backing_off(), {plain("a"), plain("b", restart::transient)});
  CAF_CHECK(!ask(terminate_child{"a"}));
  CAF_CHECK(!ask(terminate_child{"a"}));
  end("b");
  CAF_CHECK(!ask(terminate_child{"b"}));
  CAF_CHECK_EQUAL(ask(terminate_child{"nobody"}), exit_code::not_found);
  CAF_CHECK_EQUAL(children(), list({"a stopped", "b stopped"}));
}

CAF_TEST(terminate_child answers when the child is gone) {
  start({}, {slow("a")});
  auto handle = self->request(root, caf::infinite, terminate_child{"a"});
  run();
  CAF_CHECK_EQUAL(children(), list({"a stopping"}));
  CAF_CHECK_EQUAL(log, list({"+a"}));
  bool answered = false;
  pass(100ms);
  handle.receive([&](caf::ok_atom) { answered = true; }, [](const caf::error&) {});
  CAF_CHECK(answered);
  CAF_CHECK_EQUAL(log, list({"+a", "-a"}));
}

CAF_TEST(terminate_child ends a restart that waits) {
  start(backing_off(), {plain("a")});
  crash("a");
  CAF_CHECK_EQUAL(children(), list({"a restarting"}));
  log.clear();
  CAF_CHECK(!ask(terminate_child{"a"}));
  CAF_CHECK_EQUAL(children(), list({"a stopped"}));
  pass(60s);
  CAF_CHECK_EQUAL(log, events{});
  CAF_CHECK(!ask(restart_child{"a"}));
  CAF_CHECK_EQUAL(children(), list({"a running"}));
}

// Each attempt gives others a turn, so the request comes in after a few of a million.
CAF_TEST(terminate_child ends a loop of restarts that fail at once) {
  for (const auto s : {strategy::one_for_one, strategy::one_for_all, strategy::rest_for_one}) {
    start({s, 1'000'000}, {flaky("a")});
    const auto victim = kid("a");
    script_of("a")->rest = step::error;
    script_of("a")->calls = 0;
    self->send(victim, 0);
    for (int i = 0; i < 20; ++i)
      sched.run_once();
    CAF_CHECK(script_of("a")->calls > 0);
    CAF_CHECK(!ask(terminate_child{"a"}));
    CAF_CHECK(script_of("a")->calls < 1000);
    CAF_CHECK_EQUAL(children(), list({"a stopped"}));
    script_of("a")->rest = step::at_once;
    CAF_CHECK(!ask(restart_child{"a"}));
    CAF_CHECK_EQUAL(children(), list({"a running"}));
    stop();
  }
}

CAF_TEST(delete_child forgets one that does not run and refuses all others) {
  start(backing_off(), {plain("a"), plain("b"), plain("c")});
  CAF_CHECK_EQUAL(ask(delete_child{"a"}), exit_code::running);
  CAF_CHECK_EQUAL(ask(delete_child{"nobody"}), exit_code::not_found);
  crash("c");
  CAF_CHECK_EQUAL(ask(delete_child{"c"}), exit_code::restarting);
  CAF_CHECK(!ask(terminate_child{"b"}));
  CAF_CHECK(!ask(delete_child{"b"}));
  CAF_CHECK_EQUAL(children(), list({"a running", "c restarting"}));
  CAF_CHECK_EQUAL(ask(delete_child{"b"}), exit_code::not_found);
  CAF_CHECK_EQUAL(ask(restart_child{"b"}), exit_code::not_found);
  CAF_CHECK(!ask(start_child{plain("b")}));
  CAF_CHECK_EQUAL(children(), list({"a running", "c restarting", "b running"}));
}

CAF_TEST(a temporary child that has ended is unknown) {
  for (const int how : {0, 1}) {
    start({}, {plain("t", restart::temporary)});
    tell("t", how);
    CAF_CHECK_EQUAL(ask(find_child{"t"}), exit_code::not_found);
    CAF_CHECK_EQUAL(ask(restart_child{"t"}), exit_code::not_found);
    CAF_CHECK_EQUAL(ask(terminate_child{"t"}), exit_code::not_found);
    CAF_CHECK_EQUAL(ask(delete_child{"t"}), exit_code::not_found);
    CAF_CHECK_EQUAL(ask(get_childspec{"t"}), exit_code::not_found);
    CAF_CHECK(!ask(start_child{plain("t", restart::temporary)}));
    stop();
  }
}

CAF_TEST(find_child says why there is no actor) {
  start(backing_off(), {plain("a"), plain("b"), plain("c")});
  CAF_CHECK(!ask(find_child{"a"}));
  CAF_CHECK(!ask(terminate_child{"b"}));
  crash("c");
  CAF_CHECK_EQUAL(ask(find_child{"b"}), exit_code::noproc);
  CAF_CHECK_EQUAL(ask(find_child{"c"}), exit_code::restarting);
  CAF_CHECK_EQUAL(ask(find_child{"nobody"}), exit_code::not_found);
  CAF_CHECK_EQUAL(ask(find_child{pid_of(kid("a"))}), exit_code::not_found);
  pass(1s);
  CAF_CHECK(kid("c"));
}

CAF_TEST(get_childspec gives back all that was given) {
  auto spec = named(plain("x", restart::transient), "the-x");
  spec.significant = true;
  spec.type = child_type::supervisor;
  spec.module = "something";
  spec.start_timeout = 3s;
  for (const auto& rule : {shutdown_rule::brutal_kill(), shutdown_rule::within(0ms),
                           shutdown_rule::within(77ms), shutdown_rule::infinity()}) {
    spec.shutdown = rule;
    start({strategy::one_for_one, 1, 5s, auto_shutdown::all_significant}, {spec, plain("y")});
    const auto given = get(get_childspec{"x"});
    CAF_REQUIRE(!refusal);
    CAF_CHECK_EQUAL(given.id, "x");
    CAF_CHECK(static_cast<const child_kind&>(given) == static_cast<const child_kind&>(spec));
    CAF_CHECK(given.shutdown == rule);
    CAF_CHECK(!ask(terminate_child{"x"}));
    CAF_CHECK(!ask(get_childspec{"x"}));
    CAF_CHECK_EQUAL(ask(get_childspec{"z"}), exit_code::not_found);
    stop();
  }
}

CAF_TEST(what a temporary child added by request was made of is not kept) {
  auto life = std::make_shared<int>(0);
  const std::weak_ptr<int> weak = life;
  auto spec = probe_spec({"t"}, restart::temporary);
  spec.start = [life](const start_context& context) -> start_result {
    return started{spawn_probe(context, {"t"})};
  };
  start({}, {probe_spec({"a"}, restart::temporary)});
  CAF_CHECK(!ask(start_child{spec}));
  spec.start = {};
  life = nullptr;
  const auto given = get(get_childspec{"t"});
  CAF_REQUIRE(!refusal);
  CAF_CHECK(!given.start);
  CAF_CHECK(given.restart == restart::temporary);
  CAF_CHECK_EQUAL(given.module, "probe");
  CAF_CHECK(get(get_childspec{"a"}).start);
  CAF_CHECK_EQUAL(counts(), "2 2 0 2");
  // The table keeps the last kind it was given until there is another.
  CAF_CHECK(!ask(start_child{probe_spec({"b"})}));
  CAF_CHECK(weak.expired());
}

CAF_TEST(which_children lists the last one started first with all that is known) {
  auto branch = supervisor_spec("branch", {}, {});
  start(backing_off(strategy::rest_for_one), {plain("a"), branch, flaky("c"), plain("d")});
  CAF_CHECK(!ask(terminate_child{"a"}));
  const auto all = get(which_children{});
  CAF_REQUIRE(!refusal);
  CAF_REQUIRE_EQUAL(all.size(), 4u);
  CAF_CHECK_EQUAL(all[0].id, "d");
  CAF_CHECK_EQUAL(all[0].actor, kid("d"));
  CAF_CHECK_EQUAL(all[0].module, "probe");
  CAF_CHECK(all[0].type == child_type::worker);
  CAF_CHECK_EQUAL(all[2].id, "branch");
  CAF_CHECK_EQUAL(all[2].module, "supervisor");
  CAF_CHECK(all[2].type == child_type::supervisor);
  CAF_CHECK_EQUAL(all[3].id, "a");
  CAF_CHECK(!all[3].actor);
  CAF_CHECK(all[3].status == child_status::stopped);
  crash("c");
  CAF_CHECK_EQUAL(children(), list({"a stopped", "branch running", "c restarting", "d running"}));
  pass(1s);
  CAF_CHECK_EQUAL(children(), list({"a stopped", "branch running", "c running", "d running"}));
  CAF_CHECK(kid("d") != all[0].actor);
}

CAF_TEST(count_children counts workers and supervisors whether they run or not ) {
  auto branch = supervisor_spec("branch", {}, {plain("x")});
  start(backing_off(), {plain("a"), plain("b"), branch, plain("c")});
  CAF_CHECK_EQUAL(counts(), "4 4 1 3");
  CAF_CHECK(!ask(terminate_child{"a"}));
  CAF_CHECK_EQUAL(counts(), "4 3 1 3");
  crash("b");
  CAF_CHECK_EQUAL(counts(), "4 2 1 3");
  CAF_CHECK(!ask(terminate_child{"branch"}));
  CAF_CHECK_EQUAL(counts(), "4 1 1 3");
  CAF_CHECK(!ask(delete_child{"branch"}));
  CAF_CHECK_EQUAL(counts(), "3 1 0 3");
  pass(1s);
  CAF_CHECK_EQUAL(counts(), "3 2 0 3");
}

CAF_TEST(members that a failed group restart has left behind can be restarted and deleted) {
  start(backing_off(strategy::one_for_all), {flaky("a"), named(plain("b"), "the-b"), flaky("c")});
  failing("a", 1000);
  crash("a");
  pass(1s);
  CAF_CHECK_EQUAL(children(), list({"a restarting", "b stopped", "c stopped"}));
  CAF_CHECK(!ask(delete_child{"b"}));
  CAF_CHECK(names->lookup("the-b").error().code == cafmcp::errc::not_found);
  CAF_CHECK(!ask(restart_child{"c"}));
  CAF_CHECK_EQUAL(children(), list({"a restarting", "c running"}));
  CAF_CHECK(!ask(start_child{named(plain("d"), "the-b")}));
  CAF_CHECK(names->lookup("the-b").has_value());
  failing("a", 0);
  pass(2s);
  CAF_CHECK_EQUAL(children(), list({"a running", "c running", "d running"}));
}

// The retry of the first failure must not live on beside the retry of the second.
CAF_TEST(a retry that a group restart has overtaken is void even if that fails) {
  start(backing_off(strategy::one_for_all), {plain("a"), flaky("b")});
  failing("b", 1000);
  crash("b");
  pass(1s);  // fails; the second attempt is due in 2 s
  CAF_CHECK_EQUAL(log, list({"+a", "+b", "-b", "-a", "+a", "!b"}));
  pass(500ms);
  log.clear();
  crash("a");  // starts again in 1 s
  pass(1s);
  CAF_CHECK_EQUAL(log, list({"-a", "+a", "!b"}));  // b is due in 4 s
  log.clear();
  pass(500ms);  // when the one that was overtaken was due
  CAF_CHECK_EQUAL(log, events{});
  pass(3500ms);
  CAF_CHECK_EQUAL(log, list({"-a", "+a", "!b"}));
}

CAF_TEST(requests wait their turn and what only looks does not ) {
  start({}, {plain("a")});
  auto first = self->request(root, caf::infinite, start_child{flaky("h", {step::later})});
  auto second = self->request(root, caf::infinite, terminate_child{"h"});
  auto third = self->request(root, caf::infinite, delete_child{"h"});
  run();
  CAF_CHECK_EQUAL(children(), list({"a running", "h starting"}));
  CAF_CHECK_EQUAL(counts(), "2 2 0 2");
  tell("h", verdict::acknowledge);
  events answers;
  first.receive([&](const child_started&) { answers.push_back("started"); }, [](const caf::error&) {});
  second.receive([&](caf::ok_atom) { answers.push_back("terminated"); }, [](const caf::error&) {});
  third.receive([&](caf::ok_atom) { answers.push_back("deleted"); }, [](const caf::error&) {});
  CAF_CHECK_EQUAL(answers, list({"started", "terminated", "deleted"}));
  CAF_CHECK_EQUAL(children(), list({"a running"}));
}

CAF_TEST(requests during a stop are refused as stopping) {
  start({}, {slow("a"), plain("b")});
  stop();
  CAF_CHECK_EQUAL(ask(start_child{plain("c")}), exit_code::stopping);
  CAF_CHECK_EQUAL(ask(restart_child{"b"}), exit_code::stopping);
  CAF_CHECK_EQUAL(ask(terminate_child{"b"}), exit_code::stopping);
  CAF_CHECK_EQUAL(ask(delete_child{"b"}), exit_code::stopping);
  CAF_CHECK_EQUAL(ask(change_supervisor{supervisor_flags{}}), exit_code::stopping);
  CAF_CHECK_EQUAL(children(), list({"a stopping", "b stopped"}));
  pass(100ms);
  CAF_CHECK(root_is_down());
}

CAF_TEST(an instance is started with its arguments and answers with its info) {
  start({strategy::simple_one_for_one}, {instances()});
  CAF_CHECK_EQUAL(counts(), "1 0 0 0");
  const auto answer = get(start_instance{caf::make_message(std::string{"x"}), nullptr});
  CAF_REQUIRE(!refusal);
  CAF_REQUIRE(answer.info.match_elements<std::string>());
  CAF_CHECK_EQUAL(answer.info.get_as<std::string>(0), "info of x");
  CAF_CHECK_EQUAL(log, list({"+x"}));
  CAF_CHECK_EQUAL(kid(pid_of(answer.actor)), answer.actor);
  CAF_CHECK_EQUAL(counts(), "1 1 0 1");
  CAF_CHECK_EQUAL(children(), events{pid_of(answer.actor) + " running"});
}

CAF_TEST(start_child and start_instance are each for their own supervisors) {
  start({strategy::simple_one_for_one}, {instances()});
  CAF_CHECK_EQUAL(ask(start_child{plain("z")}), exit_code::simple_one_for_one);
  stop();
  start({}, {});
  CAF_CHECK_EQUAL(ask(start_instance{caf::make_message(std::string{"x"}), nullptr}),
                  exit_code::bad_specification);
  CAF_CHECK_EQUAL(counts(), "0 0 0 0");
}

CAF_TEST(an instance that fails or chooses not to run leaves nothing) {
  for (const auto r : {restart::permanent, restart::transient, restart::temporary}) {
    start({strategy::simple_one_for_one}, {instances(r)});
    failing("x", 1);
    CAF_CHECK(!instance("x"));
    CAF_CHECK_EQUAL(refusal, caf::sec::cannot_open_port);
    script_of("x")->rest = step::ignore;
    CAF_CHECK(!instance("x"));
    CAF_CHECK(!refusal);
    CAF_CHECK_EQUAL(counts(), "1 0 0 0");
    script_of("x")->rest = step::at_once;
    CAF_CHECK(instance("x"));
    CAF_CHECK_EQUAL(counts(), "1 1 0 1");
    log.clear();
    stop();
    CAF_CHECK(root_is_down());
    CAF_CHECK_EQUAL(log, list({"-x"}));
  }
}

CAF_TEST(an instance is terminated by its number only) {
  start({strategy::simple_one_for_one}, {instances()});
  const auto x = instance("x");
  const auto y = instance("y");
  CAF_CHECK_EQUAL(ask(terminate_child{"instance"}), exit_code::simple_one_for_one);
  CAF_CHECK_EQUAL(ask(terminate_child{"x"}), exit_code::simple_one_for_one);
  CAF_CHECK_EQUAL(ask(terminate_child{pid_of(root)}), exit_code::not_found);
  for (const auto* nonsense : {"#", "#x", "#1x", "#-1", "#99999999999999999999999"})
    CAF_CHECK_EQUAL(ask(terminate_child{nonsense}), exit_code::not_found);
  log.clear();
  CAF_CHECK(!ask(terminate_child{pid_of(x)}));
  CAF_CHECK_EQUAL(log, list({"-x"}));
  CAF_CHECK_EQUAL(children(), events{pid_of(y) + " running"});
  CAF_CHECK_EQUAL(ask(terminate_child{pid_of(x)}), exit_code::not_found);
  CAF_CHECK_EQUAL(ask(find_child{pid_of(x)}), exit_code::not_found);
}

CAF_TEST(instances can be neither restarted nor deleted by request) {
  start({strategy::simple_one_for_one}, {instances()});
  const auto x = instance("x");
  for (const auto& id : {std::string{"instance"}, pid_of(x)}) {
    CAF_CHECK_EQUAL(ask(restart_child{id}), exit_code::simple_one_for_one);
    CAF_CHECK_EQUAL(ask(delete_child{id}), exit_code::simple_one_for_one);
  }
  CAF_CHECK_EQUAL(children(), events{pid_of(x) + " running"});
}

CAF_TEST(an instance that is being restarted goes by its last number) {
  start(backing_off(strategy::simple_one_for_one), {instances()});
  const auto x = pid_of(instance("x"));
  const auto y = pid_of(instance("y"));
  crash(x);
  crash(y);
  CAF_CHECK_EQUAL(ask(find_child{x}), exit_code::restarting);
  CAF_CHECK(!ask(get_childspec{x}));
  CAF_CHECK_EQUAL(children(), (events{x + " restarting", y + " restarting"}));
  CAF_CHECK_EQUAL(counts(), "1 0 0 2");
  CAF_CHECK(!ask(terminate_child{x}));
  CAF_CHECK_EQUAL(ask(find_child{x}), exit_code::not_found);
  CAF_CHECK_EQUAL(counts(), "1 0 0 1");
  log.clear();
  pass(60s);
  CAF_CHECK_EQUAL(log, list({"+y"}));
  CAF_CHECK_EQUAL(ask(find_child{y}), exit_code::not_found);
  CAF_CHECK_EQUAL(counts(), "1 1 0 1");
}

CAF_TEST(instances that end go or come back by their restart type) {
  struct row {
    restart type;
    int how;
    bool back;
  };
  for (const auto& r : {row{restart::permanent, 0, true}, row{restart::permanent, 1, true},
                        row{restart::transient, 0, true}, row{restart::transient, 1, false},
                        row{restart::temporary, 0, false}, row{restart::temporary, 1, false}}) {
    start({strategy::simple_one_for_one}, {instances(r.type)});
    const auto x = instance("x");
    log.clear();
    tell(x, r.how);
    CAF_CHECK_EQUAL(log, r.back ? list({"-x", "+x"}) : list({"-x"}));
    CAF_CHECK_EQUAL(counts(), r.back ? "1 1 0 1" : "1 0 0 0");
    CAF_CHECK_EQUAL(ask(find_child{pid_of(x)}), exit_code::not_found);
    stop();
  }
}

CAF_TEST(get_childspec of an instance is what all of them share) {
  start({strategy::simple_one_for_one}, {instances(restart::transient)});
  const auto x = instance("x");
  const auto given = get(get_childspec{pid_of(x)});
  CAF_REQUIRE(!refusal);
  CAF_CHECK_EQUAL(given.id, "instance");
  CAF_CHECK_EQUAL(given.module, "probe");
  CAF_CHECK(given.restart == restart::transient);
  CAF_CHECK(given.start);
  end(x);
  CAF_CHECK_EQUAL(ask(get_childspec{pid_of(x)}), exit_code::not_found);
  CAF_CHECK_EQUAL(ask(get_childspec{pid_of(root)}), exit_code::not_found);
}

CAF_TEST(arguments are kept for restarts and no longer than needed) {
  for (const auto r : {restart::permanent, restart::temporary}) {
    start({strategy::simple_one_for_one}, {instances(r)});
    auto life = std::make_shared<int>(0);
    const std::weak_ptr<int> weak = life;
    CAF_CHECK(!ask(start_instance{caf::make_message(std::string{"x"}, std::move(life)), nullptr}));
    CAF_CHECK_EQUAL(weak.expired(), r == restart::temporary);
    if (r == restart::permanent) {
      crash(get(which_children{}).front().actor);
      CAF_CHECK_EQUAL(log, list({"+x", "-x", "+x"}));
      CAF_CHECK(!weak.expired());
    }
    CAF_CHECK(!ask(terminate_child{pid_of(get(which_children{}).front().actor)}));
    CAF_CHECK(weak.expired());
    stop();
  }
}

CAF_TEST_FIXTURE_SCOPE_END()
