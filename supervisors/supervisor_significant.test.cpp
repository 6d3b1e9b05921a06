#define CAF_SUITE supervisor_significant

#include "supervisors/supervisor.hpp"
#include "tests/unit/caf_test.hpp"

#include "supervisors/test_reports.hpp"
#include "supervisors/test_script.hpp"
#include "supervisors/test_supervisor.hpp"

using namespace cafmcp::otp;
using namespace cafmcp::otp::testing;

namespace {

constexpr auto any = auto_shutdown::any_significant;
constexpr auto all = auto_shutdown::all_significant;

supervisor_flags flags_of(auto_shutdown a, strategy s = strategy::one_for_one, std::uint32_t intensity = 5) {
  return {s, intensity, 5s, a};
}

struct significant_fixture : script_fixture {
  child_spec significant(worker_options options, restart r = restart::transient) {
    options.log = &log;
    auto spec = probe_spec(std::move(options), r);
    spec.significant = true;
    return spec;
  }
};

}  // namespace

CAF_TEST_FIXTURE_SCOPE(supervisor_significant_tests, significant_fixture)

CAF_TEST(mode and type and reason decide whether the supervisor ends) {
  const std::vector<caf::error> reasons{{}, make_exit(exit_code::shutdown), broken()};
  for (const auto mode : {any, all}) {
    for (const auto type : {restart::transient, restart::temporary}) {
      for (const bool another : {false, true}) {
        for (const auto& why : reasons) {
          CAF_MESSAGE((mode == any ? "any " : "all ")
                      << to_string(type) << ' ' << describe(why) << (another ? " of two" : " alone"));
          std::vector<child_spec> specs{significant({"s"}, type), plain("p")};
          if (another)
            specs.push_back(significant({"o"}));
          start(flags_of(mode), specs);
          log.clear();
          end("s", why);
          const bool over = type == restart::temporary || why != broken();
          const bool down = over && (mode == any || !another);
          CAF_CHECK_EQUAL(root_is_down(), down);
          if (!over)
            CAF_CHECK_EQUAL(log, list({"-s", "+s"}));
          else if (!down)
            CAF_CHECK_EQUAL(log, list({"-s"}));
          else
            CAF_CHECK_EQUAL(log, another ? list({"-s", "-o", "-p"}) : list({"-s", "-p"}));
        }
      }
    }
  }
}

CAF_TEST(nobody is significant to a supervisor without auto_shutdown) {
  start(flags_of(auto_shutdown::never), {plain("a", restart::transient), plain("t", restart::temporary)});
  end("a");
  end("t");
  CAF_CHECK(!root_is_down());
}

CAF_TEST(children that are not significant do not count) {
  for (const auto mode : {any, all}) {
    start(flags_of(mode),
          {significant({"s"}), plain("a", restart::transient), plain("t", restart::temporary)});
    end("a");
    end("t");
    CAF_CHECK(!root_is_down());
    CAF_CHECK(alive(kid("s")));
  }
}

CAF_TEST(the last of all may be any of them and the order does not matter) {
  start(flags_of(all), {significant({"a"}), significant({"b"}, restart::temporary), significant({"c"})});
  end("c");
  end("a");
  CAF_CHECK(!root_is_down());
  crash("b");
  CAF_CHECK(root_is_down());
}

CAF_TEST(one that is being restarted counts as alive) {
  auto flags = flags_of(all);
  flags.backoff.initial = 1s;
  start(flags, {significant({"a"}), significant({"b"})});
  crash("a");
  CAF_CHECK_EQUAL(children(), list({"a restarting", "b running"}));
  end("b");
  CAF_CHECK(!root_is_down());
  pass(1s);
  CAF_CHECK_EQUAL(children(), list({"a running", "b stopped"}));
  end("a");
  CAF_CHECK(root_is_down());
}

CAF_TEST(an abnormal end is a restart whatever the mode) {
  for (const auto mode : {any, all}) {
    start(flags_of(mode), {significant({"a"})});
    log.clear();
    crash("a");
    kill("a");
    CAF_CHECK_EQUAL(log, list({"-a", "+a", "-a", "+a"}));
    CAF_CHECK(!root_is_down());
  }
}

