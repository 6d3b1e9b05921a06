#define CAF_SUITE supervisor_map

#include "supervisors/supervisor.hpp"

#include "tests/unit/caf_test.hpp"

#include "supervisors/test_script.hpp"
#include "supervisors/test_supervisor.hpp"

using namespace cafmcp::otp;
using namespace cafmcp::otp::testing;

namespace {

child_spec with_id(std::string id) {
  auto spec = probe_spec({"x"});
  spec.id = std::move(id);
  return spec;
}

child_spec significant(std::string id, restart r) {
  auto spec = probe_spec({std::move(id)}, r);
  spec.significant = true;
  return spec;
}

supervisor_flags flags_of(auto_shutdown a, strategy s = strategy::one_for_one) {
  return {s, 1, 5s, a};
}

struct map_fixture : fixture {
  map_fixture() { is_parent = true; }
  // The specification is refused with this text in a start and in a request, and nothing changes.
  void refused_everywhere(const child_spec& spec, const std::string& text, supervisor_flags flags = {}) {
    const auto whole = "bad_specification: child \"" + spec.id + "\": " + text;
    CAF_CHECK_EQUAL(describe(check(spec, flags)), whole);
    CAF_CHECK_EQUAL(describe(check_childspecs({probe_spec({"a"}), spec}, flags)), whole);
    start(flags, {plain("a"), spec});
    CAF_CHECK_EQUAL(start_answer(), whole);
    CAF_CHECK(root_is_down());
    CAF_CHECK_EQUAL(describe(reason), whole);
    CAF_CHECK(log.empty());
    start(flags, {probe_spec({"a"})});
    CAF_CHECK_EQUAL(start_answer(), "ack");
    CAF_CHECK_EQUAL(describe(ask(start_child{spec})), whole);
    CAF_CHECK_EQUAL(counts(), "1 1 0 1");
    stop();
    CAF_CHECK(root_is_down());
  }
  // The supervisor does not start, and says this.
  void refused_at_start(supervisor_flags flags, std::vector<child_spec> children, const std::string& text) {
    CAF_CHECK_EQUAL(describe(check_childspecs(children, flags)), "bad_specification: " + text);
    start(flags, std::move(children));
    CAF_CHECK_EQUAL(start_answer(), "bad_specification: " + text);
    CAF_CHECK(root_is_down());
    CAF_CHECK(log.empty());
  }
  // What has been given is what is read back.
  void reads_back(const child_spec& spec) {
    const auto got = get(get_childspec{spec.id});
    CAF_CHECK(!refusal);
    CAF_CHECK_EQUAL(got.id, spec.id);
    CAF_CHECK(static_cast<const child_kind&>(got) == static_cast<const child_kind&>(spec));
  }
};

// One for each way to stop and type of child.
std::vector<child_spec> all_sorts() {
  std::vector<child_spec> specs;
  for (const auto type : {child_type::worker, child_type::supervisor})
    for (const auto& shutdown : std::vector<std::optional<shutdown_rule>>{
             std::nullopt, shutdown_rule::brutal_kill(), shutdown_rule::within(0ms),
             shutdown_rule::within(100ms), shutdown_rule::infinity()}) {
      auto spec = probe_spec({"k" + std::to_string(specs.size())});
      spec.type = type;
      spec.shutdown = shutdown;
      specs.push_back(spec);
    }
  specs[1].restart = restart::transient;
  specs[1].significant = true;
  specs[2].restart = restart::temporary;
  specs[3].name = "a-name";
  specs[4].start_timeout = 7s;
  specs[5].module = "something else";
  return specs;
}

}  // namespace

CAF_TEST_FIXTURE_SCOPE(supervisor_map_tests, map_fixture)

CAF_TEST(a specification given at the start is read back in full) {
  const auto specs = all_sorts();
  start(flags_of(auto_shutdown::any_significant), specs);
  CAF_CHECK_EQUAL(start_answer(), "ack");
  for (const auto& spec : specs)
    reads_back(spec);
}

CAF_TEST(a specification added by request is read back in full) {
  const auto specs = all_sorts();
  start(flags_of(auto_shutdown::any_significant), {});
  for (const auto& spec : specs) {
    CAF_CHECK(!ask(start_child{spec}));
    if (spec.restart != restart::temporary)
      reads_back(spec);
  }
}

CAF_TEST(a specification is read back whatever its child does) {
  const auto spec = probe_spec({"a"}, restart::transient);
  script s{{step::later}};
  const auto slow = scripted_spec(s, {"slow"});
  start({}, {spec, slow});
  reads_back(spec);
  reads_back(slow);
  tell("slow", verdict::acknowledge);
  end("a");
  reads_back(spec);
  ask(restart_child{"a"});
  ask(terminate_child{"a"});
  reads_back(spec);
  ask(delete_child{"a"});
  CAF_CHECK_EQUAL(describe(ask(get_childspec{"a"})), "not_found: a");
}

