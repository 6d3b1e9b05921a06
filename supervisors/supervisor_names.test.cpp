#define CAF_SUITE supervisor_names

#include "supervisors/supervisor.hpp"
#include "tests/unit/caf_test.hpp"

#include "supervisors/test_reports.hpp"
#include "supervisors/test_script.hpp"
#include "supervisors/test_supervisor.hpp"

using namespace cafmcp::otp;
using namespace cafmcp::otp::testing;

namespace {

struct names_fixture : script_fixture {
  ~names_fixture() { drop(); }
  /// "alive", "unavailable" or "not_found".
  std::string state(const std::string& name) const {
    const auto found = names->lookup(name);
    return found ? "alive" : cafmcp::to_string(found.error().code);
  }
  caf::actor owner_of(const std::string& name) const {
    const auto found = names->lookup(name);
    return found ? found.value() : caf::actor{};
  }

  /// A child with a name that notes, at each start, what its own name is then.
  child_spec nosy(const std::string& id, const std::string& name) {
    auto spec = named(flaky(id), name);
    spec.start = [this, name, first = spec.start](const start_context& context) -> start_result {
      seen.push_back(state(name));
      return first(context);
    };
    return spec;
  }

  events seen;  // of names, by children
};

// Looks a name up when it ends, which its supervisor has not heard of then.
class mourner final : public base_actor {
 public:
  mourner(caf::actor_config& config, std::function<void()> last_words)
      : base_actor(config), last_words_(std::move(last_words)) {}
  const char* name() const override { return "mourner"; }
  caf::behavior make_behavior() override {
    return {[](int) { throw std::runtime_error("boom"); }};
  }

 protected:
  void terminate(const caf::error&) override { last_words_(); }

 private:
  std::function<void()> last_words_;
};

}  // namespace

CAF_TEST_FIXTURE_SCOPE(supervisor_names_tests, names_fixture)

CAF_TEST(a name is taken before the start and kept from death to restart) {
  start({}, {nosy("a", "the-a")});
  const auto before = owner_of("the-a");
  CAF_CHECK_EQUAL(before, kid("a"));
  crash("a");
  CAF_CHECK_EQUAL(seen, list({"unavailable", "unavailable"}));
  CAF_CHECK_EQUAL(owner_of("the-a"), kid("a"));
  CAF_CHECK(owner_of("the-a") != before);
}

CAF_TEST(a name is bound when its child has said that it has started) {
  start({}, {});
  auto handle = self->request(root, caf::infinite, start_child{named(flaky("h", {step::later}), "h")});
  run();
  CAF_CHECK_EQUAL(state("h"), "unavailable");
  tell("h", verdict::acknowledge);
  CAF_CHECK_EQUAL(owner_of("h"), kid("h"));
  handle.receive([](const child_started&) {}, [](const caf::error&) {});
}

CAF_TEST(a name is unavailable while its child waits for its restart) {
  start(backing_off(), {named(flaky("a"), "the-a")});
  crash("a");
  CAF_CHECK_EQUAL(state("the-a"), "unavailable");
  failing("a", 1);
  pass(1s);
  CAF_CHECK_EQUAL(log, list({"+a", "-a", "!a"}));
  CAF_CHECK_EQUAL(state("the-a"), "unavailable");
  pass(2s);
  CAF_CHECK_EQUAL(owner_of("the-a"), kid("a"));
}

CAF_TEST(a dead actor whose end its supervisor has not handled is never handed out) {
  auto spec = named(
      worker<mourner>("a", "mourner", std::function<void()>{[this] { seen.push_back(state("the-a")); }}),
      "the-a");
  start({strategy::one_for_one, 10}, {spec});
  const auto victim = owner_of("the-a");
  CAF_REQUIRE(victim);
  self->send(victim, 0);
  CAF_CHECK_EQUAL(state("the-a"), "alive");
  sched.run_once();  // the child; its supervisor is next
  CAF_CHECK_EQUAL(seen, list({"unavailable"}));
  CAF_CHECK_EQUAL(state("the-a"), "unavailable");
  run();
  CAF_CHECK_EQUAL(owner_of("the-a"), kid("a"));
  CAF_CHECK(owner_of("the-a") != victim);
  caf::anon_send_exit(kid("a"), caf::exit_reason::kill);
  sched.run_once();
  CAF_CHECK_EQUAL(state("the-a"), "unavailable");
  run();
  CAF_CHECK_EQUAL(state("the-a"), "alive");
}

