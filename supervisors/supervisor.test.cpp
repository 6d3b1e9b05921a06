#define CAF_SUITE supervisor

#include "supervisors/supervisor.hpp"

#include <malloc.h>

#include "supervisors/runtime.hpp"
#include "tests/unit/caf_test.hpp"

#include "supervisors/test_reports.hpp"
#include "supervisors/test_script.hpp"
#include "supervisors/test_supervisor.hpp"

using namespace cafmcp::otp;
using namespace cafmcp::otp::testing;

CAF_TEST_FIXTURE_SCOPE(supervisor_tests, script_fixture)

CAF_TEST(children start in order and stop in reverse) {
  start({}, {plain("a"), plain("b"), plain("c")});
  CAF_CHECK_EQUAL(log, list({"+a", "+b", "+c"}));
  log.clear();
  stop();
  CAF_CHECK_EQUAL(log, list({"-c", "-b", "-a"}));
  CAF_CHECK(root_is_down());
  CAF_CHECK_EQUAL(reason, exit_code::shutdown);
}

CAF_TEST(each stop waits for the one before) {
  start({}, {plain("a"), slow("b")});
  log.clear();
  stop();
  CAF_CHECK_EQUAL(log, events{});
  pass(100ms);
  CAF_CHECK_EQUAL(log, list({"-b", "-a"}));
}

CAF_TEST(one_for_one restarts the one) {
  start({strategy::one_for_one}, {plain("a"), plain("b"), plain("c")});
  const auto before = kid("b");
  log.clear();
  crash("b");
  CAF_CHECK_EQUAL(log, list({"-b", "+b"}));
  CAF_CHECK_NOT_EQUAL(kid("b"), before);
}

CAF_TEST(one_for_all restarts all) {
  start({strategy::one_for_all}, {plain("a"), plain("b"), plain("c")});
  log.clear();
  crash("b");
  CAF_CHECK_EQUAL(log, list({"-b", "-c", "-a", "+a", "+b", "+c"}));
}

CAF_TEST(rest_for_one restarts those that were started later) {
  start({strategy::rest_for_one}, {plain("a"), plain("b"), plain("c")});
  log.clear();
  crash("b");
  CAF_CHECK_EQUAL(log, list({"-b", "-c", "+b", "+c"}));
}

CAF_TEST(a temporary sibling goes along and is not restarted) {
  start({strategy::one_for_all}, {plain("a"), plain("t", restart::temporary)});
  log.clear();
  crash("a");
  CAF_CHECK_EQUAL(log, list({"-a", "-t", "+a"}));
  CAF_CHECK_EQUAL(counts(), "1 1 0 1");
}

CAF_TEST(simple_one_for_one has instances with arguments) {
  start({strategy::simple_one_for_one}, {instances()});
  CAF_CHECK_EQUAL(counts(), "1 0 0 0");
  const auto x = instance("x");
  instance("y");
  CAF_CHECK_EQUAL(log, list({"+x", "+y"}));
  crash(x);
  CAF_CHECK_EQUAL(log, list({"+x", "+y", "-x", "+x"}));
  CAF_CHECK_EQUAL(counts(), "1 2 0 2");
  CAF_CHECK_EQUAL(ask(start_child{plain("z")}), exit_code::simple_one_for_one);
}

CAF_TEST(restart types) {
  start({strategy::one_for_one, 10},
        {plain("p"), plain("t", restart::transient), plain("o", restart::temporary)});
  log.clear();
  end("p");
  CAF_CHECK_EQUAL(log, list({"-p", "+p"}));
  crash("t");
  end("t");
  CAF_CHECK_EQUAL(log, list({"-p", "+p", "-t", "+t", "-t"}));
  crash("o");
  CAF_CHECK_EQUAL(log.size(), 6u);
  CAF_CHECK_EQUAL(counts(), "2 1 0 2");
}

CAF_TEST(a kill is a crash) {
  start({}, {plain("t", restart::transient)});
  log.clear();
  kill("t");
  CAF_CHECK_EQUAL(log, list({"-t", "+t"}));
}

