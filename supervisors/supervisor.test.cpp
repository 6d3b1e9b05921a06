#define CAF_SUITE supervisor

#include "supervisors/supervisor.hpp"

#include <malloc.h>

#include "base/log.hpp"
#include "supervisors/runtime.hpp"
#include "tests/unit/caf_test.hpp"

using namespace std::chrono_literals;
using namespace cafmcp::otp;
using caf::ok_atom_v;

namespace {

using events = std::vector<std::string>;

struct worker_options {
  std::string id;
  events* log = nullptr;
  bool stubborn = false;  // refuses to stop unless killed
  std::chrono::milliseconds stop_delay{0};
};

// Says when it comes and goes. 0 crashes it, 1 ends it normally.
struct probe final : base_actor {
  probe(caf::actor_config& config, worker_options options)
      : base_actor(config), options_(std::move(options)) {
    note("+");
  }
  const char* name() const override { return "probe"; }
  caf::behavior make_behavior() override {
    return {[this](int what) {
      if (what == 0)
        throw std::runtime_error("boom");
      quit();
    }};
  }
  void handle_exit(const caf::actor_addr&, const caf::error& reason) override {
    if (options_.stubborn)
      return note("?");
    if (options_.stop_delay.count() == 0)
      return quit(reason);
    start_timer(options_.stop_delay, [this, reason] { quit(reason); });
  }
  void terminate(const caf::error&) override { note("-"); }
  void note(const char* sign) {
    if (options_.log)
      options_.log->push_back(sign + options_.id);
  }
  worker_options options_;
};

child_spec probe_spec(worker_options options, restart r = restart::permanent) {
  auto spec = worker<probe>(options.id, "probe", options);
  spec.restart = r;
  return spec;
}

struct fixture : test_coordinator_fixture<> {
  ~fixture() {
    caf::anon_send_exit(root, caf::exit_reason::kill);
    root = nullptr;
    sched.run();
  }
  caf::actor start(supervisor_flags flags, std::vector<child_spec> children) {
    names = std::make_shared<name_table>();
    root = sys.spawn<supervisor>(supervisor_options{"root", flags, std::move(children), names, nullptr});
    self->monitor(root);
    sched.run();
    return root;
  }
  caf::actor kid(const std::string& id) { return kid_of(root, id); }
  caf::actor kid_of(const caf::actor& s, const std::string& id) {
    caf::actor found;
    ask_for<caf::actor>(
        s, [&](caf::actor a) { found = a; }, find_child{id});
    return found;
  }
  // Sends a request, runs everything, and hands over the answer or remembers the refusal.
  template <class T, class F, class M>
  void ask_for(const caf::actor& to, F f, M message) {
    refusal = {};
    auto handle = self->request(to, caf::infinite, std::move(message));
    sched.run();
    handle.receive([&](T value) { f(value); }, [&](caf::error& e) { refusal = e; });
  }
  template <class T, class M>
  void call(M message) {
    ask_for<T>(
        root, [](const T&) {}, std::move(message));
  }
  void crash(const std::string& id) {
    self->send(kid(id), 0);
    sched.run();
  }
  void end(const std::string& id) {
    self->send(kid(id), 1);
    sched.run();
  }
  child_counts counts() {
    child_counts result;
    ask_for<child_counts>(
        root, [&](child_counts c) { result = c; }, count_children{});
    return result;
  }
  bool root_is_down() {
    bool down = false;
    self->receive(
        [&](caf::down_msg& d) {
          down = true;
          reason = d.reason;
        },
        caf::after(0s) >> [] {});
    return down;
  }
  events log;
  caf::actor root;
  std::shared_ptr<name_table> names;
  caf::error refusal;
  caf::error reason;
};

events list(std::initializer_list<const char*> items) {
  return {items.begin(), items.end()};
}

}  // namespace

CAF_TEST_FIXTURE_SCOPE(supervisor_tests, fixture)

CAF_TEST(children start in order and stop in reverse) {
  start({}, {probe_spec({"a", &log}), probe_spec({"b", &log}), probe_spec({"c", &log})});
  CAF_CHECK_EQUAL(log, list({"+a", "+b", "+c"}));
  log.clear();
  send_shutdown(root);
  sched.run();
  CAF_CHECK_EQUAL(log, list({"-c", "-b", "-a"}));
  CAF_CHECK(root_is_down());
  CAF_CHECK_EQUAL(reason, exit_code::shutdown);
}

CAF_TEST(each stop waits for the one before) {
  start({}, {probe_spec({"a", &log}), probe_spec({"b", &log, false, 100ms})});
  log.clear();
  send_shutdown(root);
  sched.run();
  CAF_CHECK_EQUAL(log, events{});
  advance_time(100ms);
  sched.run();
  CAF_CHECK_EQUAL(log, list({"-b", "-a"}));
}

