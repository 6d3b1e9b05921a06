#pragma once
// What the suites of supervisors share: children that say when they come and go, and a supervisor under CAF's
// deterministic scheduler and virtual clock with whoever talks to it. For a test file that has included
// `caf_test.hpp` before. Not thread-safe.

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "supervisors/supervisor.hpp"

namespace cafmcp::otp::testing {

/// Tells a child to end, and why. (A bare enum of errors would arrive as an error.)
struct end_with {
  caf::error why;
};

/// Links a child to another actor.
struct link_with {
  caf::actor other;
};

}  // namespace cafmcp::otp::testing

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(cafmcp::otp::testing::end_with)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(cafmcp::otp::testing::link_with)

namespace cafmcp::otp::testing {

using std::literals::chrono_literals::operator""h;
using std::literals::chrono_literals::operator""min;
using std::literals::chrono_literals::operator""s;
using std::literals::chrono_literals::operator""ms;
using events = std::vector<std::string>;

inline events list(std::initializer_list<const char*> items) {
  return {items.begin(), items.end()};
}

/// How a child behaves.
struct worker_options {
  std::string id;
  events* log = nullptr;
  std::chrono::milliseconds stop_delay{0};
  bool stubborn = false;                     ///< refuses to stop unless killed
  std::optional<caf::error> last_word = {};  ///< the reason with which it ends when told to stop
  events* heard = nullptr;                   ///< with which reasons it was told to
};

/// Says when it comes ("+id"), refuses to go ("?id") and goes ("-id"). 0 crashes it, 1 ends it normally.
struct probe : base_actor {
  probe(caf::actor_config& config, worker_options options)
      : base_actor(config), options_(std::move(options)) {
    note("+");
  }
  const char* name() const override { return "probe"; }
  caf::behavior make_behavior() override { return commands(); }
  caf::message_handler commands() {
    return {[this](int what) {
              if (what == 0)
                throw std::runtime_error("boom");
              quit();
            },
            [this](const end_with& how) { quit(how.why); },
            [this](const link_with& whom) { link_to(whom.other); }};
  }
  void handle_exit(const caf::actor_addr&, const caf::error& reason) override {
    if (options_.heard)
      options_.heard->push_back(options_.id + ": " + describe(reason));
    if (options_.stubborn)
      return note("?");
    const auto last = options_.last_word.value_or(reason);
    if (options_.stop_delay.count() == 0)
      return quit(last);
    start_timer(options_.stop_delay, [this, last] { quit(last); });
  }
  void terminate(const caf::error&) override { note("-"); }
  void note(const char* sign) {
    if (options_.log)
      options_.log->push_back(sign + options_.id);
  }
  worker_options options_;
};

inline child_spec probe_spec(worker_options options, restart r = restart::permanent) {
  auto spec = worker<probe>(options.id, "probe", options);
  spec.restart = r;
  return spec;
}

/// For start functions: a child that runs and has nobody to acknowledge to.
inline caf::actor spawn_probe(const start_context& context, worker_options options) {
  return spawn_on<probe>(context.supervisor->system(), context.where, std::move(options));
}

inline child_spec named(child_spec spec, std::string name) {
  spec.name = std::move(name);
  return spec;
}

/// Flags under which a child that has died is `restarting` for a second.
inline supervisor_flags backing_off(strategy s = strategy::one_for_one) {
  supervisor_flags flags{s, 100};
  flags.backoff = {1000ms, 8000ms, 2, 60s};
  return flags;
}

/// An end that is not normal.
inline caf::error broken() {
  return caf::make_error(caf::sec::runtime_error);
}

/// The name of an instance for requests.
inline std::string pid_of(const caf::actor& who) {
  return '#' + std::to_string(who.id());
}

inline bool alive(const caf::actor& who) {
  return !static_cast<caf::monitorable_actor*>(caf::actor_cast<caf::abstract_actor*>(who))
              ->getf(caf::abstract_actor::is_terminated_flag);
}

// What a request is answered with.
child_started answer_to(const start_child&);
child_started answer_to(const start_instance&);
child_started answer_to(const restart_child&);
caf::ok_atom answer_to(const terminate_child&);
caf::ok_atom answer_to(const delete_child&);
caf::ok_atom answer_to(const change_supervisor&);
caf::actor answer_to(const find_child&);
child_spec answer_to(const get_childspec&);
std::vector<child_info> answer_to(const which_children&);
child_counts answer_to(const count_children&);
tree_answer answer_to(const inspect_tree&);
template <class M>
using answer = decltype(answer_to(std::declval<M>()));

/// A supervisor "root", and whoever talks to it.
struct fixture : test_coordinator_fixture<> {
  fixture() = default;
  ~fixture() { drop(); }