CAF_TEST(restarts slower than the intensity go on for ever) {
  start({strategy::one_for_one, 2, 1000ms}, {plain("a")});
  for (int i = 0; i < 10; ++i) {
    crash("a");
    pass(600ms);
  }
  CAF_CHECK(!root_is_down());
}

CAF_TEST(one restart too many ends the supervisor and all it has) {
  start({strategy::one_for_one, 2, 1000ms}, {plain("a"), plain("b")});
  crash("a");
  crash("b");
  CAF_CHECK(!root_is_down());
  log.clear();
  crash("a");
  CAF_CHECK_EQUAL(log, list({"-a", "-b"}));
  CAF_CHECK(root_is_down());
  CAF_CHECK_EQUAL(reason, exit_code::shutdown);
}

CAF_TEST(a failure escalates level by level) {
  start({strategy::one_for_one, 1, 5000ms},
        {supervisor_spec("branch", {strategy::one_for_one, 0}, {plain("a")}), plain("z")});
  CAF_CHECK_EQUAL(log, list({"+a", "+z"}));
  const auto branch = kid("branch");
  log.clear();
  crash(kid_of(branch, "a"));
  CAF_CHECK_EQUAL(log, list({"-a", "+a"}));
  CAF_CHECK_NOT_EQUAL(kid("branch"), branch);
  crash(kid_of(kid("branch"), "a"));
  CAF_CHECK(root_is_down());
  CAF_CHECK_EQUAL(log, list({"-a", "+a", "-a", "-z"}));
}

CAF_TEST(a child that does not stop is killed in the end) {
  start({}, {stubborn("s", shutdown_rule::within(500ms)), stubborn("b", shutdown_rule::brutal_kill())});
  log.clear();
  stop();
  CAF_CHECK_EQUAL(log, list({"-b", "?s"}));
  pass(499ms);
  CAF_CHECK(!root_is_down());
  pass(1ms);
  CAF_CHECK_EQUAL(log, list({"-b", "?s", "-s"}));
  CAF_CHECK(root_is_down());
}

CAF_TEST(a killed supervisor takes its children along) {
  start({}, {supervisor_spec("branch", {}, {plain("a")})});
  const auto held = kid_of(kid("branch"), "a");  // or it would end for want of anybody who holds it
  log.clear();
  kill("branch");
  CAF_CHECK_EQUAL(std::count(log.begin(), log.end(), "-a"), 1);
  CAF_CHECK_EQUAL(std::count(log.begin(), log.end(), "+a"), 1);
  CAF_CHECK_EQUAL(counts(), "1 1 1 0");
}

CAF_TEST(a start that fails stops those before it and says why) {
  start({}, {plain("a"), flaky("b", {step::raise}), plain("c")});
  CAF_CHECK_EQUAL(log, list({"+a", "!b", "-a"}));
  CAF_CHECK(root_is_down());
  CAF_CHECK_EQUAL(describe(reason), "start_failed: root/b: crashed: no luck");
}

CAF_TEST(a restart that fails is tried again until the intensity is used up) {
  const script s{{step::at_once, step::error, step::error, step::at_once}, step::error};
  start({strategy::one_for_one, 3, 5000ms}, {scripted_spec(s, options("f"))});
  crash("f");
  CAF_CHECK_EQUAL(s->calls, 4);
  CAF_CHECK(!root_is_down());
  pass(6s);
  crash("f");
  CAF_CHECK_EQUAL(s->calls, 7);
  CAF_CHECK(root_is_down());
}

CAF_TEST(a child may choose not to run) {
  auto gone = flaky("g", {step::ignore});
  gone.restart = restart::temporary;
  start({}, {flaky("s", {step::ignore}), gone, plain("a")});
  CAF_CHECK_EQUAL(log, list({"+a"}));
  CAF_CHECK_EQUAL(counts(), "2 1 0 2");
}