CAF_TEST(the names of a group are unavailable together) {
  start({strategy::one_for_all, 10}, {nosy("a", "the-a"), named(slow("b"), "the-b")});
  crash("a");
  CAF_CHECK_EQUAL(children(), list({"a restarting", "b stopping"}));
  CAF_CHECK_EQUAL(state("the-a"), "unavailable");
  CAF_CHECK_EQUAL(state("the-b"), "unavailable");
  pass(100ms);
  CAF_CHECK_EQUAL(state("the-a"), "alive");
  CAF_CHECK_EQUAL(owner_of("the-b"), kid("b"));
}

CAF_TEST(a name is free when its child is over) {
  start({}, {named(plain("terminated"), "1"), named(plain("ended", restart::transient), "2"),
             named(plain("temporary", restart::temporary), "3")});
  for (const auto* name : {"1", "2", "3"})
    CAF_CHECK_EQUAL(state(name), "alive");
  CAF_CHECK(!ask(terminate_child{"terminated"}));
  end("ended");
  crash("temporary");
  for (const auto* name : {"1", "2", "3"})
    CAF_CHECK_EQUAL(state(name), "not_found");
  CAF_CHECK(!ask(restart_child{"terminated"}));
  CAF_CHECK_EQUAL(owner_of("1"), kid("terminated"));
  stop();
  CAF_CHECK_EQUAL(state("1"), "not_found");
}

CAF_TEST(a name is free when its child does not want to run or can not ) {
  start({}, {named(flaky("s", {step::ignore}), "shy"), named(flaky("b"), "the-b")});
  CAF_CHECK_EQUAL(state("shy"), "not_found");
  CAF_CHECK(!ask(terminate_child{"b"}));
  failing("b", 1);
  CAF_CHECK_EQUAL(ask(restart_child{"b"}), caf::sec::cannot_open_port);
  CAF_CHECK_EQUAL(state("the-b"), "not_found");
}

CAF_TEST(a name that is taken is already_started before anything is started) {
  start({}, {named(plain("a"), "the-name")});
  const auto a = kid("a");
  CAF_CHECK_EQUAL(ask(start_child{nosy("b", "the-name")}), exit_code::already_started);
  CAF_CHECK_EQUAL(running_child(refusal), a);
  CAF_CHECK_EQUAL(seen, events{});
  CAF_CHECK_EQUAL(log, list({"+a"}));
  CAF_CHECK_EQUAL(owner_of("the-name"), a);
  CAF_CHECK_EQUAL(children(), list({"a running"}));
}

CAF_TEST(a name is taken even while its owner is being restarted) {
  start(backing_off(), {named(plain("a"), "the-name")});
  crash("a");
  CAF_CHECK_EQUAL(ask(start_child{nosy("b", "the-name")}), exit_code::already_started);
  CAF_CHECK(!running_child(refusal));
  CAF_CHECK_EQUAL(seen, events{});
  pass(1s);
  CAF_CHECK_EQUAL(owner_of("the-name"), kid("a"));
}

CAF_TEST(a tree that can not have its names does not start and leaves those of others) {
  start({}, {named(plain("a"), "the-name")});
  const auto first = root;
  const auto a = kid("a");
  start_beside({"other", {}, {named(plain("b"), "b"), named(plain("c"), "the-name")}, names, nullptr});
  CAF_CHECK(root_is_down());
  CAF_CHECK_EQUAL(log, list({"+a", "+b", "-b"}));
  CAF_CHECK_EQUAL(owner_of("the-name"), a);
  CAF_CHECK_EQUAL(state("b"), "not_found");
  root = first;
  CAF_CHECK_EQUAL(children(), list({"a running"}));
}

// X was stopped, Y has taken its name since, and a group restart starts X again.
CAF_TEST(a group restart does not take a name from its new owner) {
  start(backing_off(strategy::rest_for_one),
        {named(plain("y"), "y"), plain("a"), named(plain("x"), "the-name")});
  CAF_CHECK(!ask(terminate_child{"x"}));
  CAF_CHECK(!ask(terminate_child{"y"}));
  CAF_CHECK(!ask(delete_child{"y"}));
  const auto y = spawn_on<supervisor>(
      sys, nullptr, supervisor_options{"other", {}, {named(plain("y"), "the-name")}, names, nullptr});
  run();
  const auto owner = owner_of("the-name");
  CAF_CHECK(owner);
  log.clear();
  crash("a");
  pass(1s);
  CAF_CHECK_EQUAL(log, list({"-a", "+a"}));
  CAF_CHECK_EQUAL(children(), list({"a running", "x restarting"}));
  CAF_CHECK_EQUAL(owner_of("the-name"), owner);
  CAF_CHECK(!ask(terminate_child{"x"}));
  CAF_CHECK_EQUAL(owner_of("the-name"), owner);
  stop();
  CAF_CHECK_EQUAL(owner_of("the-name"), owner);
  send_shutdown(y);
  run();
  CAF_CHECK_EQUAL(state("the-name"), "not_found");
}

