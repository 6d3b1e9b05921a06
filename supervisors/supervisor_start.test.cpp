#define CAF_SUITE supervisor_start

#include "supervisors/runtime.hpp"
#include "supervisors/supervisor.hpp"

#include "tests/unit/caf_test.hpp"

#include "supervisors/test_reports.hpp"
#include "supervisors/test_script.hpp"
#include "supervisors/test_supervisor.hpp"

using namespace cafmcp::otp;
using namespace cafmcp::otp::testing;

namespace {

struct start_fixture : log_capture, fixture {
  start_fixture() { is_parent = true; }
  // A start of a, b and c, of which b fails as in `how`: everything that follows from a failed start.
  void fails(step how, const std::string& text) {
    script s{{how}};
    start({}, {plain("z"), plain("a"), scripted_spec(s, {"b"}), plain("c")});
    CAF_CHECK_EQUAL(log, list({"+z", "+a", "-a", "-z"}));
    CAF_CHECK_EQUAL(start_answer(), "start_failed: root/b: " + text);
    CAF_CHECK(root_is_down());
    CAF_CHECK_EQUAL(describe(reason), "start_failed: root/b: " + text);
    CAF_CHECK_EQUAL(s->calls, 1);
    const auto errors = take("context", "start_error");
    CAF_REQUIRE_EQUAL(errors.size(), 1u);
    CAF_CHECK_EQUAL(errors[0]["child"], "b");
    CAF_CHECK_EQUAL(errors[0]["reason"], text);
  }
  static std::string text(const caf::message& info) {
    return info.match_elements<std::string>() ? info.get_as<std::string>(0) : std::string{};
  }
};

supervisor_init init_that(std::function<std::variant<supervisor_setup, ignored, caf::error>()> f) {
  return f;
}

}  // namespace

CAF_TEST_FIXTURE_SCOPE(supervisor_start_tests, start_fixture)

CAF_TEST(an empty supervisor starts and stops) {
  start({}, {});
  CAF_CHECK_EQUAL(start_answer(), "ack");
  CAF_CHECK_EQUAL(counts(), "0 0 0 0");
  stop();
  CAF_CHECK(root_is_down());
  CAF_CHECK_EQUAL(describe(reason), "shutdown");
  CAF_CHECK_EQUAL(take().size(), 0u);
}

CAF_TEST(a supervisor that nobody holds any more ends with its children) {
  start({}, {plain("a"), supervisor_spec("branch", {}, {plain("b")})});
  CAF_CHECK_EQUAL(start_answer(), "ack");  // which holds its sender
  log.clear();
  root = nullptr;
  run();
  CAF_CHECK(root_is_down());
  std::sort(log.begin(), log.end());
  CAF_CHECK_EQUAL(log, list({"-a", "-b"}));
}

CAF_TEST(flags and specifications have the defaults of OTP) {
  const supervisor_flags flags;
  CAF_CHECK(flags.strategy == strategy::one_for_one);
  CAF_CHECK_EQUAL(flags.intensity, 1u);
  CAF_CHECK(flags.period == 5s);
  CAF_CHECK(flags.auto_shutdown == auto_shutdown::never);
  CAF_CHECK(flags.backoff.initial == 0ms);
  const auto spec = worker<probe>("a", "probe", worker_options{});
  CAF_CHECK(spec.restart == restart::permanent);
  CAF_CHECK(!spec.significant);
  CAF_CHECK(spec.type == child_type::worker);
  CAF_CHECK(spec.start_timeout == 0ms);
  CAF_CHECK(shutdown_of(spec) == shutdown_rule::within(5s));
  const auto branch = supervisor_spec("b", supervisor_flags{}, {});
  CAF_CHECK(branch.type == child_type::supervisor);
  CAF_CHECK(shutdown_of(branch) == shutdown_rule::infinity());
}

CAF_TEST(a supervisor has started when all its children have) {
  script s{{step::later}};
  start({}, {plain("a"), scripted_spec(s, options("b")), plain("c")});
  CAF_CHECK_EQUAL(log, list({"+a", "+b"}));
  CAF_CHECK_EQUAL(start_answer(), "");
  tell("b", verdict::acknowledge);
  CAF_CHECK_EQUAL(log, list({"+a", "+b", "+c"}));
  CAF_CHECK_EQUAL(start_answer(), "ack");
}

