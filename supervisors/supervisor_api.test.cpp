#define CAF_SUITE supervisor_api

#include "supervisors/runtime.hpp"
#include "supervisors/supervisor.hpp"
#include "tests/unit/caf_test.hpp"

#include "supervisors/test_supervisor_c.hpp"

using namespace cafmcp::otp;
using namespace cafmcp::otp::test_c;

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(std::shared_ptr<int>)

CAF_TEST_FIXTURE_SCOPE(supervisor_api_tests, fixture)

CAF_TEST(start_child puts the child at the end and answers with its actor and info) {
  start({}, {probe_spec({"a", &log})});
  auto spec = probe_spec({"b", &log});
  spec.start = [this](const start_context& context) -> start_result {
    return started{spawn_on<probe>(context.supervisor->system(), nullptr, probe_options{"b", &log}), false,
                   caf::make_message(7)};
  };
  const auto answer = get<child_started>(start_child{spec});
  CAF_REQUIRE(answer);
  CAF_CHECK_EQUAL(answer->actor, kid("b"));
  CAF_REQUIRE(answer->info.match_elements<int>());
  CAF_CHECK_EQUAL(answer->info.get_as<int>(0), 7);
  CAF_CHECK_EQUAL(children(), list({"b running", "a running"}));
  CAF_CHECK(!try_(terminate_child{"b"}));
  const auto again = get<child_started>(restart_child{"b"});
  CAF_REQUIRE(again);
  CAF_CHECK_EQUAL(again->actor, kid("b"));
  CAF_CHECK(again->info.match_elements<int>());
}

CAF_TEST(start_child of one that runs is already_started and carries the actor) {
  start({}, {probe_spec({"a", &log})});
  log.clear();
  CAF_CHECK_EQUAL(try_(start_child{probe_spec({"a", &log})}), exit_code::already_started);
  const auto carried = running_child(refusal);
  CAF_CHECK(carried);
  CAF_CHECK_EQUAL(carried, kid("a"));
  CAF_CHECK_EQUAL(log, events{});
}

CAF_TEST(start_child of one that does not run is already_present) {
  auto shy = probe_spec({"ignored", &log});
  shy.start = [](const start_context&) -> start_result { return ignored{}; };
  start(slow(), {probe_spec({"terminated", &log}), probe_spec({"restarting", &log}),
                 probe_spec({"ended", &log}, restart::transient), shy});
  CAF_CHECK(!try_(terminate_child{"terminated"}));
  crash("restarting");
  end("ended");
  for (const auto* id : {"terminated", "restarting", "ended", "ignored"}) {
    CAF_CHECK_EQUAL(try_(start_child{probe_spec({id, &log})}), exit_code::already_present);
    CAF_CHECK(!running_child(refusal));
  }
  CAF_CHECK_EQUAL(counts(), "4 0 0 4");
}

CAF_TEST(start_child that fails leaves nothing and hands the error on with its code) {
  start({}, {probe_spec({"a", &log})});
  failing["b"] = 1;
  CAF_CHECK_EQUAL(try_(start_child{named(flaky("b"), "the-b")}), caf::sec::cannot_open_port);
  CAF_CHECK_EQUAL(children(), list({"a running"}));
  CAF_CHECK_EQUAL(counts(), "1 1 0 1");
  CAF_CHECK(names->lookup("the-b").error().code == cafmcp::errc::not_found);
  CAF_CHECK_EQUAL(try_(find_child{"b"}), exit_code::not_found);
  CAF_CHECK(!try_(start_child{named(flaky("b"), "the-b")}));
  auto thrower = probe_spec({"c", &log});
  thrower.start = [](const start_context&) -> start_result { throw std::runtime_error("boom"); };
  CAF_CHECK_EQUAL(try_(start_child{thrower}), exit_code::crashed);
  CAF_CHECK_EQUAL(describe(refusal), "crashed: boom");
  CAF_CHECK_EQUAL(children(), list({"b running", "a running"}));
}