CAF_TEST(a child without a rule stops as its type does) {
  child_kind kind;
  CAF_CHECK(shutdown_of(kind) == shutdown_rule::within(5s));
  kind.type = child_type::supervisor;
  CAF_CHECK(shutdown_of(kind) == shutdown_rule::infinity());
  kind.shutdown = shutdown_rule::within(1s);
  CAF_CHECK(shutdown_of(kind) == shutdown_rule::within(1s));
}

CAF_TEST(nobody has the specification of an unknown child) {
  start({}, {probe_spec({"a"})});
  for (const std::string id : {"b", "", "#1", "A"}) {
    CAF_CHECK_EQUAL(ask(get_childspec{id}), exit_code::not_found);
  }
}

CAF_TEST(an instance has the one specification there is) {
  auto spec = probe_spec({"i"}, restart::transient);
  spec.shutdown = shutdown_rule::within(77ms);
  start({strategy::simple_one_for_one, 10}, {spec});
  reads_back(spec);
  auto i = instance();
  const auto id = pid_of(i);
  const auto got = get(get_childspec{id});
  CAF_CHECK_EQUAL(got.id, "i");
  CAF_CHECK(static_cast<const child_kind&>(got) == static_cast<const child_kind&>(spec));
  end(i);
  CAF_CHECK_EQUAL(describe(ask(get_childspec{id})), "not_found: " + id);
  const auto stranger = '#' + std::to_string(self->id());
  for (const auto& other : {stranger, std::string{"#"}, std::string{"#0"}, std::string{"#1x"}}) {
    CAF_CHECK_EQUAL(describe(ask(get_childspec{other})), "not_found: " + other);
  }
}

CAF_TEST(an instance that is being restarted is found by its last actor) {
  script s{{step::ok, step::error, step::ok}};
  auto spec = scripted_spec(s, {"i"});
  supervisor_flags flags{strategy::simple_one_for_one, 10};
  flags.backoff.initial = 100ms;
  start(flags, {spec});
  const auto i = instance();
  crash(i);
  CAF_CHECK_EQUAL(get(get_childspec{pid_of(i)}).id, "i");
  CAF_CHECK(!refusal);
}

CAF_TEST(the start of a temporary child that was added by request is not kept) {
  auto spec = probe_spec({"t"}, restart::temporary);
  spec.shutdown = shutdown_rule::within(77ms);
  const auto fixed = probe_spec({"f"}, restart::temporary);
  start({}, {fixed});
  ask(start_child{spec});
  const auto got = get(get_childspec{"t"});
  CAF_CHECK(!refusal);
  CAF_CHECK(!got.start);
  spec.start = {};
  CAF_CHECK(static_cast<const child_kind&>(got) == static_cast<const child_kind&>(spec));
  reads_back(fixed);
}

CAF_TEST(an id must be there) {
  refused_everywhere(with_id(""), "id must have 1 to 255 bytes");
}

CAF_TEST(an id must not be too long) {
  refused_everywhere(with_id(std::string(256, 'x')), "id must have 1 to 255 bytes");
  CAF_CHECK(!check(with_id(std::string(255, 'x')), {}));
}

CAF_TEST(an id must not look like a path) {
  const std::string text = "id must not contain '/', which separates the ids of a path";
  refused_everywhere(with_id("a/b"), text);
  refused_everywhere(with_id("/"), text);
}

CAF_TEST(an id must not look like the number of an instance) {
  const std::string text = "id must not begin with '#', which names instances by their number";
  refused_everywhere(with_id("#1"), text);
  CAF_CHECK(!check(with_id("a#1"), {}));
}

CAF_TEST(a start must be there) {
  child_spec spec;
  spec.id = "x";
  refused_everywhere(spec, "start is missing");
  spec.start = std::function<start_result(const start_context&)>{};
  refused_everywhere(spec, "start is missing");
}

CAF_TEST(a shutdown time must not be negative) {
  auto spec = probe_spec({"x"});
  spec.shutdown = shutdown_rule::within(-1ms);
  refused_everywhere(spec, "shutdown must not be negative");
  spec.shutdown = shutdown_rule::within(0ms);
  CAF_CHECK(!check(spec, {}));
  spec.shutdown = shutdown_rule::infinity();
  CAF_CHECK(!check(spec, {}));
}

CAF_TEST(a start time must not be negative) {
  auto spec = probe_spec({"x"});
  spec.start_timeout = -1ms;
  refused_everywhere(spec, "start_timeout must not be negative");
}