CAF_TEST(a parent waits for a whole branch before it goes on) {
  script s{{step::later}};
  start({}, {supervisor_spec("branch", {}, {scripted_spec(s, options("b"))}), plain("c")});
  CAF_CHECK_EQUAL(log, list({"+b"}));
  tell(kid_of(kid("branch"), "b"), verdict::acknowledge);
  CAF_CHECK_EQUAL(log, list({"+b", "+c"}));
}

CAF_TEST(an init that ignores is told to the parent and the supervisor ends normally) {
  start_by([] { return ignored{}; });
  CAF_CHECK_EQUAL(start_answer(), "ignore");
  CAF_CHECK(root_is_down());
  CAF_CHECK_EQUAL(describe(reason), "normal");
  CAF_CHECK_EQUAL(take().size(), 0u);
}

CAF_TEST(a child supervisor whose init ignores is kept by its parent) {
  start({}, {supervisor_spec("branch", init_that([] { return ignored{}; })), plain("a")});
  CAF_CHECK_EQUAL(start_answer(), "ack");
  CAF_CHECK_EQUAL(counts(), "2 1 1 1");
  kid("branch");
  CAF_CHECK_EQUAL(describe(refusal), "noproc: branch");
  CAF_CHECK_EQUAL(take().size(), 0u);
}

CAF_TEST(an init that fails is an error of the start with nothing started) {
  start_by([] { return make_exit(exit_code::noproc, "no database"); });
  CAF_CHECK_EQUAL(start_answer(), "noproc: no database");
  CAF_CHECK(root_is_down());
  CAF_CHECK_EQUAL(describe(reason), "noproc: no database");
}

CAF_TEST(an init that throws is an error of the start) {
  start_by([]() -> supervisor_setup { throw std::runtime_error("no file"); });
  CAF_CHECK_EQUAL(start_answer(), "crashed: no file");
  CAF_CHECK(root_is_down());
  CAF_CHECK_EQUAL(describe(reason), "crashed: no file");
}

CAF_TEST(an init that throws something else is an error of the start) {
  start_by([]() -> supervisor_setup { throw 42; });
  CAF_CHECK_EQUAL(start_answer(), "crashed: an exception of unknown type");
  CAF_CHECK(root_is_down());
}

CAF_TEST(an init with bad specifications is an error of the start) {
  start_by([this] { return supervisor_setup{{}, {plain("a"), plain("a")}}; });
  CAF_CHECK_EQUAL(start_answer(), "bad_specification: two children are called \"a\"");
  CAF_CHECK(log.empty());
}

CAF_TEST(an init is asked anew at each restart) {
  int calls = 0;
  start({}, {supervisor_spec("branch", init_that([&] {
                               ++calls;
                               return supervisor_setup{{}, {probe_spec({std::to_string(calls), &log})}};
                             }))});
  CAF_CHECK_EQUAL(log, list({"+1"}));
  kill("branch");
  CAF_CHECK_EQUAL(calls, 2);
  CAF_CHECK_EQUAL(std::count(log.begin(), log.end(), "+2"), 1);
}

CAF_TEST(a child that ignores is kept and counted whoever says so) {
  script by_function{{step::ignore}};
  script by_init{{step::ignore_in_init}};
  script later{{step::later}};
  start({}, {scripted_spec(by_function, {"f"}), scripted_spec(by_init, {"i"}), scripted_spec(later, {"l"}),
             plain("a")});
  tell("l", verdict::ignore);
  CAF_CHECK_EQUAL(start_answer(), "ack");
  CAF_CHECK_EQUAL(counts(), "4 1 0 4");
  for (const auto* id : {"f", "i", "l"}) {
    kid(id);
    CAF_CHECK_EQUAL(refusal, exit_code::noproc);
    CAF_CHECK(get(restart_child{id}).actor != nullptr);
  }
  CAF_CHECK_EQUAL(counts(), "4 4 0 4");
  CAF_CHECK_EQUAL(take().size(), 0u);
}