CAF_TEST(children come and go by request) {
  start({}, {plain("a")});
  CAF_CHECK(!ask(start_child{plain("b")}));
  CAF_CHECK_EQUAL(ask(start_child{plain("b")}), exit_code::already_started);
  CAF_CHECK_EQUAL(ask(delete_child{"b"}), exit_code::running);
  CAF_CHECK(!ask(terminate_child{"b"}));
  CAF_CHECK_EQUAL(ask(find_child{"b"}), exit_code::noproc);
  CAF_CHECK_EQUAL(ask(start_child{plain("b")}), exit_code::already_present);
  CAF_CHECK(!ask(restart_child{"b"}));
  CAF_CHECK_EQUAL(ask(restart_child{"b"}), exit_code::running);
  ask(terminate_child{"b"});
  CAF_CHECK(!ask(delete_child{"b"}));
  CAF_CHECK_EQUAL(ask(terminate_child{"b"}), exit_code::not_found);
  CAF_CHECK_EQUAL(log, list({"+a", "+b", "-b", "+b", "-b"}));
}

CAF_TEST(bad specifications are refused by name) {
  auto significant = plain("x");
  significant.significant = true;
  start({}, {plain("a")});
  CAF_CHECK_EQUAL(ask(start_child{significant}), exit_code::bad_specification);
  CAF_CHECK(describe(refusal).find("\"x\"") != std::string::npos);
}

CAF_TEST(two children of one name are refused) {
  start({}, {plain("a"), plain("a")});
  CAF_CHECK(root_is_down());
  CAF_CHECK_EQUAL(describe(reason), "bad_specification: two children are called \"a\"");
}

CAF_TEST(significant children end their supervisor) {
  auto a = plain("a", restart::transient);
  auto b = plain("b", restart::transient);
  a.significant = b.significant = true;
  start({strategy::one_for_one, 1, 5s, auto_shutdown::all_significant}, {a, b});
  end("a");
  CAF_CHECK(!root_is_down());
  end("b");
  CAF_CHECK(root_is_down());
  CAF_CHECK_EQUAL(reason, exit_code::shutdown);
  start({strategy::one_for_one, 1, 5s, auto_shutdown::any_significant}, {a, b});
  end("b");
  CAF_CHECK(root_is_down());
}

CAF_TEST(names survive restarts) {
  auto a = plain("a");
  a.name = "the-a";
  auto lookups = std::make_shared<std::vector<std::string>>();
  a.start = [this, lookups](const start_context& context) -> start_result {
    const auto found = context.names->lookup("the-a");
    lookups->push_back(found ? "alive" : cafmcp::to_string(found.error().code));
    return started{spawn_probe(context, options("a"))};
  };
  start({}, {a});
  const auto before = names->lookup("the-a");
  CAF_REQUIRE(before.has_value());
  crash("a");
  const auto after = names->lookup("the-a");
  CAF_REQUIRE(after.has_value());
  CAF_CHECK(before.value() != after.value());
  CAF_CHECK_EQUAL(*lookups, list({"unavailable", "unavailable"}));
  ask(terminate_child{"a"});
  CAF_CHECK(names->lookup("the-a").error().code == cafmcp::errc::not_found);
}

CAF_TEST(a stop overtakes a start that hangs and answers everybody) {
  start({}, {plain("a")});
  auto first = self->request(root, caf::infinite, start_child{flaky("h", {step::later})});
  auto second = self->request(root, caf::infinite, start_child{plain("b")});
  run();
  CAF_CHECK_EQUAL(log, list({"+a", "+h"}));
  stop();
  int refused = 0;
  first.receive([](const caf::actor&) {}, [&](caf::error&) { ++refused; });
  second.receive([](const caf::actor&) {}, [&](caf::error&) { ++refused; });
  CAF_CHECK_EQUAL(refused, 2);
  CAF_CHECK_EQUAL(log, list({"+a", "+h", "-h", "-a"}));
  CAF_CHECK(root_is_down());
}

