#pragma once
// What tests of supervisors share: children that say when they come and go, children whose starts fail on
// demand, and a fixture on CAF's deterministic scheduler and virtual clock. For a test file that
// has included `caf_test.hpp` before. Not thread-safe.

#include <map>
#include <optional>

#include "base/log.hpp"
#include "supervisors/runtime.hpp"
#include "supervisors/supervisor.hpp"

namespace cafmcp::otp::test_c {

using std::literals::chrono_literals::operator""s;
using std::literals::chrono_literals::operator""ms;
using std::literals::chrono_literals::operator""min;
using std::literals::chrono_literals::operator""h;
using events = std::vector<std::string>;

/// How a probe behaves.
struct probe_options {
  std::string id;
  events* log = nullptr;
  std::chrono::milliseconds stop_delay{0};
  bool hangs = false;  // acknowledges its start when it is sent a 2
};

/// A child that says when it comes and goes. 0 crashes it, 1 ends it normally.
class probe final : public base_actor {
 public:
  probe(caf::actor_config& config, probe_options options) : base_actor(config), options_(std::move(options)) {
    note("+");
  }
  const char* name() const override { return "probe"; }
  caf::behavior make_behavior() override {
    if (options_.hangs)
      acknowledge_later();
    return {[this](int what) {
      if (what == 0)
        throw std::runtime_error("boom");
      if (what == 2)
        return acknowledge();
      quit();
    }};
  }

 protected:
  void handle_exit(const caf::actor_addr&, const caf::error& reason) override {
    if (options_.stop_delay.count() == 0)
      return quit(reason);
    start_timer(options_.stop_delay, [this, reason] { quit(reason); });
  }
  void terminate(const caf::error&) override { note("-"); }

 private:
  void note(const char* sign) {
    if (options_.log)
      options_.log->push_back(sign + options_.id);
  }
  probe_options options_;
};

inline child_spec probe_spec(probe_options options, restart r = restart::permanent) {
  auto spec = worker<probe>(options.id, "probe", options);
  spec.restart = r;
  return spec;
}

inline child_spec named(child_spec spec, std::string name) {
  spec.name = std::move(name);
  return spec;
}

inline events list(std::initializer_list<const char*> items) {
  return {items.begin(), items.end()};
}

/// Flags under which a child that has died is `restarting` for a second.
inline supervisor_flags slow(strategy s = strategy::one_for_one) {
  supervisor_flags flags{s, 100};
  flags.backoff = {1000ms, 8000ms, 2, 60s};
  return flags;
}

/// A supervisor and whoever talks to it.
struct fixture : test_coordinator_fixture<> {
  ~fixture() {
    caf::anon_send_exit(root, caf::exit_reason::kill);
    root = nullptr;
    sched.run();
    wait(2h);  // those that take their time to stop must not outlive the log
  }

  caf::actor start(supervisor_flags flags, std::vector<child_spec> children) {
    return start(supervisor_options{"root", flags, std::move(children), names, nullptr});
  }
  caf::actor start(supervisor_options options) {
    root = sys.spawn<supervisor>(std::move(options));
    self->monitor(root);
    sched.run();
    return root;
  }

  /// A child whose starts fail as long as `failing[id]` says; each failure says "!id".
  child_spec flaky(const std::string& id, restart r = restart::permanent) {
    auto spec = probe_spec({id, &log}, r);
    spec.start = [this, id](const start_context& context) -> start_result {
      if (failing[id] > 0) {
        --failing[id];
        log.push_back("!" + id);
        return caf::make_error(caf::sec::cannot_open_port, "no luck");
      }
      return started{spawn_on<probe>(context.supervisor->system(), context.where, probe_options{id, &log})};
    };
    return spec;
  }

  /// Instances with their name as their argument; they fail and ignore as `failing` and `ignoring` say.
  child_spec instances(restart r = restart::permanent) {
    child_spec spec;
    spec.id = "instance";
    spec.module = "probe";
    spec.restart = r;
    spec.start = [this](const start_context& context) -> start_result {
      const auto id = context.arguments.get_as<std::string>(0);
      if (ignoring[id])
        return ignored{};
      if (failing[id] > 0) {
        --failing[id];
        log.push_back("!" + id);
        return caf::make_error(caf::sec::cannot_open_port, "no luck");
      }
      return started{spawn_on<probe>(context.supervisor->system(), context.where, probe_options{id, &log}),
                     false, caf::make_message("info of " + id)};
    };
    return spec;
  }

  /// Sends a request, runs everything, and hands the answer over; or remembers the refusal.
  template <class T, class M>
  std::optional<T> get_from(const caf::actor& to, M message) {
    std::optional<T> answer;
    refusal = {};
    auto handle = self->request(to, caf::infinite, std::move(message));
    sched.run();
    handle.receive([&](T& value) { answer = std::move(value); }, [&](caf::error& e) { refusal = e; });
    return answer;
  }
  template <class T, class M>
  std::optional<T> get(M message) {
    return get_from<T>(root, std::move(message));
  }

  /// The refusal of a request that is answered with `ok`, or with a child.
  caf::error try_(terminate_child what) { return refused<caf::ok_atom>(std::move(what)); }
  caf::error try_(delete_child what) { return refused<caf::ok_atom>(std::move(what)); }
  caf::error try_(change_supervisor what) { return refused<caf::ok_atom>(std::move(what)); }
  caf::error try_(restart_child what) { return refused<child_started>(std::move(what)); }
  caf::error try_(start_child what) { return refused<child_started>(std::move(what)); }
  caf::error try_(start_instance what) { return refused<child_started>(std::move(what)); }
  caf::error try_(find_child what) { return refused<caf::actor>(std::move(what)); }
  caf::error try_(get_childspec what) { return refused<child_spec>(std::move(what)); }

  template <class T, class M>
  caf::error refused(M message) {
    get<T>(std::move(message));
    return refusal;
  }

  caf::actor kid(const std::string& id) { return get<caf::actor>(find_child{id}).value_or(caf::actor{}); }

  /// Starts an instance with this name.
  caf::actor instance(const std::string& id) {
    const auto c = get<child_started>(start_instance{caf::make_message(id), nullptr});
    return c ? c->actor : caf::actor{};
  }

  void tell(const caf::actor& who, int what) {
    self->send(who, what);
    sched.run();
  }
  void crash(const std::string& id) { tell(kid(id), 0); }
  void end(const std::string& id) { tell(kid(id), 1); }
  void wait(std::chrono::milliseconds time) {
    advance_time(time);
    sched.run();
  }

  /// "specs active supervisors workers".
  std::string counts() {
    const auto c = get<child_counts>(count_children{}).value_or(child_counts{});
    return std::to_string(c.specs) + ' ' + std::to_string(c.active) + ' ' + std::to_string(c.supervisors) +
           ' ' + std::to_string(c.workers);
  }

  /// "id status" of all children, the last one started first.
  events children() {
    events out;
    for (const auto& c : get<std::vector<child_info>>(which_children{}).value_or(std::vector<child_info>{}))
      out.push_back(c.id + ' ' + to_string(c.status));
    return out;
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
  events seen;  // by children, of whatever the test is about
  std::map<std::string, int> failing;
  std::map<std::string, bool> ignoring;
  caf::actor root;
  std::shared_ptr<name_table> names = std::make_shared<name_table>();
  caf::error refusal;
  caf::error reason;
};

/// The name of an instance for requests.
inline std::string pid_of(const caf::actor& who) {
  return '#' + std::to_string(who.id());
}

}  // namespace cafmcp::otp::test_c