CAF_TEST(a start function may say already_started and its caller gets that actor) {
  start({}, {probe_spec({"a", &log})});
  const auto other = kid("a");
  auto spec = probe_spec({"b", &log});
  spec.start = [other](const start_context&) -> start_result { return make_already_started("b", other); };
  CAF_CHECK_EQUAL(try_(start_child{spec}), exit_code::already_started);
  CAF_CHECK_EQUAL(running_child(refusal), other);
  CAF_CHECK_EQUAL(children(), list({"a running"}));
}

CAF_TEST(a child added by request may choose not to run) {
  start({}, {});
  auto shy = probe_spec({"s", &log});
  shy.start = [](const start_context&) -> start_result { return ignored{}; };
  const auto answer = get<child_started>(start_child{shy});
  CAF_REQUIRE(answer);
  CAF_CHECK(!answer->actor);
  CAF_CHECK_EQUAL(children(), list({"s stopped"}));
  const auto again = get<child_started>(restart_child{"s"});
  CAF_REQUIRE(again);
  CAF_CHECK(!again->actor);
  CAF_CHECK_EQUAL(children(), list({"s stopped"}));
  shy.id = "t";
  shy.restart = restart::temporary;
  CAF_CHECK(!try_(start_child{shy}));
  CAF_CHECK_EQUAL(children(), list({"s stopped"}));
}

CAF_TEST(a bad specification changes nothing) {
  start({}, {probe_spec({"a", &log})});
  log.clear();
  auto spec = probe_spec({"b", &log});
  for (const auto* id : {"", "b/c", "#1"}) {
    spec.id = id;
    CAF_CHECK_EQUAL(try_(start_child{spec}), exit_code::bad_specification);
  }
  spec.id = std::string(256, 'x');
  CAF_CHECK_EQUAL(try_(start_child{spec}), exit_code::bad_specification);
  spec.id = "b";
  spec.start = {};
  CAF_CHECK_EQUAL(try_(start_child{spec}), exit_code::bad_specification);
  CAF_CHECK_EQUAL(children(), list({"a running"}));
  CAF_CHECK_EQUAL(log, events{});
}

CAF_TEST(restart_child starts one that does not run and refuses all others) {
  start(slow(), {probe_spec({"a", &log}), probe_spec({"b", &log}), probe_spec({"c", &log})});
  CAF_CHECK_EQUAL(try_(restart_child{"a"}), exit_code::running);
  CAF_CHECK_EQUAL(try_(restart_child{"nobody"}), exit_code::not_found);
  crash("c");
  CAF_CHECK_EQUAL(try_(restart_child{"c"}), exit_code::restarting);
  CAF_CHECK(!try_(terminate_child{"a"}));
  log.clear();
  const auto answer = get<child_started>(restart_child{"a"});
  CAF_REQUIRE(answer);
  CAF_CHECK_EQUAL(answer->actor, kid("a"));
  CAF_CHECK_EQUAL(log, list({"+a"}));
  CAF_CHECK_EQUAL(children(), list({"c restarting", "b running", "a running"}));
}

CAF_TEST(restart_child that fails keeps the specification and hands the error on) {
  start({}, {flaky("a")});
  CAF_CHECK(!try_(terminate_child{"a"}));
  failing["a"] = 1;
  CAF_CHECK_EQUAL(try_(restart_child{"a"}), caf::sec::cannot_open_port);
  CAF_CHECK_EQUAL(children(), list({"a stopped"}));
  wait(60s);
  CAF_CHECK_EQUAL(children(), list({"a stopped"}));
  CAF_CHECK(!try_(restart_child{"a"}));
  CAF_CHECK_EQUAL(children(), list({"a running"}));
}

CAF_TEST(terminate_child stops one that runs and keeps its specification) {
  start({strategy::one_for_all, 0}, {probe_spec({"a", &log}), probe_spec({"b", &log}, restart::transient),
                                     probe_spec({"t", &log}, restart::temporary)});
  const auto restarts = restarts_total();
  log.clear();
  CAF_CHECK(!try_(terminate_child{"a"}));
  CAF_CHECK(!try_(terminate_child{"b"}));
  CAF_CHECK(!try_(terminate_child{"t"}));
  CAF_CHECK_EQUAL(log, list({"-a", "-b", "-t"}));
  CAF_CHECK_EQUAL(children(), list({"b stopped", "a stopped"}));
  CAF_CHECK_EQUAL(restarts_total(), restarts);
  CAF_CHECK(!root_is_down());
}