CAF_TEST(a temporary child that ignores at the start is forgotten) {
  script s{{step::ignore}};
  script t{{step::ignore_in_init}};
  start({}, {scripted_spec(s, {"s"}, restart::temporary), scripted_spec(t, {"t"}, restart::temporary)});
  CAF_CHECK_EQUAL(start_answer(), "ack");
  CAF_CHECK_EQUAL(counts(), "0 0 0 0");
}

CAF_TEST(a child added by request that ignores is kept unless it is temporary) {
  start({}, {});
  for (const auto how : {step::ignore, step::ignore_in_init}) {
    script s{{how, how}};
    CAF_CHECK(get(start_child{scripted_spec(s, {"t"}, restart::temporary)}).actor == nullptr);
    CAF_CHECK(!refusal);
    CAF_CHECK_EQUAL(counts(), "0 0 0 0");
    CAF_CHECK(get(start_child{scripted_spec(s, {"p"})}).actor == nullptr);
    CAF_CHECK(!refusal);
    CAF_CHECK_EQUAL(counts(), "1 0 0 1");
    CAF_CHECK_EQUAL(ask(start_child{probe_spec({"p"})}), exit_code::already_present);
    CAF_CHECK(!ask(delete_child{"p"}));
  }
}

CAF_TEST(an instance that ignores leaves nothing and the supervisor stops cleanly) {
  for (const auto type : {restart::permanent, restart::transient, restart::temporary}) {
    script s{{step::ignore, step::ignore_in_init}};
    start({strategy::simple_one_for_one}, {scripted_spec(s, {"i"}, type)});
    for (int i = 0; i < 2; ++i) {
      CAF_CHECK(instance() == nullptr);
      CAF_CHECK(!refusal);
    }
    CAF_CHECK_EQUAL(s->calls, 2);
    CAF_CHECK_EQUAL(counts(), "1 0 0 0");
    stop();
    CAF_CHECK(root_is_down());
    CAF_CHECK_EQUAL(describe(reason), "shutdown");
  }
  CAF_CHECK_EQUAL(take().size(), 0u);
}

CAF_TEST(a start function that says why not fails the start) {
  fails(step::error, "cannot_open_port: no luck");
}

CAF_TEST(a start function that throws fails the start) {
  fails(step::raise, "crashed: no luck");
}

CAF_TEST(a start function that throws no exception of the library fails the start) {
  fails(step::raise_int, "crashed: an exception of unknown type");
}

CAF_TEST(a start function that returns no actor fails the start) {
  fails(step::nobody, "noproc: the start function returned no actor");
}

CAF_TEST(a child whose constructor throws fails the start) {
  fails(step::raise_in_constructor, "crashed: no memory");
}

CAF_TEST(a child that throws in its init fails the start) {
  fails(step::raise_in_init, "crashed: no luck");
}

CAF_TEST(a child that refuses in its init fails the start) {
  fails(step::error_in_init, "noproc: no database");
}

CAF_TEST(a child that throws in its init was no restart) {
  script s{{step::raise_in_init, step::raise_in_constructor}};
  start({strategy::one_for_one, 0}, {plain("a")});
  const auto before = restarts_total();
  CAF_CHECK_EQUAL(describe(ask(start_child{scripted_spec(s, options("b"))})), "crashed: no luck");
  CAF_CHECK_EQUAL(describe(ask(start_child{scripted_spec(s, options("b"))})), "crashed: no memory");
  CAF_CHECK_EQUAL(restarts_total(), before);
  CAF_CHECK_EQUAL(counts(), "1 1 0 1");
  CAF_CHECK(!root_is_down());
  CAF_CHECK(get(start_child{scripted_spec(s, options("b"))}).actor != nullptr);
}

CAF_TEST(the error of a failed branch names the grandchild at each level) {
  script s{{step::raise}};
  start({}, {supervisor_spec("branch", {}, {plain("a"), scripted_spec(s, {"b"})})});
  const std::string inner = "start_failed: root/branch/b: crashed: no luck";
  CAF_CHECK_EQUAL(start_answer(), "start_failed: root/branch: " + inner);
  CAF_CHECK(root_is_down());
  CAF_CHECK_EQUAL(log, list({"+a", "-a"}));
  const auto all = take();
  CAF_REQUIRE_EQUAL(all.size(), 2u);
  CAF_CHECK_EQUAL(all[0]["supervisor"], "root/branch");
  CAF_CHECK_EQUAL(all[0]["reason"], "crashed: no luck");
  CAF_CHECK_EQUAL(all[1]["supervisor"], "root");
  CAF_CHECK_EQUAL(all[1]["reason"], inner);
}