  /// Ends the tree, however far it is, and forgets what was said.
  void drop() {
    caf::anon_send_exit(root, caf::exit_reason::kill);
    root = nullptr;
    run();
    pass(2h);  // those that take their time to stop must not outlive what they write to
    for (bool more = true; more;)
      self->receive(
          caf::others >> [](caf::message_view&) -> caf::result<caf::message> { return caf::message{}; },
          caf::after(0s) >> [&] { more = false; });
    log.clear();
    heard.clear();
  }

  // Instead of any tree there was before.
  caf::actor start(supervisor_flags flags, std::vector<child_spec> children) {
    drop();
    return start_beside({"root", flags, std::move(children), names, nullptr});
  }
  caf::actor start_by(supervisor_init init) {
    drop();
    return start_beside({"root", {}, {}, names, nullptr, std::move(init)});
  }
  // A tree that was there before lives on as long as somebody holds it.
  caf::actor start_beside(supervisor_options options) {
    if (is_parent)
      options.parent = caf::actor_cast<caf::actor>(self);
    root = sys.spawn<supervisor>(std::move(options));
    self->monitor(root);
    run();
    return root;
  }
  // How the start went, as the parent hears it; empty as long as it hasn't.
  std::string start_answer() {
    std::string said;
    self->receive([&](const init_ack&) { said = "ack"; }, [&](init_ignore) { said = "ignore"; },
                  [&](const init_error& what) { said = describe(what.why); }, caf::after(0s) >> [] {});
    return said;
  }
  void stop() {
    send_shutdown(root);
    run();
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

  // All that is to be done at once, or in this time.
  void run() { sched.run(); }
  void pass(std::chrono::milliseconds time) {
    advance_time(time);
    run();
  }

  // Children that write to `log` and `heard`.
  worker_options options(std::string id) { return {.id = std::move(id), .log = &log, .heard = &heard}; }
  child_spec plain(const std::string& id, restart r = restart::permanent) {
    return probe_spec(options(id), r);
  }
  child_spec slow(const std::string& id, std::chrono::milliseconds stop_delay = 100ms) {
    auto o = options(id);
    o.stop_delay = stop_delay;
    return probe_spec(std::move(o));
  }
  child_spec stubborn(const std::string& id, std::optional<shutdown_rule> rule) {
    auto o = options(id);
    o.stubborn = true;
    auto spec = probe_spec(std::move(o));
    spec.shutdown = rule;
    return spec;
  }
  // Ends with `why` when it is told to stop.
  child_spec headstrong(const std::string& id, caf::error why, restart r = restart::permanent) {
    auto o = options(id);
    o.last_word = std::move(why);
    return probe_spec(std::move(o), r);
  }

  // Sends a request, runs everything, and hands over the answer, or remembers the refusal.
  template <class M>
  answer<M> get_from(const caf::actor& to, M message) {
    answer<M> got{};
    refusal = {};
    auto handle = self->request(to, caf::infinite, std::move(message));
    run();
    handle.receive([&](answer<M>& value) { got = std::move(value); }, [&](caf::error& e) { refusal = e; });
    return got;
  }
  template <class M>
  answer<M> get(M message) {
    return get_from(root, std::move(message));
  }
  // The refusal; empty if there is none.
  template <class M>
  caf::error ask(M message) {
    get(std::move(message));
    return refusal;
  }
  caf::actor kid_of(const caf::actor& s, const std::string& id) { return get_from(s, find_child{id}); }
  caf::actor kid(const std::string& id) { return kid_of(root, id); }
  // Starts an instance; its name is its argument.
  caf::actor instance(const std::string& name = {}) {
    return get(start_instance{caf::make_message(name), nullptr}).actor;
  }
  // "specs active supervisors workers".
  std::string counts() {
    const auto c = get(count_children{});
    return std::to_string(c.specs) + ' ' + std::to_string(c.active) + ' ' + std::to_string(c.supervisors) +
           ' ' + std::to_string(c.workers);
  }
  // "id status" of all, in start order.
  events children() {
    events out;
    const auto all = get(which_children{});
    for (auto i = all.rbegin(); i != all.rend(); ++i)
      out.push_back(i->id + ' ' + to_string(i->status));
    return out;
  }

  template <class T>
  void tell(const caf::actor& who, T what) {
    self->send(who, std::move(what));
    run();
  }
  template <class T>
  void tell(const std::string& id, T what) {
    tell(kid(id), std::move(what));
  }
  // Of a child, or an actor.
  template <class Who>
  void crash(const Who& who) {
    tell(who, 0);
  }
  template <class Who>
  void end(const Who& who, caf::error why = {}) {
    tell(who, end_with{std::move(why)});
  }
  void kill(const caf::actor& who) {
    caf::anon_send_exit(who, caf::exit_reason::kill);
    run();
  }
  void kill(const std::string& id) { kill(kid(id)); }

  events log;
  events heard;
  bool is_parent = false;  ///< whether what is started acknowledges to the test
  std::shared_ptr<name_table> names = std::make_shared<name_table>();
  caf::actor root;
  caf::error refusal;  ///< of the last request
  caf::error reason;   ///< with which the root has ended
};

}  // namespace cafmcp::otp::testing
