#define CAF_SUITE supervisor_change

#include "supervisors/supervisor.hpp"
#include "tests/unit/caf_test.hpp"

#include "supervisors/test_script.hpp"
#include "supervisors/test_supervisor.hpp"

using namespace cafmcp::otp;
using namespace cafmcp::otp::testing;

namespace {

struct change_fixture : script_fixture {
  /// The same child, which from its next start on is called otherwise in the log.
  child_spec newer(child_spec spec, const std::string& version) {
    spec.start = [this, version](const start_context& context) -> start_result {
      return started{spawn_probe(context, {version, &log})};
    };
    return spec;
  }
  caf::error change(supervisor_flags flags) { return ask(change_supervisor{flags, {}}); }
  caf::error change(std::vector<child_spec> specs) { return ask(change_supervisor{{}, std::move(specs)}); }
};

}  // namespace

CAF_TEST_FIXTURE_SCOPE(supervisor_change_tests, change_fixture)

CAF_TEST(new flags hold from the next death on and restart nobody) {
  start({strategy::one_for_one, 10}, {plain("a"), plain("b")});
  log.clear();
  CAF_CHECK(!change(supervisor_flags{strategy::one_for_all, 10}));
  CAF_CHECK_EQUAL(log, events{});
  crash("a");
  CAF_CHECK_EQUAL(log, list({"-a", "-b", "+a", "+b"}));
  CAF_CHECK(!change(supervisor_flags{strategy::rest_for_one, 10}));
  log.clear();
  crash("b");
  CAF_CHECK_EQUAL(log, list({"-b", "+b"}));
}

CAF_TEST(restarts that were counted stay counted and a lower intensity bites at the next one) {
  start({strategy::one_for_one, 10}, {plain("a")});
  crash("a");
  crash("a");
  CAF_CHECK(!change(supervisor_flags{strategy::one_for_one, 2}));
  CAF_CHECK(!root_is_down());
  crash("a");
  CAF_CHECK(root_is_down());
  CAF_CHECK_EQUAL(reason, exit_code::shutdown);
}

CAF_TEST(a higher intensity and another period count from then on) {
  start({strategy::one_for_one, 2, 5s}, {plain("a")});
  crash("a");
  crash("a");
  CAF_CHECK(!change(supervisor_flags{strategy::one_for_one, 3, 5s}));
  crash("a");
  CAF_CHECK(!root_is_down());
  pass(1s);
  CAF_CHECK(!change(supervisor_flags{strategy::one_for_one, 3, 500ms}));
  crash("a");
  CAF_CHECK(!root_is_down());
}

CAF_TEST(auto_shutdown can be switched on) {
  auto spec = plain("a", restart::transient);
  start({}, {spec});
  spec.significant = true;
  CAF_CHECK(!ask(change_supervisor{
      supervisor_flags{strategy::one_for_one, 1, 5s, auto_shutdown::any_significant}, {{spec}}}));
  end("a");
  CAF_CHECK(root_is_down());
  CAF_CHECK_EQUAL(reason, exit_code::shutdown);
}

CAF_TEST(significant children stay when auto_shutdown is switched off and mean nothing then) {
  auto spec = plain("a", restart::transient);
  spec.significant = true;
  start({strategy::one_for_one, 1, 5s, auto_shutdown::any_significant}, {spec});
  CAF_CHECK(!change(supervisor_flags{}));
  end("a");
  CAF_CHECK(!root_is_down());
}

CAF_TEST(a back - off can be switched on) {
  start({strategy::one_for_one, 10}, {plain("a")});
  CAF_CHECK(!change(backing_off()));
  crash("a");
  CAF_CHECK_EQUAL(children(), list({"a restarting"}));
  pass(1s);
  CAF_CHECK_EQUAL(children(), list({"a running"}));
}

CAF_TEST(a child that runs goes on and is restarted as its new specification says) {
  start({strategy::one_for_one, 10}, {plain("a")});
  const auto before = kid("a");
  log.clear();
  CAF_CHECK(!change({newer(plain("a"), "A")}));
  CAF_CHECK_EQUAL(kid("a"), before);
  CAF_CHECK_EQUAL(log, events{});
  crash("a");
  CAF_CHECK_EQUAL(log, list({"-a", "+A"}));
}

CAF_TEST(a new restart type holds at once) {
  start({strategy::one_for_one, 10}, {plain("a"), plain("b", restart::temporary)});
  CAF_CHECK(!change({plain("a", restart::temporary), newer(plain("b", restart::permanent), "B")}));
  log.clear();
  crash("a");
  crash("b");
  CAF_CHECK_EQUAL(log, list({"-a", "-b", "+B"}));
  CAF_CHECK_EQUAL(children(), list({"b running"}));
}

CAF_TEST(a new shutdown rule holds at once) {
  auto spec = slow("a", 1h);
  spec.shutdown = shutdown_rule::infinity();
  start({}, {spec});
  spec.shutdown = shutdown_rule::within(100ms);
  CAF_CHECK(!change({spec}));
  CAF_CHECK(get(get_childspec{"a"}).shutdown == spec.shutdown);
  stop();
  pass(99ms);
  CAF_CHECK(!root_is_down());
  pass(1ms);
  CAF_CHECK(root_is_down());
  CAF_CHECK_EQUAL(log, list({"+a", "-a"}));
}