CAF_TEST(terminate_child of one that does not run is no error unless nobody knows it) {
  start(slow(), {probe_spec({"a", &log}), probe_spec({"b", &log}, restart::transient)});
  CAF_CHECK(!try_(terminate_child{"a"}));
  CAF_CHECK(!try_(terminate_child{"a"}));
  end("b");
  CAF_CHECK(!try_(terminate_child{"b"}));
  CAF_CHECK_EQUAL(try_(terminate_child{"nobody"}), exit_code::not_found);
  CAF_CHECK_EQUAL(children(), list({"b stopped", "a stopped"}));
}

CAF_TEST(terminate_child answers when the child is gone) {
  start({}, {probe_spec({"a", &log, 100ms})});
  auto handle = self->request(root, caf::infinite, terminate_child{"a"});
  sched.run();
  CAF_CHECK_EQUAL(children(), list({"a stopping"}));
  CAF_CHECK_EQUAL(log, list({"+a"}));
  bool answered = false;
  wait(100ms);
  handle.receive([&](caf::ok_atom) { answered = true; }, [](const caf::error&) {});
  CAF_CHECK(answered);
  CAF_CHECK_EQUAL(log, list({"+a", "-a"}));
}

CAF_TEST(terminate_child ends a restart that waits) {
  start(slow(), {probe_spec({"a", &log})});
  crash("a");
  CAF_CHECK_EQUAL(children(), list({"a restarting"}));
  log.clear();
  CAF_CHECK(!try_(terminate_child{"a"}));
  CAF_CHECK_EQUAL(children(), list({"a stopped"}));
  wait(60s);
  CAF_CHECK_EQUAL(log, events{});
  CAF_CHECK(!try_(restart_child{"a"}));
  CAF_CHECK_EQUAL(children(), list({"a running"}));
}

