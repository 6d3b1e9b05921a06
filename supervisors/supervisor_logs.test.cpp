#define CAF_SUITE supervisor_logs

#include <set>

#include "supervisors/supervisor.hpp"

#include "tests/unit/caf_test.hpp"

#include "supervisors/test_reports.hpp"
#include "supervisors/test_script.hpp"
#include "supervisors/test_supervisor.hpp"

using namespace cafmcp::otp;
using namespace cafmcp::otp::testing;

namespace {

using names = std::vector<std::string>;

names keys(const nlohmann::json& line) {
  names out;
  for (const auto& [key, value] : line.items())
    out.push_back(key);
  return out;  // sorted
}

names sorted(std::set<std::string> all) {
  return {all.begin(), all.end()};
}

const names report_keys = sorted({"ts", "level", "logger", "msg", "supervisor", "context", "reason", "child",
                                  "pid", "module", "type", "restart", "significant", "shutdown", "restarts"});

struct logs_fixture : log_capture, fixture {
  caf::actor_id pid(const std::string& id) { return kid(id).id(); }
  // All that has been said is one report, with these values and all keys.
  nlohmann::json the_report(const char* context, const std::string& reason_text, const char* child) {
    const auto all = take();
    CAF_CHECK_EQUAL(all.size(), 1u);
    if (all.size() != 1)
      return nlohmann::json::object();
    check_report(all[0], context, reason_text, child);
    return all[0];
  }
  static void check_report(const nlohmann::json& r, const char* context, const std::string& reason_text,
                           const char* child) {
    CAF_CHECK_EQUAL(keys(r), report_keys);
    if (keys(r) != report_keys)
      return;
    CAF_CHECK_EQUAL(r["msg"], "supervisor report");
    CAF_CHECK_EQUAL(r["level"], "error");
    CAF_CHECK_EQUAL(r["logger"], "supervisors");
    CAF_CHECK_EQUAL(r["context"], context);
    CAF_CHECK_EQUAL(r["reason"], reason_text);
    CAF_CHECK_EQUAL(r["child"], child);
  }
};

}  // namespace

CAF_TEST_FIXTURE_SCOPE(supervisor_logs_tests, logs_fixture)

CAF_TEST(each start is a progress report for those who ask for them) {
  capture(cafmcp::log::level::debug);
  start({}, {probe_spec({"a"})});
  auto all = take();
  CAF_REQUIRE_EQUAL(all.size(), 1u);
  CAF_CHECK_EQUAL(keys(all[0]), sorted({"ts", "level", "logger", "msg", "supervisor", "child", "pid"}));
  CAF_CHECK_EQUAL(all[0]["msg"], "progress report");
  CAF_CHECK_EQUAL(all[0]["level"], "debug");
  CAF_CHECK_EQUAL(all[0]["supervisor"], "root");
  CAF_CHECK_EQUAL(all[0]["child"], "a");
  CAF_CHECK_EQUAL(all[0]["pid"], pid("a"));
  ask(start_child{probe_spec({"b"})});
  all = take();
  CAF_REQUIRE_EQUAL(all.size(), 1u);
  CAF_CHECK_EQUAL(all[0]["child"], "b");
  crash("b");
  all = take("msg", "progress report");
  CAF_REQUIRE_EQUAL(all.size(), 1u);
  CAF_CHECK_EQUAL(all[0]["pid"], pid("b"));
}

CAF_TEST(a branch is reported when all of it has started) {
  capture(cafmcp::log::level::debug);
  start({}, {supervisor_spec("branch", {}, {probe_spec({"a"}), probe_spec({"b"})})});
  const auto all = take();
  CAF_REQUIRE_EQUAL(all.size(), 3u);
  CAF_CHECK_EQUAL(all[0]["supervisor"], "root/branch");
  CAF_CHECK_EQUAL(all[0]["child"], "a");
  CAF_CHECK_EQUAL(all[1]["child"], "b");
  CAF_CHECK_EQUAL(all[2]["supervisor"], "root");
  CAF_CHECK_EQUAL(all[2]["child"], "branch");
}

CAF_TEST(instances make no progress reports) {
  capture(cafmcp::log::level::debug);
  start({strategy::simple_one_for_one}, {probe_spec({"i"})});
  const auto i = instance();
  CAF_CHECK_EQUAL(take().size(), 0u);
  crash(i);
  CAF_CHECK_EQUAL(take("msg", "progress report").size(), 0u);
}