CAF_TEST(a significant child must not be permanent) {
  for (const auto a : {auto_shutdown::any_significant, auto_shutdown::all_significant})
    refused_everywhere(significant("x", restart::permanent), "a permanent child can't be significant",
                       flags_of(a));
}

CAF_TEST(a significant child needs a supervisor that may end by itself) {
  for (const auto r : {restart::permanent, restart::transient, restart::temporary})
    refused_everywhere(significant("x", r),
                       "significant needs auto_shutdown any_significant or all_significant");
  for (const auto r : {restart::transient, restart::temporary})
    for (const auto a : {auto_shutdown::any_significant, auto_shutdown::all_significant})
      CAF_CHECK(!check(significant("x", r), flags_of(a)));
}

CAF_TEST(two children of one id are refused at the start) {
  refused_at_start({}, {plain("a"), plain("b"), plain("a")}, "two children are called \"a\"");
  CAF_CHECK(!check_childspecs({probe_spec({"a"}), probe_spec({"b"})}, {}));
}

CAF_TEST(a second child of an id is refused by request) {
  start({}, {probe_spec({"a"})});
  const auto owner = kid("a");
  CAF_CHECK_EQUAL(ask(start_child{probe_spec({"a"})}), exit_code::already_started);
  CAF_CHECK(running_child(refusal) == owner);
  CAF_CHECK_EQUAL(counts(), "1 1 0 1");
}

CAF_TEST(a period must be more than nothing) {
  for (const auto period : {0ms, -1ms}) {
    supervisor_flags flags;
    flags.period = period;
    CAF_CHECK_EQUAL(describe(check(flags)), "bad_specification: period must be more than 0");
    refused_at_start(flags, {plain("a")}, "period must be more than 0");
  }
  supervisor_flags flags;
  flags.period = 1ms;
  CAF_CHECK(!check(flags));
}

CAF_TEST(waits between restarts must make sense) {
  supervisor_flags flags;
  flags.backoff.initial = -1ms;
  refused_at_start(flags, {}, "backoff: initial must be from 0 to limit");
  flags.backoff = {100ms, 99ms};
  refused_at_start(flags, {}, "backoff: initial must be from 0 to limit");
  flags.backoff = {100ms, 100ms, 0.9};
  refused_at_start(flags, {}, "backoff: factor must be at least 1");
  flags.backoff = {100ms, 100ms, 1};
  CAF_CHECK(!check(flags));
}

CAF_TEST(simple_one_for_one takes exactly one specification) {
  const supervisor_flags flags{strategy::simple_one_for_one};
  refused_at_start(flags, {}, "simple_one_for_one takes exactly one child");
  refused_at_start(flags, {plain("a"), plain("b")}, "simple_one_for_one takes exactly one child");
  start(flags, {plain("a")});
  CAF_CHECK_EQUAL(start_answer(), "ack");
  CAF_CHECK(log.empty());
}

CAF_TEST(instances can not share one name) {
  auto spec = plain("a");
  spec.name = "a-name";
  refused_at_start({strategy::simple_one_for_one}, {spec},
                   "child \"a\": children of simple_one_for_one can't share one name");
}

CAF_TEST(bad specifications in the middle of a branch stop what was started before it) {
  start({}, {plain("a"), supervisor_spec("branch", {}, {with_id("#1")})});
  CAF_CHECK_EQUAL(log, list({"+a", "-a"}));
  CAF_CHECK_EQUAL(start_answer().find("start_failed: root/branch: bad_specification: child \"#1\""), 0u);
  CAF_CHECK(root_is_down());
}

CAF_TEST(the wrong kind of start request is refused) {
  start({}, {});
  instance();
  CAF_CHECK_EQUAL(refusal, exit_code::bad_specification);
  stop();
  start({strategy::simple_one_for_one}, {probe_spec({"i"})});
  CAF_CHECK_EQUAL(ask(start_child{probe_spec({"x"})}), exit_code::simple_one_for_one);
  CAF_CHECK_EQUAL(counts(), "1 0 0 0");
}

CAF_TEST(specifications are checked with their flags and nothing is started) {
  const std::vector<child_spec> specs{significant("a", restart::transient), plain("b")};
  CAF_CHECK(!check_childspecs(specs, flags_of(auto_shutdown::all_significant)));
  CAF_CHECK_EQUAL(check_childspecs(specs, {}), exit_code::bad_specification);
  CAF_CHECK_EQUAL(
      check_childspecs(specs, flags_of(auto_shutdown::all_significant, strategy::simple_one_for_one)),
      exit_code::bad_specification);
  supervisor_flags flags = flags_of(auto_shutdown::all_significant);
  flags.period = 0ms;
  CAF_CHECK_EQUAL(check_childspecs(specs, flags), exit_code::bad_specification);
  CAF_CHECK(log.empty());
}

CAF_TEST_FIXTURE_SCOPE_END()