CAF_TEST(a new type and module are seen in lists and counts) {
  start({}, {plain("a"), plain("b")});
  auto spec = plain("a");
  spec.type = child_type::supervisor;
  spec.module = "other";
  CAF_CHECK(!change({spec}));
  CAF_CHECK_EQUAL(counts(), "2 2 1 1");
  const auto all = get(which_children{});
  CAF_REQUIRE(!refusal);
  CAF_CHECK_EQUAL(all.back().module, "other");
  CAF_CHECK(all.back().type == child_type::supervisor);
}

CAF_TEST(a new child is there and not started) {
  start({}, {plain("a")});
  CAF_CHECK(!change({plain("a"), plain("b")}));
  CAF_CHECK_EQUAL(log, list({"+a"}));
  CAF_CHECK_EQUAL(children(), list({"a running", "b stopped"}));
  CAF_CHECK_EQUAL(counts(), "2 1 0 2");
  CAF_CHECK(!ask(restart_child{"b"}));
  CAF_CHECK_EQUAL(log, list({"+a", "+b"}));
}

CAF_TEST(a child that is missing from the list is kept with its actor) {
  start({strategy::one_for_one, 10}, {plain("a"), plain("b")});
  const auto b = kid("b");
  CAF_CHECK(!change({plain("a")}));
  CAF_CHECK_EQUAL(kid("b"), b);
  log.clear();
  crash("b");
  CAF_CHECK_EQUAL(log, list({"-b", "+b"}));
  CAF_CHECK(!ask(terminate_child{"b"}));
  CAF_CHECK(!ask(delete_child{"b"}));
  CAF_CHECK_EQUAL(children(), list({"a running"}));
}

CAF_TEST(the order is that of the new list with those that were kept behind it) {
  start({strategy::rest_for_one, 10}, {plain("a"), plain("b"), plain("c"), plain("d")});
  CAF_CHECK(!change({plain("d"), plain("n"), plain("b")}));
  CAF_CHECK_EQUAL(children(), list({"d running", "n stopped", "b running", "a running", "c running"}));
  log.clear();
  crash("b");
  CAF_CHECK_EQUAL(log, list({"-b", "-c", "-a", "+b", "+a", "+c"}));
  log.clear();
  stop();
  CAF_CHECK_EQUAL(log, list({"-c", "-a", "-b", "-d"}));
}

CAF_TEST(an empty list keeps all) {
  start({}, {plain("a"), plain("b")});
  CAF_CHECK(!change(std::vector<child_spec>{}));
  CAF_CHECK_EQUAL(children(), list({"a running", "b running"}));
}

CAF_TEST(one that is being restarted or does not run is carried over) {
  start(backing_off(), {plain("a"), plain("b")});
  crash("a");
  CAF_CHECK(!ask(terminate_child{"b"}));
  CAF_CHECK(!change({newer(plain("a"), "A"), newer(plain("b"), "B")}));
  CAF_CHECK_EQUAL(children(), list({"a restarting", "b stopped"}));
  log.clear();
  pass(1s);
  CAF_CHECK_EQUAL(log, list({"+A"}));
  CAF_CHECK_EQUAL(children(), list({"a running", "b stopped"}));
}

CAF_TEST(a change that is refused changes nothing) {
  start({strategy::one_for_one, 10}, {plain("a"), plain("b")});
  const auto good = supervisor_flags{strategy::one_for_all, 0};
  auto bad_flags = good;
  bad_flags.period = 0ms;
  auto significant = plain("b", restart::transient);
  significant.significant = true;
  auto bad_id = plain("x/y");
  const auto newer_a = newer(plain("a"), "A");
  const auto refused = [&](const supervisor_flags& flags, std::vector<child_spec> specs) {
    CAF_CHECK_EQUAL(ask(change_supervisor{flags, std::move(specs)}), exit_code::bad_specification);
  };
  CAF_CHECK_EQUAL(change(bad_flags), exit_code::bad_specification);
  refused(bad_flags, {newer_a});
  refused(good, {newer_a, significant});
  refused(good, {newer_a, bad_id});
  refused(good, {newer_a, plain("n"), plain("n")});
  CAF_CHECK_EQUAL(children(), list({"a running", "b running"}));
  log.clear();
  crash("a");
  CAF_CHECK_EQUAL(log, list({"-a", "+a"}));
  CAF_CHECK(!root_is_down());
}

CAF_TEST(a child that is here can not change its name) {
  start({strategy::one_for_one, 10}, {named(plain("a"), "one"), plain("b")});
  const auto other = named(newer(plain("a"), "A"), "two");
  CAF_CHECK_EQUAL(change({newer(plain("b"), "B"), other}), exit_code::bad_specification);
  CAF_CHECK(names->lookup("one").has_value());
  CAF_CHECK(!names->lookup("two").has_value());
  log.clear();
  crash("b");
  CAF_CHECK_EQUAL(log, list({"-b", "+b"}));
  CAF_CHECK(!change({named(newer(plain("a"), "A"), "one")}));
  crash("a");
  CAF_CHECK_EQUAL(names->lookup("one").value(), kid("a"));
}