CAF_TEST(a child that does not run makes no progress report) {
  capture(cafmcp::log::level::debug);
  script s{{step::ignore, step::ignore_in_init, step::error}};
  start({}, {scripted_spec(s, {"a"})});
  ask(restart_child{"a"});
  CAF_CHECK_EQUAL(ask(restart_child{"a"}), caf::sec::cannot_open_port);
  CAF_CHECK_EQUAL(take().size(), 0u);
}

CAF_TEST(a failed start of a supervisor is a start_error) {
  script s{{step::error}};
  auto spec = scripted_spec(s, {"b"}, restart::transient);
  spec.shutdown = shutdown_rule::within(77ms);
  start({}, {probe_spec({"a"}), spec});
  auto r = the_report("start_error", "cannot_open_port: no luck", "b");
  CAF_CHECK_EQUAL(r["supervisor"], "root");
  CAF_CHECK_EQUAL(r["pid"], 0);
  CAF_CHECK_EQUAL(r["module"], "scripted");
  CAF_CHECK_EQUAL(r["type"], "worker");
  CAF_CHECK_EQUAL(r["restart"], "transient");
  CAF_CHECK_EQUAL(r["significant"], false);
  CAF_CHECK_EQUAL(r["shutdown"], "77ms");
  CAF_CHECK_EQUAL(r["restarts"], 0);
}

CAF_TEST(each failed restart is a start_error) {
  script s{{step::ok, step::error, step::raise, step::ok}};
  start({strategy::one_for_one, 3}, {scripted_spec(s, {"a"})});
  crash("a");
  const auto all = take("msg", "supervisor report");
  CAF_REQUIRE_EQUAL(all.size(), 3u);
  check_report(all[0], "child_terminated", "crashed: boom", "a");
  check_report(all[1], "start_error", "cannot_open_port: no luck", "a");
  CAF_CHECK_EQUAL(all[1]["pid"], 0);  // there is none
  CAF_CHECK_EQUAL(all[1]["restarts"], 1);
  check_report(all[2], "start_error", "crashed: no luck", "a");
  CAF_CHECK_EQUAL(all[2]["restarts"], 2);
}

CAF_TEST(a failed restart of a group is a start_error of the one that failed) {
  script s{{step::ok, step::error, step::ok}};
  start({strategy::one_for_all, 3}, {probe_spec({"a"}), scripted_spec(s, {"b"}), probe_spec({"c"})});
  crash("a");
  const auto all = take("context", "start_error");
  CAF_REQUIRE_EQUAL(all.size(), 1u);
  check_report(all[0], "start_error", "cannot_open_port: no luck", "b");
}

CAF_TEST(a failed start by request is no report) {
  script s{{step::error, step::error_in_init, step::raise, step::ignore, step::error, step::error_in_init}};
  start({}, {});
  for (int i = 0; i < 3; ++i) {
    ask(start_child{scripted_spec(s, {"a"})});
    CAF_CHECK(refusal);
  }
  ask(start_child{scripted_spec(s, {"a"})});
  CAF_CHECK_EQUAL(describe(ask(restart_child{"a"})), "cannot_open_port: no luck");
  CAF_CHECK_EQUAL(describe(ask(restart_child{"a"})), "noproc: no database");
  CAF_CHECK(s->next.empty());
  CAF_CHECK_EQUAL(take().size(), 0u);
}

CAF_TEST(a failed start of an instance is no report) {
  script s{{step::error, step::error_in_init, step::raise}};
  start({strategy::simple_one_for_one}, {scripted_spec(s, {"i"})});
  for (int i = 0; i < 3; ++i) {
    instance();
    CAF_CHECK(refusal);
  }
  CAF_CHECK_EQUAL(take().size(), 0u);
}

CAF_TEST(a death is reported with the actor that has died) {
  auto spec = probe_spec({"a"});
  spec.shutdown = shutdown_rule::brutal_kill();
  start({strategy::one_for_one, 3}, {spec});
  const auto old = kid("a");
  kill(old);
  auto r = the_report("child_terminated", "kill", "a");
  CAF_CHECK_EQUAL(r["pid"], old.id());
  CAF_CHECK_EQUAL(r["module"], "probe");
  CAF_CHECK_EQUAL(r["restart"], "permanent");
  CAF_CHECK_EQUAL(r["shutdown"], "brutal_kill");
  CAF_CHECK_EQUAL(r["restarts"], 0);
  CAF_CHECK_NOT_EQUAL(kid("a"), old);
  kill("a");
  r = the_report("child_terminated", "kill", "a");
  CAF_CHECK_EQUAL(r["restarts"], 1);
}