CAF_TEST(a child that was terminated by request does not end the supervisor) {
  for (const auto mode : {any, all}) {
    for (const auto type : {restart::transient, restart::temporary}) {
      start(flags_of(mode), {significant({"a"}, type)});
      CAF_CHECK(!ask(terminate_child{"a"}));
      CAF_CHECK(!root_is_down());
      CAF_CHECK_EQUAL(counts(), type == restart::temporary ? "0 0 0 0" : "1 0 0 1");
    }
  }
}

CAF_TEST(a child that was terminated by request is not waited for either) {
  start(flags_of(all), {significant({"a"}), significant({"b"})});
  ask(terminate_child{"a"});
  CAF_CHECK(!root_is_down());
  end("b");
  CAF_CHECK(root_is_down());
}

CAF_TEST(a child that ends normally while it is terminated by request does not count) {
  start(flags_of(any),
        {significant({.id = "a", .stop_delay = 100ms, .last_word = caf::error{}}), plain("p")});
  auto handle = self->request(root, caf::infinite, terminate_child{"a"});
  run();
  pass(100ms);
  bool done = false;
  handle.receive([&](caf::ok_atom) { done = true; }, [](const caf::error&) {});
  CAF_CHECK(done);
  CAF_CHECK(!root_is_down());
  CAF_CHECK_EQUAL(children(), list({"a stopped", "p running"}));
}

CAF_TEST(a child that the restart of a sibling stops does not count) {
  for (const auto mode : {any, all}) {
    for (const auto s : {strategy::one_for_all, strategy::rest_for_one}) {
      start(flags_of(mode, s), {plain("p"), significant({"a"}), significant({"t"}, restart::temporary)});
      log.clear();
      crash("p");
      CAF_CHECK_EQUAL(log, list({"-p", "-t", "-a", "+p", "+a"}));
      CAF_CHECK(!root_is_down());
      end("a");
      CAF_CHECK(root_is_down());
    }
  }
}

CAF_TEST(a child that ends by itself while its group is being stopped does not count and is back) {
  for (const auto mode : {any, all}) {
    for (const auto s : {strategy::one_for_all, strategy::rest_for_one}) {
      start(flags_of(mode, s, 1), {plain("p"), significant({"a"}), slow("slow")});
      log.clear();
      crash("p");
      CAF_CHECK_EQUAL(children(), list({"p restarting", "a running", "slow stopping"}));
      end("a");
      CAF_CHECK_EQUAL(log, list({"-p", "-a"}));
      CAF_CHECK(!root_is_down());
      pass(100ms);
      CAF_CHECK(!root_is_down());
      CAF_CHECK_EQUAL(log, list({"-p", "-a", "-slow", "+p", "+a", "+slow"}));
      end("a");
      pass(100ms);
      CAF_CHECK(root_is_down());
    }
  }
}

CAF_TEST(a temporary child that ends while its group is being stopped does not count and is gone) {
  start(flags_of(any, strategy::one_for_all, 1),
        {plain("p"), significant({"t"}, restart::temporary), slow("slow")});
  crash("p");
  crash("t");
  pass(100ms);
  CAF_CHECK(!root_is_down());
  CAF_CHECK_EQUAL(children(), list({"p running", "slow running"}));
}

CAF_TEST(one that ended before is waited for again when a sibling has restarted it) {
  start(flags_of(all, strategy::one_for_all), {plain("p"), significant({"a"}), significant({"b"})});
  end("a");
  crash("p");
  CAF_CHECK_EQUAL(children(), list({"p running", "a running", "b running"}));
  end("b");
  CAF_CHECK(!root_is_down());
  end("a");
  CAF_CHECK(root_is_down());
}

CAF_TEST(instances of a significant specification end their supervisor one or all) {
  for (const auto mode : {any, all}) {
    for (const auto type : {restart::transient, restart::temporary}) {
      auto spec = plain("i", type);
      spec.significant = true;
      start(flags_of(mode, strategy::simple_one_for_one), {spec});
      const auto first = instance();
      const auto second = instance();
      CAF_CHECK(!root_is_down());
      end(first);
      CAF_CHECK_EQUAL(root_is_down(), mode == any);
      if (mode == any) {
        CAF_CHECK(!alive(second));
        continue;
      }
      CAF_CHECK(alive(second));
      end(second);
      CAF_CHECK(root_is_down());
    }
  }
}

CAF_TEST(instances that are terminated by request do not count) {
  for (const auto mode : {any, all}) {
    auto spec = plain("i", restart::temporary);
    spec.significant = true;
    start(flags_of(mode, strategy::simple_one_for_one), {spec});
    CAF_CHECK(!ask(terminate_child{pid_of(instance())}));
    CAF_CHECK(!root_is_down());
  }
}