CAF_TEST(acknowledgements of others are ignored) {
  script a{{step::later}};
  script b{{step::later}};
  start({}, {scripted_spec(a, options("a")), scripted_spec(b, options("b"))});
  self->send(root, init_ack{});
  self->send(root, init_ignore{});
  self->send(root, init_error{make_exit(exit_code::noproc)});
  caf::anon_send(root, init_ack{});
  run();
  CAF_CHECK_EQUAL(log, list({"+a"}));
  tell("a", verdict::acknowledge);
  CAF_CHECK_EQUAL(log, list({"+a", "+b"}));
  tell("a", verdict::late_acknowledge);
  CAF_CHECK_EQUAL(start_answer(), "");
  tell("b", verdict::acknowledge);
  CAF_CHECK_EQUAL(start_answer(), "ack");
  tell("b", verdict::late_acknowledge);
  CAF_CHECK_EQUAL(counts(), "2 2 0 2");
}

CAF_TEST(a child that ends before it has started fails the start with its reason) {
  start({}, {});
  const auto ends = [this](auto what) {
    script s{{step::later}};
    const auto handle = self->request(root, caf::infinite, start_child{scripted_spec(s, {"b"})});
    run();
    tell("b", what);
    std::string why;
    auto answer = handle;
    answer.receive([](const child_started&) {}, [&](caf::error& e) { why = describe(e); });
    CAF_CHECK_EQUAL(counts(), "0 0 0 0");
    return why;
  };
  CAF_CHECK_EQUAL(ends(1), "start_failed: it ended before it had started");
  CAF_CHECK_EQUAL(ends(0), "crashed: boom");
  CAF_CHECK_EQUAL(ends(end_with{make_exit(exit_code::shutdown, "told to")}), "shutdown: told to");
  CAF_CHECK_EQUAL(ends(verdict::error), "noproc: no database");
}

CAF_TEST(a child that does not start in time is killed and the start fails with timeout) {
  script s{{step::later}};
  auto slow = scripted_spec(s, options("h"));
  slow.start_timeout = 100ms;
  start({}, {});
  auto first = self->request(root, caf::infinite, start_child{slow});
  auto second = self->request(root, caf::infinite, start_child{plain("b")});
  run();
  pass(99ms);
  CAF_CHECK_EQUAL(log, list({"+h"}));
  pass(1ms);
  CAF_CHECK_EQUAL(log, list({"+h", "-h", "+b"}));
  first.receive([](const child_started&) {}, [&](caf::error& e) { refusal = e; });
  CAF_CHECK_EQUAL(refusal, exit_code::timeout);
  bool fine = false;
  second.receive([&](const child_started&) { fine = true; }, [](caf::error&) {});
  CAF_CHECK(fine);
  CAF_CHECK_EQUAL(counts(), "1 1 0 1");
}

CAF_TEST(a child that starts in time is not killed afterwards) {
  script s{{step::later}};
  auto slow = scripted_spec(s, options("h"));
  slow.start_timeout = 100ms;
  start({}, {slow});
  pass(99ms);
  tell("h", verdict::acknowledge);
  pass(1000ms);
  CAF_CHECK_EQUAL(log, list({"+h"}));
  CAF_CHECK_EQUAL(start_answer(), "ack");
}

CAF_TEST(a child that acknowledges when its time is over has not started) {
  script s{{step::later}};
  auto slow = scripted_spec(s, options("h"), restart::temporary);
  slow.start_timeout = 100ms;
  start({}, {});
  auto handle = self->request(root, caf::infinite, start_child{slow});
  run();
  const auto late = kid("h");
  advance_time(100ms);
  self->send(late, verdict::acknowledge);
  sched.prioritize(late);
  sched.run_once();  // behind the end of the time, and before the kill
  run();
  handle.receive([](const child_started&) {}, [&](caf::error& e) { refusal = e; });
  CAF_CHECK_EQUAL(refusal, exit_code::timeout);
  CAF_CHECK_EQUAL(log, list({"+h", "-h"}));
  CAF_CHECK_EQUAL(counts(), "0 0 0 0");
  CAF_CHECK_EQUAL(take().size(), 0u);
}