// Each attempt gives others a turn, so the request comes in after a few of a million.
CAF_TEST(terminate_child ends a loop of restarts that fail at once) {
  for (const auto s : {strategy::one_for_one, strategy::one_for_all, strategy::rest_for_one}) {
    start({s, 1'000'000}, {flaky("a")});
    const auto victim = kid("a");
    failing["a"] = 1'000'000;
    self->send(victim, 0);
    for (int i = 0; i < 20; ++i)
      sched.run_once();
    CAF_CHECK(failing["a"] < 1'000'000);
    CAF_CHECK(!try_(terminate_child{"a"}));
    CAF_CHECK(failing["a"] > 999'000);
    CAF_CHECK_EQUAL(children(), list({"a stopped"}));
    failing["a"] = 0;
    CAF_CHECK(!try_(restart_child{"a"}));
    CAF_CHECK_EQUAL(children(), list({"a running"}));
    send_shutdown(root);
    sched.run();
  }
}

CAF_TEST(delete_child forgets one that does not run and refuses all others) {
  start(slow(), {probe_spec({"a", &log}), probe_spec({"b", &log}), probe_spec({"c", &log})});
  CAF_CHECK_EQUAL(try_(delete_child{"a"}), exit_code::running);
  CAF_CHECK_EQUAL(try_(delete_child{"nobody"}), exit_code::not_found);
  crash("c");
  CAF_CHECK_EQUAL(try_(delete_child{"c"}), exit_code::restarting);
  CAF_CHECK(!try_(terminate_child{"b"}));
  CAF_CHECK(!try_(delete_child{"b"}));
  CAF_CHECK_EQUAL(children(), list({"c restarting", "a running"}));
  CAF_CHECK_EQUAL(try_(delete_child{"b"}), exit_code::not_found);
  CAF_CHECK_EQUAL(try_(restart_child{"b"}), exit_code::not_found);
  CAF_CHECK(!try_(start_child{probe_spec({"b", &log})}));
  CAF_CHECK_EQUAL(children(), list({"b running", "c restarting", "a running"}));
}

CAF_TEST(a temporary child that has ended is unknown) {
  for (const int how : {0, 1}) {
    start({}, {probe_spec({"t", &log}, restart::temporary)});
    tell(kid("t"), how);
    CAF_CHECK_EQUAL(try_(find_child{"t"}), exit_code::not_found);
    CAF_CHECK_EQUAL(try_(restart_child{"t"}), exit_code::not_found);
    CAF_CHECK_EQUAL(try_(terminate_child{"t"}), exit_code::not_found);
    CAF_CHECK_EQUAL(try_(delete_child{"t"}), exit_code::not_found);
    CAF_CHECK_EQUAL(try_(get_childspec{"t"}), exit_code::not_found);
    CAF_CHECK(!try_(start_child{probe_spec({"t", &log}, restart::temporary)}));
    send_shutdown(root);
    sched.run();
  }
}

CAF_TEST(find_child says why there is no actor) {
  start(slow(), {probe_spec({"a", &log}), probe_spec({"b", &log}), probe_spec({"c", &log})});
  CAF_CHECK(!try_(find_child{"a"}));
  CAF_CHECK(!try_(terminate_child{"b"}));
  crash("c");
  CAF_CHECK_EQUAL(try_(find_child{"b"}), exit_code::noproc);
  CAF_CHECK_EQUAL(try_(find_child{"c"}), exit_code::restarting);
  CAF_CHECK_EQUAL(try_(find_child{"nobody"}), exit_code::not_found);
  CAF_CHECK_EQUAL(try_(find_child{pid_of(kid("a"))}), exit_code::not_found);
  wait(1s);
  CAF_CHECK(kid("c"));
}

CAF_TEST(get_childspec gives back all that was given) {
  auto spec = named(probe_spec({"x", &log}, restart::transient), "the-x");
  spec.significant = true;
  spec.type = child_type::supervisor;
  spec.module = "something";
  spec.start_timeout = 3s;
  for (const auto& rule : {shutdown_rule::brutal_kill(), shutdown_rule::within(0ms),
                           shutdown_rule::within(77ms), shutdown_rule::infinity()}) {
    spec.shutdown = rule;
    start({strategy::one_for_one, 1, 5s, auto_shutdown::all_significant}, {spec, probe_spec({"y", &log})});
    const auto given = get<child_spec>(get_childspec{"x"});
    CAF_REQUIRE(given);
    CAF_CHECK_EQUAL(given->id, "x");
    CAF_CHECK(static_cast<const child_kind&>(*given) == static_cast<const child_kind&>(spec));
    CAF_CHECK(given->shutdown == rule);
    CAF_CHECK(!try_(terminate_child{"x"}));
    CAF_CHECK(!try_(get_childspec{"x"}));
    CAF_CHECK_EQUAL(try_(get_childspec{"z"}), exit_code::not_found);
    send_shutdown(root);
    sched.run();
  }
}

CAF_TEST(what a temporary child added by request was made of is not kept) {
  auto life = std::make_shared<int>(0);
  const std::weak_ptr<int> weak = life;
  auto spec = probe_spec({"t"}, restart::temporary);
  spec.start = [life](const start_context& context) -> start_result {
    return started{spawn_on<probe>(context.supervisor->system(), nullptr, probe_options{"t"})};
  };
  start({}, {probe_spec({"a"}, restart::temporary)});
  CAF_CHECK(!try_(start_child{spec}));
  spec.start = {};
  life = nullptr;
  const auto given = get<child_spec>(get_childspec{"t"});
  CAF_REQUIRE(given);
  CAF_CHECK(!given->start);
  CAF_CHECK(given->restart == restart::temporary);
  CAF_CHECK_EQUAL(given->module, "probe");
  CAF_CHECK(get<child_spec>(get_childspec{"a"})->start);
  CAF_CHECK_EQUAL(counts(), "2 2 0 2");
  // The table keeps the last kind it was given until there is another.
  CAF_CHECK(!try_(start_child{probe_spec({"b"})}));
  CAF_CHECK(weak.expired());
}

CAF_TEST(which_children lists the last one started first with all that is known) {
  auto branch = supervisor_spec("branch", {}, {});
  start(slow(strategy::rest_for_one), {probe_spec({"a", &log}), branch, flaky("c"), probe_spec({"d", &log})});
  CAF_CHECK(!try_(terminate_child{"a"}));
  const auto before = get<std::vector<child_info>>(which_children{});
  CAF_REQUIRE(before);
  CAF_REQUIRE_EQUAL(before->size(), 4u);
  const auto& all = *before;
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
  CAF_CHECK_EQUAL(children(), list({"d running", "c restarting", "branch running", "a stopped"}));
  wait(1s);
  CAF_CHECK_EQUAL(children(), list({"d running", "c running", "branch running", "a stopped"}));
  CAF_CHECK(kid("d") != all[0].actor);
}

CAF_TEST(count_children counts workers and supervisors whether they run or not ) {
  auto branch = supervisor_spec("branch", {}, {probe_spec({"x", &log})});
  start(slow(), {probe_spec({"a", &log}), probe_spec({"b", &log}), branch, probe_spec({"c", &log})});
  CAF_CHECK_EQUAL(counts(), "4 4 1 3");
  CAF_CHECK(!try_(terminate_child{"a"}));
  CAF_CHECK_EQUAL(counts(), "4 3 1 3");
  crash("b");
  CAF_CHECK_EQUAL(counts(), "4 2 1 3");
  CAF_CHECK(!try_(terminate_child{"branch"}));
  CAF_CHECK_EQUAL(counts(), "4 1 1 3");
  CAF_CHECK(!try_(delete_child{"branch"}));
  CAF_CHECK_EQUAL(counts(), "3 1 0 3");
  wait(1s);
  CAF_CHECK_EQUAL(counts(), "3 2 0 3");
}

CAF_TEST(members that a failed group restart has left behind can be restarted and deleted) {
  start(slow(strategy::one_for_all), {flaky("a"), named(probe_spec({"b", &log}), "the-b"), flaky("c")});
  failing["a"] = 1000;
  crash("a");
  wait(1s);
  CAF_CHECK_EQUAL(children(), list({"c stopped", "b stopped", "a restarting"}));
  CAF_CHECK(!try_(delete_child{"b"}));
  CAF_CHECK(names->lookup("the-b").error().code == cafmcp::errc::not_found);
  CAF_CHECK(!try_(restart_child{"c"}));
  CAF_CHECK_EQUAL(children(), list({"c running", "a restarting"}));
  CAF_CHECK(!try_(start_child{named(probe_spec({"d", &log}), "the-b")}));
  CAF_CHECK(names->lookup("the-b").has_value());
  failing["a"] = 0;
  wait(2s);
  CAF_CHECK_EQUAL(children(), list({"d running", "c running", "a running"}));
}

// The retry of the first failure must not live on beside the retry of the second.
CAF_TEST(a retry that a group restart has overtaken is void even if that fails) {
  start(slow(strategy::one_for_all), {probe_spec({"a", &log}), flaky("b")});
  failing["b"] = 1000;
  crash("b");
  wait(1s);  // fails; the second attempt is due in 2 s
  CAF_CHECK_EQUAL(log, list({"+a", "+b", "-b", "-a", "+a", "!b"}));
  wait(500ms);
  log.clear();
  crash("a");  // starts again in 1 s
  wait(1s);
  CAF_CHECK_EQUAL(log, list({"-a", "+a", "!b"}));  // b is due in 4 s
  log.clear();
  wait(500ms);  // when the one that was overtaken was due
  CAF_CHECK_EQUAL(log, events{});
  wait(3500ms);
  CAF_CHECK_EQUAL(log, list({"-a", "+a", "!b"}));
}

CAF_TEST(requests wait their turn and what only looks does not ) {
  start({}, {probe_spec({"a", &log})});
  auto first = self->request(root, caf::infinite, start_child{probe_spec({"h", &log, 0ms, true})});
  auto second = self->request(root, caf::infinite, terminate_child{"h"});
  auto third = self->request(root, caf::infinite, delete_child{"h"});
  sched.run();
  CAF_CHECK_EQUAL(children(), list({"h starting", "a running"}));
  CAF_CHECK_EQUAL(counts(), "2 2 0 2");
  tell(kid("h"), 2);
  events answers;
  first.receive([&](const child_started&) { answers.push_back("started"); }, [](const caf::error&) {});
  second.receive([&](caf::ok_atom) { answers.push_back("terminated"); }, [](const caf::error&) {});
  third.receive([&](caf::ok_atom) { answers.push_back("deleted"); }, [](const caf::error&) {});
  CAF_CHECK_EQUAL(answers, list({"started", "terminated", "deleted"}));
  CAF_CHECK_EQUAL(children(), list({"a running"}));
}

CAF_TEST(requests during a stop are refused as stopping) {
  start({}, {probe_spec({"a", &log, 100ms}), probe_spec({"b", &log})});
  send_shutdown(root);
  sched.run();
  CAF_CHECK_EQUAL(try_(start_child{probe_spec({"c", &log})}), exit_code::stopping);
  CAF_CHECK_EQUAL(try_(restart_child{"b"}), exit_code::stopping);
  CAF_CHECK_EQUAL(try_(terminate_child{"b"}), exit_code::stopping);
  CAF_CHECK_EQUAL(try_(delete_child{"b"}), exit_code::stopping);
  CAF_CHECK_EQUAL(try_(change_supervisor{supervisor_flags{}}), exit_code::stopping);
  CAF_CHECK_EQUAL(children(), list({"b stopped", "a stopping"}));
  wait(100ms);
  CAF_CHECK(root_is_down());
}

CAF_TEST(an instance is started with its arguments and answers with its info) {
  start({strategy::simple_one_for_one}, {instances()});
  CAF_CHECK_EQUAL(counts(), "1 0 0 0");
  const auto answer = get<child_started>(start_instance{caf::make_message(std::string{"x"}), nullptr});
  CAF_REQUIRE(answer);
  CAF_REQUIRE(answer->info.match_elements<std::string>());
  CAF_CHECK_EQUAL(answer->info.get_as<std::string>(0), "info of x");
  CAF_CHECK_EQUAL(log, list({"+x"}));
  CAF_CHECK_EQUAL(kid(pid_of(answer->actor)), answer->actor);
  CAF_CHECK_EQUAL(counts(), "1 1 0 1");
  CAF_CHECK_EQUAL(children(), events{pid_of(answer->actor) + " running"});
}

CAF_TEST(start_child and start_instance are each for their own supervisors) {
  start({strategy::simple_one_for_one}, {instances()});
  CAF_CHECK_EQUAL(try_(start_child{probe_spec({"z", &log})}), exit_code::simple_one_for_one);
  send_shutdown(root);
  sched.run();
  start({}, {});
  CAF_CHECK_EQUAL(try_(start_instance{caf::make_message(std::string{"x"}), nullptr}),
                  exit_code::bad_specification);
  CAF_CHECK_EQUAL(counts(), "0 0 0 0");
}

CAF_TEST(an instance that fails or chooses not to run leaves nothing) {
  for (const auto r : {restart::permanent, restart::transient, restart::temporary}) {
    start({strategy::simple_one_for_one}, {instances(r)});
    failing["x"] = 1;
    CAF_CHECK(!instance("x"));
    CAF_CHECK_EQUAL(refusal, caf::sec::cannot_open_port);
    ignoring["x"] = true;
    CAF_CHECK(!instance("x"));
    CAF_CHECK(!refusal);
    CAF_CHECK_EQUAL(counts(), "1 0 0 0");
    ignoring["x"] = false;
    CAF_CHECK(instance("x"));
    CAF_CHECK_EQUAL(counts(), "1 1 0 1");
    log.clear();
    send_shutdown(root);
    sched.run();
    CAF_CHECK(root_is_down());
    CAF_CHECK_EQUAL(log, list({"-x"}));
  }
}

CAF_TEST(an instance is terminated by its number only) {
  start({strategy::simple_one_for_one}, {instances()});
  const auto x = instance("x");
  const auto y = instance("y");
  CAF_CHECK_EQUAL(try_(terminate_child{"instance"}), exit_code::simple_one_for_one);
  CAF_CHECK_EQUAL(try_(terminate_child{"x"}), exit_code::simple_one_for_one);
  CAF_CHECK_EQUAL(try_(terminate_child{pid_of(root)}), exit_code::not_found);
  for (const auto* nonsense : {"#", "#x", "#1x", "#-1", "#99999999999999999999999"})
    CAF_CHECK_EQUAL(try_(terminate_child{nonsense}), exit_code::not_found);
  log.clear();
  CAF_CHECK(!try_(terminate_child{pid_of(x)}));
  CAF_CHECK_EQUAL(log, list({"-x"}));
  CAF_CHECK_EQUAL(children(), events{pid_of(y) + " running"});
  CAF_CHECK_EQUAL(try_(terminate_child{pid_of(x)}), exit_code::not_found);
  CAF_CHECK_EQUAL(try_(find_child{pid_of(x)}), exit_code::not_found);
}

CAF_TEST(instances can be neither restarted nor deleted by request) {
  start({strategy::simple_one_for_one}, {instances()});
  const auto x = instance("x");
  for (const auto& id : {std::string{"instance"}, pid_of(x)}) {
    CAF_CHECK_EQUAL(try_(restart_child{id}), exit_code::simple_one_for_one);
    CAF_CHECK_EQUAL(try_(delete_child{id}), exit_code::simple_one_for_one);
  }
  CAF_CHECK_EQUAL(children(), events{pid_of(x) + " running"});
}

CAF_TEST(an instance that is being restarted goes by its last number) {
  start(slow(strategy::simple_one_for_one), {instances()});
  const auto x = pid_of(instance("x"));
  const auto y = pid_of(instance("y"));
  tell(kid(x), 0);
  tell(kid(y), 0);
  CAF_CHECK_EQUAL(try_(find_child{x}), exit_code::restarting);
  CAF_CHECK(!try_(get_childspec{x}));
  CAF_CHECK_EQUAL(children(), (events{y + " restarting", x + " restarting"}));
  CAF_CHECK_EQUAL(counts(), "1 0 0 2");
  CAF_CHECK(!try_(terminate_child{x}));
  CAF_CHECK_EQUAL(try_(find_child{x}), exit_code::not_found);
  CAF_CHECK_EQUAL(counts(), "1 0 0 1");
  log.clear();
  wait(60s);
  CAF_CHECK_EQUAL(log, list({"+y"}));
  CAF_CHECK_EQUAL(try_(find_child{y}), exit_code::not_found);
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
    CAF_CHECK_EQUAL(try_(find_child{pid_of(x)}), exit_code::not_found);
    send_shutdown(root);
    sched.run();
  }
}