CAF_TEST(a normal end is a report for permanent children only) {
  for (const auto type : {restart::permanent, restart::transient, restart::temporary}) {
    start({strategy::one_for_one, 3}, {probe_spec({"a"}, type), probe_spec({"b"}, type)});
    end("a");
    tell("b", end_with{make_exit(exit_code::shutdown, "told to")});
    const auto all = take();
    if (type == restart::permanent) {
      CAF_REQUIRE_EQUAL(all.size(), 2u);
      check_report(all[0], "child_terminated", "normal", "a");
      check_report(all[1], "child_terminated", "shutdown: told to", "b");
    } else {
      CAF_CHECK_EQUAL(all.size(), 0u);
    }
    stop();
  }
}

CAF_TEST(an abnormal end is a report for all children) {
  for (const auto type : {restart::permanent, restart::transient, restart::temporary}) {
    start({strategy::one_for_one, 3}, {probe_spec({"a"}, type)});
    kill("a");
    auto r = the_report("child_terminated", "kill", "a");
    CAF_CHECK_EQUAL(r["restart"], to_string(type));
    stop();
  }
}

CAF_TEST(a significant supervisor is reported as what it is) {
  auto spec = supervisor_spec("s", supervisor_flags{}, {});
  spec.restart = restart::transient;
  spec.significant = true;
  start({strategy::one_for_one, 3, 5s, auto_shutdown::all_significant}, {spec});
  kill("s");
  auto r = the_report("child_terminated", "kill", "s");
  CAF_CHECK_EQUAL(r["type"], "supervisor");
  CAF_CHECK_EQUAL(r["significant"], true);
  CAF_CHECK_EQUAL(r["shutdown"], "infinity");
}

CAF_TEST(an instance is reported under the id of its specification) {
  start({strategy::simple_one_for_one, 3}, {probe_spec({"i"})});
  const auto i = instance();
  kill(i);
  auto r = the_report("child_terminated", "kill", "i");
  CAF_CHECK_EQUAL(r["pid"], i.id());
}

CAF_TEST(one restart too many is a shutdown) {
  start({strategy::one_for_one, 0}, {probe_spec({"a"}), probe_spec({"b"})});
  const auto old = pid("a");
  end("a");
  CAF_CHECK(root_is_down());
  const auto all = take();
  CAF_REQUIRE_EQUAL(all.size(), 2u);
  check_report(all[0], "child_terminated", "normal", "a");
  check_report(all[1], "shutdown", "reached_max_restart_intensity", "a");
  CAF_CHECK_EQUAL(all[1]["pid"], old);
  CAF_CHECK_EQUAL(all[1]["supervisor"], "root");
}

CAF_TEST(a shutdown names the last actor that had started) {
  script s{{step::ok, step::error_in_init, step::raise_in_init}};
  start({strategy::one_for_one, 2}, {scripted_spec(s, {"a"})});
  const auto old = pid("a");
  kill("a");
  CAF_CHECK(root_is_down());
  const auto all = take("context", "shutdown");
  CAF_REQUIRE_EQUAL(all.size(), 1u);
  check_report(all[0], "shutdown", "reached_max_restart_intensity", "a");
  CAF_CHECK_EQUAL(all[0]["pid"], old);
}

CAF_TEST(a child that ends before its turn in a stop is a shutdown_error with its actor) {
  start({}, {probe_spec({"a"}), probe_spec({.id = "b", .stop_delay = 100ms})});
  const auto old = kid("a");
  stop();
  kill(old);
  auto r = the_report("shutdown_error", "kill", "a");
  CAF_CHECK_EQUAL(r["pid"], old.id());
  pass(100ms);
  CAF_CHECK(root_is_down());
  CAF_CHECK_EQUAL(take().size(), 0u);
}