CAF_TEST(a restart that is out of time is tried again after the child is gone) {
  script s{{step::ok, step::later, step::ok}};
  auto slow = scripted_spec(s, options("h"));
  slow.start_timeout = 100ms;
  start({strategy::one_for_one, 2}, {slow});
  crash("h");
  pass(100ms);
  CAF_CHECK_EQUAL(log, list({"+h", "-h", "+h", "-h", "+h"}));
  CAF_CHECK_EQUAL(counts(), "1 1 0 1");
  const auto errors = take("context", "start_error");
  CAF_REQUIRE_EQUAL(errors.size(), 1u);
  CAF_CHECK_EQUAL(errors[0]["reason"], "timeout: it did not say in time that it has started");
}

CAF_TEST(a child that is stuck in its start though killed is left behind) {
  caf::scoped_actor stuck{sys};
  auto spec = probe_spec({"s"});
  spec.start_timeout = 100ms;
  spec.start = [&](const start_context&) { return started{caf::actor_cast<caf::actor>(stuck), true}; };
  start({}, {});
  auto handle = self->request(root, caf::infinite, start_child{spec});
  run();
  pass(100ms);
  pass(kill_grace - 1ms);
  CAF_CHECK_EQUAL(counts(), "1 1 0 1");
  pass(1ms);
  CAF_CHECK_EQUAL(counts(), "0 0 0 0");
  handle.receive([](const child_started&) {}, [&](caf::error& e) { refusal = e; });
  CAF_CHECK_EQUAL(refusal, exit_code::timeout);
  const auto said = take("msg", "a killed child is stuck in its start; going on without it");
  CAF_REQUIRE_EQUAL(said.size(), 1u);
  CAF_CHECK_EQUAL(said[0]["supervisor"], "root");
  CAF_CHECK_EQUAL(said[0]["child"], "s");
  CAF_CHECK_EQUAL(said[0]["pid"], stuck->id());
}

CAF_TEST(a stop overtakes the first start and the parent hears of it) {
  script s{{step::later}};
  start({}, {plain("a"), scripted_spec(s, options("h")), plain("c")});
  stop();
  CAF_CHECK_EQUAL(log, list({"+a", "+h", "-h", "-a"}));
  CAF_CHECK_EQUAL(start_answer(), "shutdown");
  CAF_CHECK(root_is_down());
  CAF_CHECK_EQUAL(describe(reason), "shutdown");
}

CAF_TEST(what a child says of itself goes to whoever asked for the start) {
  script s{{step::info, step::info_in_init, step::ok, step::info}};
  start({}, {});
  const auto first = get(start_child{scripted_spec(s, {"a"})});
  CAF_CHECK_EQUAL(text(first.info), "info of a");
  CAF_CHECK(first.actor == kid("a"));
  ask(terminate_child{"a"});
  const auto second = get(restart_child{"a"});
  CAF_CHECK_EQUAL(text(second.info), "init of a");
  CAF_CHECK(second.actor == kid("a"));
  ask(terminate_child{"a"});
  CAF_CHECK(get(restart_child{"a"}).info.empty());
  crash("a");
  CAF_CHECK(s->next.empty());
  CAF_CHECK_EQUAL(counts(), "1 1 0 1");
}

CAF_TEST(what an instance says of itself goes to whoever asked for it) {
  script s{{step::info_in_init}};
  start({strategy::simple_one_for_one}, {scripted_spec(s, {"i"})});
  CAF_CHECK_EQUAL(text(get(start_instance{}).info), "init of i");
}

CAF_TEST(a name that is taken is refused with its owner before anything starts) {
  script s;
  auto a = plain("a");
  auto b = scripted_spec(s, options("b"));
  a.name = b.name = "the-one";
  start({}, {a});
  const auto owner = kid("a");
  CAF_CHECK_EQUAL(ask(start_child{b}), exit_code::already_started);
  CAF_CHECK(running_child(refusal) == owner);
  CAF_CHECK_EQUAL(s->calls, 0);
  CAF_CHECK_EQUAL(log, list({"+a"}));
  CAF_REQUIRE(names->lookup("the-one").has_value());
  CAF_CHECK(names->lookup("the-one").value() == kid("a"));
  CAF_CHECK_EQUAL(counts(), "1 1 0 1");
}