CAF_TEST(the tree shows state and restarts of each actor) {
  start({strategy::rest_for_one, 3},
        {supervisor_spec("branch", {strategy::one_for_one, 3}, {plain("a")}), plain("z")});
  crash(kid_of(kid("branch"), "a"));
  auto tree = get(inspect_tree{}).root;
  CAF_CHECK_EQUAL(tree.id, "root");
  CAF_CHECK_EQUAL(std::string{to_string(tree.strategy)}, "rest_for_one");
  CAF_REQUIRE_EQUAL(tree.children.size(), 2u);
  CAF_CHECK_EQUAL(tree.children[1].id, "z");
  CAF_CHECK_EQUAL(tree.children[1].status, "running");
  CAF_REQUIRE_EQUAL(tree.children[0].children.size(), 1u);
  CAF_CHECK_EQUAL(tree.children[0].children[0].restarts, 1u);
  CAF_CHECK_EQUAL(tree.children[0].restarts, 0u);
  tree = get(inspect_tree{32, 1, 500ms}).root;
  CAF_CHECK_EQUAL(tree.children.size(), 1u);
  CAF_CHECK_EQUAL(tree.children_total, 2u);
}

CAF_TEST_FIXTURE_SCOPE_END()

CAF_TEST(a tree on real threads starts and stops many times) {
  for (int round = 0; round < 200; ++round) {
    runtime rt{{2}};
    auto tree = start_tree(
        rt.system(), rt.unit(0),
        {"root",
         {strategy::one_for_one, 1000},
         {supervisor_spec("s", {strategy::rest_for_one, 1000}, {probe_spec({"a"}), probe_spec({"b"})}),
          probe_spec({"c"})},
         std::make_shared<name_table>(),
         nullptr});
    CAF_REQUIRE(tree.has_value());
    send_shutdown(tree.value());
    tree = cafmcp::fail(cafmcp::errc::not_found, "");
    CAF_REQUIRE_EQUAL(rt.await_actors(std::chrono::seconds{30}), 0u);
  }
}

namespace {

// Kills one of two children after the other, `times` in all.
void kill_children(runtime& rt, const caf::actor& root, int times) {
  caf::scoped_actor self{rt.system()};
  const auto child = [&](int i) {
    caf::actor found;
    while (!found)
      self->request(root, caf::infinite, find_child{i % 2 ? "a" : "b"})
          .receive([&](caf::actor a) { found = a; }, [](const caf::error&) {});
    return found;
  };
  for (int i = 0; i < times; ++i) {
    const auto victim = child(i);
    self->monitor(victim);
    caf::anon_send_exit(victim, caf::exit_reason::kill);
    self->receive([](const caf::down_msg&) {});
  }
}

// Waits until exactly `count` actors are alive: the last death may be news to the supervisor still.
bool settles(runtime& rt, std::size_t count) {
  const auto deadline = std::chrono::steady_clock::now() + 30s;
  while (rt.system().registry().running() != count && std::chrono::steady_clock::now() < deadline)
    rt.pool().run_on_each([](std::size_t) {});
  return rt.system().registry().running() == count;
}

}  // namespace

CAF_TEST(ten thousand restarts leave nothing behind) {
  const silence quiet;
  {
    runtime rt{{2}};
    auto tree = start_tree(rt.system(), rt.unit(0),
                           {"root",
                            {strategy::one_for_one, 1000, 1ms},
                            {probe_spec({"a"}), probe_spec({"b"})},
                            nullptr,
                            nullptr});
    CAF_REQUIRE(tree.has_value());
    kill_children(rt, tree.value(), 1000);
    CAF_REQUIRE(settles(rt, 3));  // the supervisor and two children
    const auto memory = ::mallinfo2().uordblks;
    kill_children(rt, tree.value(), 10000);
    const auto grown = static_cast<std::int64_t>(::mallinfo2().uordblks) - static_cast<std::int64_t>(memory);
    CAF_CHECK(settles(rt, 3));
    CAF_MESSAGE("memory grew by " << grown << " bytes");
    CAF_CHECK(grown < 100'000);
    send_shutdown(tree.value());
  }
}