CAF_TEST(a child that does not die is said to be stuck with its actor) {
  caf::scoped_actor stuck{sys};
  auto spec = probe_spec({"s"});
  spec.shutdown = shutdown_rule::brutal_kill();
  spec.start = [&](const start_context&) { return started{caf::actor_cast<caf::actor>(stuck)}; };
  start({}, {spec});
  stop();
  pass(kill_grace);
  CAF_CHECK(root_is_down());
  const auto all = take();
  CAF_REQUIRE_EQUAL(all.size(), 1u);
  CAF_CHECK_EQUAL(all[0]["msg"], "a killed child is stuck in a handler; going on without it");
  CAF_CHECK_EQUAL(all[0]["supervisor"], "root");
  CAF_CHECK_EQUAL(all[0]["child"], "s");
  CAF_CHECK_EQUAL(all[0]["pid"], stuck->id());
}

CAF_TEST(a child that is killed after its time is a shutdown_error) {
  auto spec = probe_spec({.id = "a", .stubborn = true});
  spec.shutdown = shutdown_rule::within(100ms);
  start({}, {spec});
  const auto old = pid("a");
  stop();
  pass(99ms);
  CAF_CHECK(!root_is_down());
  CAF_CHECK_EQUAL(take().size(), 0u);
  pass(1ms);
  auto r = the_report("shutdown_error", "kill", "a");
  CAF_CHECK_EQUAL(r["pid"], old);
  CAF_CHECK_EQUAL(r["shutdown"], "100ms");
}

CAF_TEST(a child that is to be killed at once is no shutdown_error) {
  auto spec = probe_spec({.id = "a", .stubborn = true});
  spec.shutdown = shutdown_rule::brutal_kill();
  start({}, {spec});
  stop();
  CAF_CHECK(root_is_down());
  CAF_CHECK_EQUAL(take().size(), 0u);
}

CAF_TEST(a child that ends otherwise than told is a shutdown_error) {
  start({}, {headstrong("n", {}), headstrong("t", {}, restart::transient)});
  stop();
  auto r = the_report("shutdown_error", "normal", "n");
  CAF_CHECK_EQUAL(r["module"], "probe");
}

CAF_TEST(a child that ends otherwise than told by request is a shutdown_error) {
  start({}, {headstrong("e", caf::exit_reason::out_of_workers, restart::transient)});
  CAF_CHECK(!ask(terminate_child{"e"}));
  const auto all = take("msg", "supervisor report");
  CAF_REQUIRE_EQUAL(all.size(), 1u);
  check_report(all[0], "shutdown_error", "out_of_workers", "e");
}

CAF_TEST(instances that end otherwise than told are one shutdown_error for each reason) {
  child_spec spec;
  spec.id = "i";
  spec.module = "probe";
  spec.start = [](const start_context& context) {
    const caf::error why =
        context.arguments.get_as<int>(0) == 0 ? caf::error{} : make_exit(exit_code::noproc, "no database");
    return started{spawn_probe(context, {.id = "i", .last_word = why})};
  };
  start({strategy::simple_one_for_one}, {spec});
  for (const int how : {0, 1, 0, 0, 1})
    ask(start_instance{caf::make_message(how)});
  stop();
  CAF_CHECK(root_is_down());
  auto all = take("msg", "supervisor report");
  CAF_REQUIRE_EQUAL(all.size(), 2u);
  if (all[0]["reason"] != "normal")
    std::swap(all[0], all[1]);
  for (const auto& r : all) {
    CAF_CHECK_EQUAL(keys(r), sorted({"ts", "level", "logger", "msg", "supervisor", "context", "reason",
                                     "child", "module", "children"}));
    CAF_CHECK_EQUAL(r["context"], "shutdown_error");
    CAF_CHECK_EQUAL(r["child"], "i");
  }
  CAF_CHECK_EQUAL(all[0]["reason"], "normal");
  CAF_CHECK_EQUAL(all[0]["children"], 3);
  CAF_CHECK_EQUAL(all[1]["reason"], "noproc: no database");
  CAF_CHECK_EQUAL(all[1]["children"], 2);
}

CAF_TEST(an exception is a crash report with its text) {
  start({}, {probe_spec({"a"}, restart::temporary)});
  const auto old = pid("a");
  crash("a");
  const auto all = take();
  CAF_REQUIRE_EQUAL(all.size(), 2u);
  CAF_CHECK_EQUAL(keys(all[0]), sorted({"ts", "level", "logger", "msg", "actor", "pid", "exception"}));
  CAF_CHECK_EQUAL(all[0]["msg"], "crash report");
  CAF_CHECK_EQUAL(all[0]["level"], "error");
  CAF_CHECK_EQUAL(all[0]["actor"], "probe");
  CAF_CHECK_EQUAL(all[0]["pid"], old);
  CAF_CHECK_EQUAL(all[0]["exception"], "boom");
  check_report(all[1], "child_terminated", "crashed: boom", "a");
}