CAF_TEST(get_childspec of an instance is what all of them share) {
  start({strategy::simple_one_for_one}, {instances(restart::transient)});
  const auto x = instance("x");
  const auto given = get<child_spec>(get_childspec{pid_of(x)});
  CAF_REQUIRE(given);
  CAF_CHECK_EQUAL(given->id, "instance");
  CAF_CHECK_EQUAL(given->module, "probe");
  CAF_CHECK(given->restart == restart::transient);
  CAF_CHECK(given->start);
  tell(x, 1);
  CAF_CHECK_EQUAL(try_(get_childspec{pid_of(x)}), exit_code::not_found);
  CAF_CHECK_EQUAL(try_(get_childspec{pid_of(root)}), exit_code::not_found);
}

CAF_TEST(arguments are kept for restarts and no longer than needed) {
  for (const auto r : {restart::permanent, restart::temporary}) {
    start({strategy::simple_one_for_one}, {instances(r)});
    auto life = std::make_shared<int>(0);
    const std::weak_ptr<int> weak = life;
    CAF_CHECK(!try_(start_instance{caf::make_message(std::string{"x"}, std::move(life)), nullptr}));
    CAF_CHECK_EQUAL(weak.expired(), r == restart::temporary);
    if (r == restart::permanent) {
      tell(get<std::vector<child_info>>(which_children{})->front().actor, 0);
      CAF_CHECK_EQUAL(log, list({"+x", "-x", "+x"}));
      CAF_CHECK(!weak.expired());
    }
    CAF_CHECK(!try_(terminate_child{pid_of(get<std::vector<child_info>>(which_children{})->front().actor)}));
    CAF_CHECK(weak.expired());
    send_shutdown(root);
    sched.run();
  }
}

CAF_TEST_FIXTURE_SCOPE_END()