CAF_TEST(a child that was added by request is significant too) {
  start(flags_of(all), {plain("p"), significant({"a"})});
  CAF_CHECK(!ask(start_child{significant({"b"}, restart::temporary)}));
  end("a");
  CAF_CHECK(!root_is_down());
  end("b");
  CAF_CHECK(root_is_down());
}

CAF_TEST(a significant child that chose not to run ends nothing and is not waited for) {
  script_of("s")->rest = step::ignore;
  auto shy = flaky("s");
  shy.restart = restart::transient;
  shy.significant = true;
  start(flags_of(any), {shy, plain("p")});
  CAF_CHECK(!root_is_down());
  start(flags_of(all), {shy, significant({"a"})});
  end("a");
  CAF_CHECK(root_is_down());
}

CAF_TEST(the end of a branch goes up as long as the supervisors are significant) {
  const auto branch = [&](bool matters) {
    auto spec = supervisor_spec("branch", flags_of(any), {significant({"a"}), plain("p")});
    spec.restart = restart::transient;
    spec.significant = matters;
    return spec;
  };
  start(flags_of(any), {plain("z"), branch(true)});
  log.clear();
  end(kid_of(kid("branch"), "a"));
  CAF_CHECK(root_is_down());
  CAF_CHECK_EQUAL(log, list({"-a", "-p", "-z"}));
  start(flags_of(any), {plain("z"), branch(false)});
  log.clear();
  end(kid_of(kid("branch"), "a"));
  CAF_CHECK(!root_is_down());
  CAF_CHECK_EQUAL(log, list({"-a", "-p"}));
  CAF_CHECK_EQUAL(children(), list({"z running", "branch stopped"}));
}

CAF_TEST(a permanent supervisor that ended itself is restarted and that counts) {
  start({strategy::one_for_one, 1}, {supervisor_spec("branch", flags_of(any), {significant({"a"})})});
  log.clear();
  end(kid_of(kid("branch"), "a"));
  CAF_CHECK_EQUAL(log, list({"-a", "+a"}));
  CAF_CHECK(!root_is_down());
  end(kid_of(kid("branch"), "a"));
  CAF_CHECK(root_is_down());
}

CAF_TEST(the reason is exactly shutdown and nobody reports anything) {
  for (const auto mode : {any, all}) {
    start(flags_of(mode), {significant({"a"}), plain("p")});
    log_capture said;
    end("a");
    CAF_CHECK(root_is_down());
    CAF_CHECK_EQUAL(reason, exit_code::shutdown);
    CAF_CHECK_EQUAL(describe(reason), "shutdown");
    CAF_CHECK_EQUAL(said.reports(), events{});
  }
}

CAF_TEST(the last end by itself is reported if it was none of a normal kind) {
  start(flags_of(any), {significant({"t"}, restart::temporary)});
  log_capture said;
  crash("t");
  CAF_CHECK(root_is_down());
  CAF_CHECK_EQUAL(said.reports(), list({"child_terminated t: crashed: boom"}));
}

CAF_TEST(significant children are refused where they make no sense) {
  start(flags_of(any), {significant({"x"}, restart::permanent)});
  CAF_CHECK(root_is_down());
  CAF_CHECK_EQUAL(reason, exit_code::bad_specification);
  CAF_CHECK_EQUAL(log, events{});
  start({}, {significant({"x"})});
  CAF_CHECK(root_is_down());
  CAF_CHECK_EQUAL(reason, exit_code::bad_specification);
  CAF_CHECK_EQUAL(log, events{});
  auto spec = plain("i", restart::transient);
  spec.significant = true;
  start({strategy::simple_one_for_one}, {spec});
  CAF_CHECK(root_is_down());
  CAF_CHECK_EQUAL(reason, exit_code::bad_specification);
  CAF_CHECK_EQUAL(log, events{});
  start({}, {plain("p")});
  CAF_CHECK_EQUAL(ask(start_child{significant({"x"})}), exit_code::bad_specification);
  start(flags_of(all), {plain("p")});
  CAF_CHECK_EQUAL(ask(start_child{significant({"x"}, restart::permanent)}), exit_code::bad_specification);
  CAF_CHECK_EQUAL(children(), list({"p running"}));
}

CAF_TEST_FIXTURE_SCOPE_END()