CAF_TEST(nobody loses a name because another supervisor fails with it) {
  start({}, {named(plain("y"), "the-name")});
  const auto owner = owner_of("the-name");
  const auto keeper = root;
  for (const auto how : {exit_code::shutdown, exit_code::killed}) {
    start_beside({"other", {}, {plain("a")}, names, nullptr});
    CAF_CHECK_EQUAL(ask(start_child{named(plain("x"), "the-name")}), exit_code::already_started);
    if (how == exit_code::shutdown)
      stop();
    else
      kill(root);
    CAF_CHECK_EQUAL(owner_of("the-name"), owner);
  }
  root = keeper;
}

CAF_TEST(a killed supervisor frees its names and its successor has them) {
  start({}, {supervisor_spec("branch", {}, {named(plain("a"), "the-a")})});
  const auto first = owner_of("the-a");
  CAF_REQUIRE(first);
  kill("branch");
  const auto second = owner_of("the-a");
  CAF_REQUIRE(second);
  CAF_CHECK(first != second);
  CAF_CHECK_EQUAL(second, kid_of(kid("branch"), "a"));
}

CAF_TEST(without a table names mean nothing) {
  names = nullptr;
  start({}, {named(plain("a"), "x"), named(plain("b"), "x")});
  CAF_CHECK_EQUAL(children(), list({"a running", "b running"}));
  CAF_CHECK(!ask(terminate_child{"a"}));
  crash("b");
  CAF_CHECK_EQUAL(children(), list({"a stopped", "b running"}));
}

CAF_TEST(the table lets only the owner have its name) {
  int x = 0;
  int y = 0;
  name_table table;
  const auto living = sys.spawn<probe>(worker_options{"x"});
  const auto other = sys.spawn<probe>(worker_options{"y"});
  run();
  CAF_CHECK(!table.take("n", &x, "root/x"));
  CAF_CHECK(!table.take("n", &x, "root/x"));
  const auto refused_empty = table.take("n", &y, "root/y");
  CAF_REQUIRE(refused_empty);
  CAF_CHECK(!*refused_empty);
  table.bind("n", &x, living);
  const auto refused_alive = table.take("n", &y, "root/y");
  CAF_REQUIRE(refused_alive);
  CAF_CHECK_EQUAL(*refused_alive, living);
  table.bind("n", &y, other);
  table.bind("n", &y, nullptr);
  table.release("n", &y);
  CAF_CHECK_EQUAL(table.lookup("n").value(), living);
  table.bind("n", &x, nullptr);
  CAF_CHECK(table.lookup("n").error().code == cafmcp::errc::unavailable);
  table.release("n", &x);
  CAF_CHECK(table.lookup("n").error().code == cafmcp::errc::not_found);
  table.bind("n", &x, living);
  CAF_CHECK(table.lookup("n").error().code == cafmcp::errc::not_found);
}

CAF_TEST(a name is taken over from an earlier owner at the same path) {
  int old_one = 0;
  int new_one = 0;
  name_table table;
  const auto rest = sys.spawn<probe>(worker_options{"x"});
  const auto fresh = sys.spawn<probe>(worker_options{"y"});
  run();
  CAF_CHECK(!table.take("n", &old_one, "root/x"));
  table.bind("n", &old_one, rest);
  CAF_CHECK(!table.take("n", &new_one, "root/x"));
  CAF_CHECK(table.lookup("n").error().code == cafmcp::errc::unavailable);
  table.bind("n", &old_one, rest);
  CAF_CHECK(table.lookup("n").error().code == cafmcp::errc::unavailable);
  table.bind("n", &new_one, fresh);
  table.release("n", &old_one);
  CAF_CHECK_EQUAL(table.lookup("n").value(), fresh);
}

CAF_TEST_FIXTURE_SCOPE_END()