CAF_TEST(an end with an error is a crash report with its reason) {
  start({}, {probe_spec({"a"}, restart::temporary)});
  const auto old = pid("a");
  tell("a", end_with{make_exit(exit_code::noproc, "told to")});
  const auto all = take();
  CAF_REQUIRE_EQUAL(all.size(), 2u);
  CAF_CHECK_EQUAL(keys(all[0]), sorted({"ts", "level", "logger", "msg", "actor", "pid", "reason"}));
  CAF_CHECK_EQUAL(all[0]["msg"], "crash report");
  CAF_CHECK_EQUAL(all[0]["pid"], old);
  CAF_CHECK_EQUAL(all[0]["reason"], "noproc: told to");
  check_report(all[1], "child_terminated", "noproc: told to", "a");
}

CAF_TEST(neither a kill nor an ordered end is a crash report) {
  const std::vector<caf::error> reasons{{},
                                        caf::exit_reason::kill,
                                        caf::exit_reason::user_shutdown,
                                        make_exit(exit_code::shutdown),
                                        make_exit(exit_code::shutdown, "with a text"),
                                        make_exit(exit_code::killed)};
  for (const auto& why : reasons) {
    const auto actor = sys.spawn<probe>(worker_options{"p"});
    self->send_exit(actor, why);
    run();
    CAF_CHECK_EQUAL(take().size(), 0u);
  }
}

CAF_TEST(a child that throws in its init is a crash report and a start_error) {
  script s{{step::raise_in_init}};
  start({}, {scripted_spec(s, {"a"})});
  const auto all = take();
  CAF_REQUIRE_EQUAL(all.size(), 2u);
  CAF_CHECK_EQUAL(all[0]["msg"], "crash report");
  CAF_CHECK_EQUAL(all[0]["exception"], "no luck");
  check_report(all[1], "start_error", "crashed: no luck", "a");
}

CAF_TEST(a child that refuses in its init is a start_error only) {
  script s{{step::error_in_init}};
  start({}, {scripted_spec(s, {"a"})});
  the_report("start_error", "noproc: no database", "a");
}

CAF_TEST(a supervisor that does not start is a start_error of its parent and no crash report) {
  start({}, {supervisor_spec("s", [] { return make_exit(exit_code::noproc, "no database"); })});
  auto r = the_report("start_error", "noproc: no database", "s");
  CAF_CHECK_EQUAL(r["type"], "supervisor");
}

CAF_TEST(an end by significant children is no report) {
  auto spec = probe_spec({"a"}, restart::transient);
  spec.significant = true;
  start({strategy::one_for_one, 1, 5s, auto_shutdown::any_significant}, {probe_spec({"b"}), spec});
  end("a");
  CAF_CHECK(root_is_down());
  CAF_CHECK_EQUAL(take().size(), 0u);
}

CAF_TEST(what is stopped in order is no report) {
  start({}, {probe_spec({"a"}), supervisor_spec("s", {}, {probe_spec({"b"})}),
             probe_spec({"t"}, restart::temporary)});
  ask(terminate_child{"a"});
  ask(terminate_child{"a"});
  ask(restart_child{"a"});
  ask(terminate_child{"a"});
  ask(delete_child{"a"});
  ask(terminate_child{"t"});
  stop();
  CAF_CHECK(root_is_down());
  CAF_CHECK_EQUAL(take().size(), 0u);
}

CAF_TEST(instances that are stopped in order are no report) {
  start({strategy::simple_one_for_one}, {probe_spec({"i"})});
  const auto first = instance();
  instance();
  CAF_CHECK(!ask(terminate_child{pid_of(first)}));
  stop();
  CAF_CHECK(root_is_down());
  CAF_CHECK_EQUAL(take().size(), 0u);
}

CAF_TEST(refusals are no report) {
  start({}, {probe_spec({"a"})});
  ask(start_child{probe_spec({"a"})});
  ask(start_child{probe_spec({"#"})});
  ask(restart_child{"a"});
  ask(restart_child{"x"});
  ask(delete_child{"a"});
  ask(terminate_child{"x"});
  CAF_CHECK_EQUAL(take().size(), 0u);
}

CAF_TEST_FIXTURE_SCOPE_END()