CAF_TEST(one_for_one restarts the one) {
  start({strategy::one_for_one}, {probe_spec({"a", &log}), probe_spec({"b", &log}), probe_spec({"c", &log})});
  const auto before = kid("b");
  log.clear();
  crash("b");
  CAF_CHECK_EQUAL(log, list({"-b", "+b"}));
  CAF_CHECK_NOT_EQUAL(kid("b"), before);
}

CAF_TEST(one_for_all restarts all) {
  start({strategy::one_for_all}, {probe_spec({"a", &log}), probe_spec({"b", &log}), probe_spec({"c", &log})});
  log.clear();
  crash("b");
  CAF_CHECK_EQUAL(log, list({"-b", "-c", "-a", "+a", "+b", "+c"}));
}

CAF_TEST(rest_for_one restarts those that were started later) {
  start({strategy::rest_for_one},
        {probe_spec({"a", &log}), probe_spec({"b", &log}), probe_spec({"c", &log})});
  log.clear();
  crash("b");
  CAF_CHECK_EQUAL(log, list({"-b", "-c", "+b", "+c"}));
}

CAF_TEST(a temporary sibling goes along and is not restarted) {
  start({strategy::one_for_all}, {probe_spec({"a", &log}), probe_spec({"t", &log}, restart::temporary)});
  log.clear();
  crash("a");
  CAF_CHECK_EQUAL(log, list({"-a", "-t", "+a"}));
  CAF_CHECK_EQUAL(counts().specs, 1u);
}

CAF_TEST(simple_one_for_one has instances with arguments) {
  child_spec spec;
  spec.id = "instance";
  spec.start = [this](const start_context& context) -> start_result {
    return started{spawn_on<probe>(context.supervisor->system(), context.where,
                                   worker_options{context.arguments.get_as<std::string>(0), &log})};
  };
  start({strategy::simple_one_for_one}, {spec});
  CAF_CHECK_EQUAL(counts().active, 0u);
  caf::actor x;
  ask_for<child_started>(
      root, [&](const child_started& c) { x = c.actor; },
      start_instance{caf::make_message(std::string{"x"}), nullptr});
  call<child_started>(start_instance{caf::make_message(std::string{"y"}), nullptr});
  CAF_CHECK_EQUAL(log, list({"+x", "+y"}));
  self->send(x, 0);
  sched.run();
  CAF_CHECK_EQUAL(log, list({"+x", "+y", "-x", "+x"}));
  CAF_CHECK_EQUAL(counts().active, 2u);
  call<child_started>(start_child{probe_spec({"z", &log})});
  CAF_CHECK_EQUAL(refusal, exit_code::simple_one_for_one);
}

CAF_TEST(restart types) {
  start({strategy::one_for_one, 10}, {probe_spec({"p", &log}), probe_spec({"t", &log}, restart::transient),
                                      probe_spec({"o", &log}, restart::temporary)});
  log.clear();
  end("p");
  CAF_CHECK_EQUAL(log, list({"-p", "+p"}));
  crash("t");
  end("t");
  CAF_CHECK_EQUAL(log, list({"-p", "+p", "-t", "+t", "-t"}));
  crash("o");
  CAF_CHECK_EQUAL(log.size(), 6u);
  CAF_CHECK_EQUAL(counts().specs, 2u);
  CAF_CHECK_EQUAL(counts().active, 1u);
}

CAF_TEST(a kill is a crash) {
  start({}, {probe_spec({"t", &log}, restart::transient)});
  log.clear();
  caf::anon_send_exit(kid("t"), caf::exit_reason::kill);
  sched.run();
  CAF_CHECK_EQUAL(log, list({"-t", "+t"}));
}

CAF_TEST(restarts slower than the intensity go on for ever) {
  start({strategy::one_for_one, 2, 1000ms}, {probe_spec({"a", &log})});
  for (int i = 0; i < 10; ++i) {
    crash("a");
    advance_time(600ms);
  }
  CAF_CHECK(!root_is_down());
}

CAF_TEST(one restart too many ends the supervisor and all it has) {
  start({strategy::one_for_one, 2, 1000ms}, {probe_spec({"a", &log}), probe_spec({"b", &log})});
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
        {supervisor_spec("branch", {strategy::one_for_one, 0}, {probe_spec({"a", &log})}),
         probe_spec({"z", &log})});
  CAF_CHECK_EQUAL(log, list({"+a", "+z"}));
  const auto branch = kid("branch");
  log.clear();
  self->send(kid_of(branch, "a"), 0);
  sched.run();
  CAF_CHECK_EQUAL(log, list({"-a", "+a"}));
  CAF_CHECK_NOT_EQUAL(kid("branch"), branch);
  self->send(kid_of(kid("branch"), "a"), 0);
  sched.run();
  CAF_CHECK(root_is_down());
  CAF_CHECK_EQUAL(log, list({"-a", "+a", "-a", "-z"}));
}