CAF_TEST(a supervisor with a child whose name is taken does not start) {
  script s;
  auto a = plain("a");
  auto b = scripted_spec(s, options("b"));
  a.name = b.name = "the-one";
  start({}, {a, b});
  CAF_CHECK_EQUAL(start_answer(), "start_failed: root/b: already_started: the name the-one is taken");
  CAF_CHECK(root_is_down());
  CAF_CHECK_EQUAL(s->calls, 0);
  CAF_CHECK_EQUAL(log, list({"+a", "-a"}));
  CAF_CHECK(names->lookup("the-one").error().code == cafmcp::errc::not_found);
}

CAF_TEST(after a failed start the name is free and the child gone) {
  for (const auto how : {step::error, step::raise_in_init, step::error_in_init, step::ignore_in_init}) {
    script s{{how}};
    auto a = scripted_spec(s, options("a"), restart::temporary);
    auto b = plain("b", restart::temporary);
    a.name = b.name = "the-one";
    start({}, {});
    ask(start_child{a});
    CAF_CHECK_EQUAL(log.back(), how == step::error ? "!a" : "-a");
    CAF_CHECK(names->lookup("the-one").error().code == cafmcp::errc::not_found);
    CAF_CHECK(get(start_child{b}).actor != nullptr);
    stop();
    CAF_CHECK(root_is_down());
    log.clear();
  }
}

CAF_TEST(a name is not to be found before its child has started) {
  script s{{step::later}};
  auto a = scripted_spec(s, {"a"});
  a.name = "the-one";
  start({}, {a});
  CAF_CHECK(names->lookup("the-one").error().code == cafmcp::errc::unavailable);
  tell("a", verdict::acknowledge);
  CAF_REQUIRE(names->lookup("the-one").has_value());
}

CAF_TEST(an actor that is dead when it is returned has died after its start) {
  const caf::actor dead = sys.spawn<probe>(worker_options{"d"});
  kill(dead);
  auto spec = probe_spec({"d"}, restart::temporary);
  spec.start = [dead](const start_context&) { return started{dead}; };
  start({}, {spec});
  CAF_CHECK_EQUAL(start_answer(), "ack");
  CAF_CHECK_EQUAL(counts(), "0 0 0 0");
  CAF_CHECK_EQUAL(take("context", "child_terminated").size(), 1u);
  spec.start = [dead](const start_context&) { return started{dead, true}; };
  ask(start_child{spec});
  CAF_CHECK(refusal == caf::exit_reason::kill);
}

CAF_TEST(the end of an actor that two children have returned is the end of both) {
  caf::actor shared;
  const auto start_shared = [&](const start_context& context) {
    if (log.size() == 0)
      shared = spawn_on<probe>(context.supervisor->system(), context.where, worker_options{"s", &log});
    return started{shared};
  };
  auto a = probe_spec({"a"}, restart::temporary);
  auto b = probe_spec({"b"}, restart::transient);
  a.start = b.start = start_shared;
  start({}, {a, b});
  CAF_CHECK(kid("a") == kid("b"));
  end("b");
  CAF_CHECK_EQUAL(counts(), "1 0 0 1");
  shared = nullptr;
}

CAF_TEST_FIXTURE_SCOPE_END()

CAF_TEST(whoever starts a tree is told why there is none) {
  runtime rt{{1}};
  const auto ignores =
      start_tree(rt.system(), rt.unit(0), {"root", {}, {}, nullptr, nullptr, [] { return ignored{}; }});
  CAF_REQUIRE(!ignores.has_value());
  CAF_CHECK(ignores.error().code == cafmcp::errc::unavailable);
  CAF_CHECK(ignores.error().message.find("noproc") != std::string::npos);
  script s{{step::raise_in_init}};
  const auto fails =
      start_tree(rt.system(), rt.unit(0), {"root", {}, {scripted_spec(s, {"b"})}, nullptr, nullptr});
  CAF_REQUIRE(!fails.has_value());
  CAF_CHECK(fails.error().message.find("root/b: crashed: no luck") != std::string::npos);
  CAF_CHECK_EQUAL(rt.await_actors(std::chrono::seconds{30}), 0u);
}