CAF_TEST(simple_one_for_one is not to be had by a change nor to be got rid of) {
  start({}, {plain("a")});
  CAF_CHECK_EQUAL(ask(change_supervisor{supervisor_flags{strategy::simple_one_for_one}, {{instances()}}}),
                  exit_code::bad_specification);
  CAF_CHECK_EQUAL(children(), list({"a running"}));
  stop();
  start({strategy::simple_one_for_one}, {instances()});
  CAF_CHECK_EQUAL(change(supervisor_flags{}), exit_code::bad_specification);
  CAF_CHECK_EQUAL(change(std::vector<child_spec>{}), exit_code::bad_specification);
  CAF_CHECK_EQUAL(change({instances(), plain("a")}), exit_code::bad_specification);
  CAF_CHECK(instance("x"));
}

CAF_TEST(instances keep their arguments and are restarted as the new specification says) {
  start({strategy::simple_one_for_one, 10}, {instances()});
  const auto x = instance("x");
  const auto y = instance("y");
  auto next = instances();
  next.start = [this](const start_context& context) -> start_result {
    const auto id = "new-" + context.arguments.get_as<std::string>(0);
    return started{spawn_probe(context, {id, &log})};
  };
  log.clear();
  CAF_CHECK(!change({next}));
  CAF_CHECK_EQUAL(log, events{});
  crash(x);
  CAF_CHECK(instance("z"));
  CAF_CHECK_EQUAL(log, list({"-x", "+new-x", "+new-z"}));
  next.restart = restart::temporary;
  next.type = child_type::supervisor;
  CAF_CHECK(!change({next}));
  CAF_CHECK_EQUAL(counts(), "1 3 3 0");
  crash(y);
  CAF_CHECK_EQUAL(log, list({"-x", "+new-x", "+new-z", "-y"}));
  CAF_CHECK_EQUAL(counts(), "1 2 2 0");
}

CAF_TEST(instances stop by the new shutdown rule) {
  start({strategy::simple_one_for_one, 10}, {instances()});
  instance("x");
  auto next = instances();
  next.shutdown = shutdown_rule::brutal_kill();
  CAF_CHECK(!change({next}));
  const auto x = get(which_children{}).front().actor;
  self->monitor(x);
  stop();
  caf::error why;
  self->receive([&](const caf::down_msg& d) {
    if (d.source == x.address())
      why = d.reason;
  });
  CAF_CHECK_EQUAL(why, caf::exit_reason::kill);
}

CAF_TEST(a change without values asks init again) {
  std::variant<supervisor_setup, ignored, caf::error> next =
      supervisor_setup{{strategy::one_for_one, 10}, {plain("a")}};
  bool throws = false;
  supervisor_options options{"root", {}, {}, names, nullptr};
  options.init = [&] {
    if (throws)
      throw std::runtime_error("no luck");
    return next;
  };
  start_beside(options);
  const auto a = kid("a");
  next = supervisor_setup{{strategy::one_for_all, 10}, {plain("b"), plain("a")}};
  CAF_CHECK(!ask(change_supervisor{}));
  CAF_CHECK_EQUAL(children(), list({"b stopped", "a running"}));
  CAF_CHECK_EQUAL(kid("a"), a);
  next = ignored{};
  CAF_CHECK(!ask(change_supervisor{}));
  next = caf::make_error(caf::sec::bad_function_call);
  CAF_CHECK_EQUAL(ask(change_supervisor{}), caf::sec::bad_function_call);
  throws = true;
  CAF_CHECK_EQUAL(ask(change_supervisor{}), exit_code::crashed);
  CAF_CHECK_EQUAL(children(), list({"b stopped", "a running"}));
  log.clear();
  crash("a");
  CAF_CHECK_EQUAL(log, list({"-a", "+b", "+a"}));
}

CAF_TEST(a change without values nor init is fine and changes nothing) {
  start({strategy::rest_for_one, 10}, {plain("a"), plain("b")});
  CAF_CHECK(!ask(change_supervisor{}));
  CAF_CHECK_EQUAL(children(), list({"a running", "b running"}));
  log.clear();
  crash("a");
  CAF_CHECK_EQUAL(log, list({"-a", "-b", "+a", "+b"}));
}

CAF_TEST(a change waits for what is under way) {
  start({strategy::one_for_all, 10}, {plain("a"), slow("b")});
  crash("a");
  auto handle = self->request(root, caf::infinite,
                              change_supervisor{{}, {{newer(plain("b"), "B"), newer(plain("a"), "A")}}});
  run();
  log.clear();
  pass(100ms);
  CAF_CHECK_EQUAL(log, list({"-b", "+a", "+b"}));
  handle.receive([](caf::ok_atom) {}, [&](caf::error& e) { refusal = e; });
  CAF_CHECK_EQUAL(children(), list({"b running", "a running"}));
}

CAF_TEST_FIXTURE_SCOPE_END()