CAF_TEST(a child that does not stop is killed in the end) {
  auto stubborn = probe_spec({"s", &log, true});
  stubborn.shutdown = shutdown_rule::within(500ms);
  auto brutal = probe_spec({"b", &log, true});
  brutal.shutdown = shutdown_rule::brutal_kill();
  start({}, {stubborn, brutal});
  log.clear();
  send_shutdown(root);
  sched.run();
  CAF_CHECK_EQUAL(log, list({"-b", "?s"}));
  advance_time(499ms);
  sched.run();
  CAF_CHECK(!root_is_down());
  advance_time(1ms);
  sched.run();
  CAF_CHECK_EQUAL(log, list({"-b", "?s", "-s"}));
  CAF_CHECK(root_is_down());
}

CAF_TEST(a killed supervisor takes its children along) {
  start({}, {supervisor_spec("branch", {}, {probe_spec({"a", &log})})});
  const auto held = kid_of(kid("branch"), "a");  // or it would end for want of anybody who holds it
  log.clear();
  caf::anon_send_exit(kid("branch"), caf::exit_reason::kill);
  sched.run();
  CAF_CHECK_EQUAL(std::count(log.begin(), log.end(), "-a"), 1);
  CAF_CHECK_EQUAL(std::count(log.begin(), log.end(), "+a"), 1);
  CAF_CHECK_EQUAL(counts().active, 1u);
}

CAF_TEST(a start that fails stops those before it and says why) {
  auto bad = probe_spec({"b", &log});
  bad.start = [](const start_context&) -> start_result { throw std::runtime_error("no luck"); };
  start({}, {probe_spec({"a", &log}), bad, probe_spec({"c", &log})});
  CAF_CHECK_EQUAL(log, list({"+a", "-a"}));
  CAF_CHECK(root_is_down());
  CAF_CHECK_EQUAL(describe(reason), "start_failed: root/b: crashed: no luck");
}

CAF_TEST(a restart that fails is tried again until the intensity is used up) {
  auto tries = std::make_shared<int>(0);
  auto flaky = probe_spec({"f", &log});
  flaky.start = [tries, this](const start_context& context) -> start_result {
    if (++*tries == 2 || *tries == 3)
      return make_exit(exit_code::start_failed, "not yet");
    if (*tries > 4)
      return make_exit(exit_code::start_failed, "never again");
    return started{spawn_on<probe>(context.supervisor->system(), nullptr, worker_options{"f", &log})};
  };
  start({strategy::one_for_one, 3, 5000ms}, {flaky});
  crash("f");
  CAF_CHECK_EQUAL(*tries, 4);
  CAF_CHECK(!root_is_down());
  advance_time(6s);
  crash("f");
  CAF_CHECK_EQUAL(*tries, 7);
  CAF_CHECK(root_is_down());
}

CAF_TEST(a child may choose not to run) {
  auto shy = probe_spec({"s", &log});
  shy.start = [](const start_context&) -> start_result { return ignored{}; };
  auto gone = shy;
  gone.id = "g";
  gone.restart = restart::temporary;
  start({}, {shy, gone, probe_spec({"a", &log})});
  CAF_CHECK_EQUAL(log, list({"+a"}));
  CAF_CHECK_EQUAL(counts().specs, 2u);
  CAF_CHECK_EQUAL(counts().active, 1u);
}

CAF_TEST(children come and go by request) {
  start({}, {probe_spec({"a", &log})});
  call<child_started>(start_child{probe_spec({"b", &log})});
  CAF_CHECK(!refusal);
  call<child_started>(start_child{probe_spec({"b", &log})});
  CAF_CHECK_EQUAL(refusal, exit_code::already_started);
  call<caf::ok_atom>(delete_child{"b"});
  CAF_CHECK_EQUAL(refusal, exit_code::running);
  call<caf::ok_atom>(terminate_child{"b"});
  CAF_CHECK(!refusal);
  call<caf::actor>(find_child{"b"});
  CAF_CHECK_EQUAL(refusal, exit_code::noproc);
  call<child_started>(start_child{probe_spec({"b", &log})});
  CAF_CHECK_EQUAL(refusal, exit_code::already_present);
  call<child_started>(restart_child{"b"});
  CAF_CHECK(!refusal);
  call<child_started>(restart_child{"b"});
  CAF_CHECK_EQUAL(refusal, exit_code::running);
  call<caf::ok_atom>(terminate_child{"b"});
  call<caf::ok_atom>(delete_child{"b"});
  CAF_CHECK(!refusal);
  call<caf::ok_atom>(terminate_child{"b"});
  CAF_CHECK_EQUAL(refusal, exit_code::not_found);
  CAF_CHECK_EQUAL(log, list({"+a", "+b", "-b", "+b", "-b"}));
}

CAF_TEST(bad specifications are refused by name) {
  auto significant = probe_spec({"x", &log});
  significant.significant = true;
  start({}, {probe_spec({"a", &log})});
  call<child_started>(start_child{significant});
  CAF_CHECK_EQUAL(refusal, exit_code::bad_specification);
  CAF_CHECK(describe(refusal).find("\"x\"") != std::string::npos);
}

CAF_TEST(two children of one name are refused) {
  start({}, {probe_spec({"a", &log}), probe_spec({"a", &log})});
  CAF_CHECK(root_is_down());
  CAF_CHECK_EQUAL(describe(reason), "bad_specification: two children are called \"a\"");
}

CAF_TEST(significant children end their supervisor) {
  auto a = probe_spec({"a", &log}, restart::transient);
  auto b = probe_spec({"b", &log}, restart::transient);
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
  auto a = probe_spec({"a", &log});
  a.name = "the-a";
  auto lookups = std::make_shared<std::vector<std::string>>();
  a.start = [this, lookups](const start_context& context) -> start_result {
    const auto found = context.names->lookup("the-a");
    lookups->push_back(found ? "alive" : cafmcp::to_string(found.error().code));
    return started{spawn_on<probe>(context.supervisor->system(), nullptr, worker_options{"a", &log})};
  };
  start({}, {a});
  const auto before = names->lookup("the-a");
  CAF_REQUIRE(before.has_value());
  crash("a");
  const auto after = names->lookup("the-a");
  CAF_REQUIRE(after.has_value());
  CAF_CHECK(before.value() != after.value());
  CAF_CHECK_EQUAL(*lookups, list({"unavailable", "unavailable"}));
  call<caf::ok_atom>(terminate_child{"a"});
  CAF_CHECK(names->lookup("the-a").error().code == cafmcp::errc::not_found);
}

CAF_TEST(a stop overtakes a start that hangs and answers everybody) {
  auto hangs = supervisor_spec("h", {}, {});
  hangs.start = [this](const start_context& context) -> start_result {
    return started{spawn_on<probe>(context.supervisor->system(), nullptr, worker_options{"h", &log}), true};
  };
  start({}, {probe_spec({"a", &log})});
  auto first = self->request(root, caf::infinite, start_child{hangs});
  auto second = self->request(root, caf::infinite, start_child{probe_spec({"b", &log})});
  sched.run();
  CAF_CHECK_EQUAL(log, list({"+a", "+h"}));
  send_shutdown(root);
  sched.run();
  int refused = 0;
  first.receive([](const caf::actor&) {}, [&](caf::error&) { ++refused; });
  second.receive([](const caf::actor&) {}, [&](caf::error&) { ++refused; });
  CAF_CHECK_EQUAL(refused, 2);
  CAF_CHECK_EQUAL(log, list({"+a", "+h", "-h", "-a"}));
  CAF_CHECK(root_is_down());
}

CAF_TEST(the tree shows state and restarts of each actor) {
  start({strategy::rest_for_one, 3},
        {supervisor_spec("branch", {strategy::one_for_one, 3}, {probe_spec({"a", &log})}),
         probe_spec({"z", &log})});
  self->send(kid_of(kid("branch"), "a"), 0);
  sched.run();
  tree_node tree;
  ask_for<tree_answer>(
      root, [&](tree_answer t) { tree = t.root; }, inspect_tree{});
  CAF_CHECK_EQUAL(tree.id, "root");
  CAF_CHECK_EQUAL(std::string{to_string(tree.strategy)}, "rest_for_one");
  CAF_REQUIRE_EQUAL(tree.children.size(), 2u);
  CAF_CHECK_EQUAL(tree.children[1].id, "z");
  CAF_CHECK_EQUAL(tree.children[1].status, "running");
  CAF_REQUIRE_EQUAL(tree.children[0].children.size(), 1u);
  CAF_CHECK_EQUAL(tree.children[0].children[0].restarts, 1u);
  CAF_CHECK_EQUAL(tree.children[0].restarts, 0u);
  ask_for<tree_answer>(
      root, [&](tree_answer t) { tree = t.root; }, inspect_tree{32, 1, 500ms});
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
  cafmcp::log::init({cafmcp::log::level::critical, cafmcp::log::format::text, {}}).value();
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
  cafmcp::log::shutdown();
}
