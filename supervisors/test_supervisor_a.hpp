#pragma once
// What the suites of supervisors share: children that say when they come and go, start functions that follow
// a script, a supervisor under CAF's deterministic scheduler, and its reports read back. For a test file that
// has included `caf_test.hpp` before.

#include <deque>
#include <filesystem>
#include <fstream>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "base/log.hpp"
#include "supervisors/supervisor.hpp"

namespace cafmcp::otp::testing {

using std::literals::chrono_literals::operator""s;
using std::literals::chrono_literals::operator""ms;
using std::literals::chrono_literals::operator""min;
using std::literals::chrono_literals::operator""h;
using events = std::vector<std::string>;

inline events list(std::initializer_list<const char*> items) {
  return {items.begin(), items.end()};
}

struct worker_options {
  std::string id;
  events* log = nullptr;
  bool stubborn = false;  // refuses to stop unless killed
  std::chrono::milliseconds stop_delay{0};
};

/// Ends a child with this reason. (An enum of errors would arrive as an error.)
struct quit_with {
  exit_code code;
};

/// Says when it comes and goes. 0 crashes it, 1 ends it normally.
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
            [this](quit_with what) { quit(make_exit(what.code, "told to")); }};
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

inline child_spec probe_spec(worker_options options, restart r = restart::permanent) {
  auto spec = worker<probe>(options.id, "probe", options);
  spec.restart = r;
  return spec;
}

/// How a start goes.
enum class step {
  ok,
  info,                  // the start function tells something
  info_in_init,          // the child does, too
  ignore,                // the start function chooses not to
  error,                 // the start function says why not
  raise,                 // the start function throws an exception
  raise_int,             // the start function throws something else
  nobody,                // the start function returns no actor
  later,                 // the child acknowledges when it is told to, or never
  ignore_in_init,        // the child chooses not to run
  error_in_init,         // the child says why not
  raise_in_constructor,  // the child throws before it is there
  raise_in_init          // the child throws
};

/// What the child of a script is told besides 0 and 1: `step::later` is over.
enum class verdict { acknowledge, ignore, error, late_acknowledge };

/// The child of a script.
struct scripted final : probe {
  scripted(caf::actor_config& config, worker_options options, step how)
      : probe(config, std::move(options)), how_(how) {
    if (how_ == step::raise_in_constructor)
      throw std::runtime_error("no memory");
  }
  caf::behavior make_behavior() override {
    if (how_ == step::later)
      acknowledge_later();
    else if (how_ == step::info_in_init)
      start_info(caf::make_message(std::string{"from init"}));
    else if (how_ == step::ignore_in_init)
      ignore_start();
    else if (how_ == step::error_in_init)
      refuse_start(make_exit(exit_code::noproc, "no database"));
    else if (how_ == step::raise_in_init)
      throw std::runtime_error("no luck");
    return commands().or_else([this](verdict v) { obey(v); });
  }
  void obey(verdict v) {
    if (v == verdict::acknowledge)
      acknowledge();
    else if (v == verdict::ignore)
      ignore_start();
    else if (v == verdict::error)
      refuse_start(make_exit(exit_code::noproc, "no database"));
    else if (const auto to = caf::actor_cast<caf::actor>(parent()))
      send(to, init_ack{});
  }
  step how_;
};

/// How the next starts go; all after them are `ok`.
struct script {
  std::deque<step> steps;
  int calls = 0;
};

inline start_result play(script& s, worker_options options, const start_context& context) {
  ++s.calls;
  auto how = step::ok;
  if (!s.steps.empty()) {
    how = s.steps.front();
    s.steps.pop_front();
  }
  switch (how) {
    case step::ignore:
      return ignored{};
    case step::error:
      return make_exit(exit_code::noproc, "no database");
    case step::raise:
      throw std::runtime_error("no luck");
    case step::raise_int:
      throw 42;
    case step::nobody:
      return started{};
    default:
      break;
  }
  started result{spawn_child<scripted>(*context.supervisor, context.where, std::move(options), how), true};
  if (how == step::info || how == step::info_in_init)
    result.info = caf::make_message(std::string{"from start"});
  return result;
}

/// A child whose starts follow `s`, which must outlive it.
inline child_spec scripted_spec(script& s, worker_options options, restart r = restart::permanent) {
  child_spec spec;
  spec.id = options.id;
  spec.module = "scripted";
  spec.restart = r;
  spec.start = [&s, options](const start_context& context) { return play(s, options, context); };
  return spec;
}

/// A supervisor at "root" whose parent is the test, everything under virtual time.
struct fixture : test_coordinator_fixture<> {
  ~fixture() {
    caf::anon_send_exit(root, caf::exit_reason::kill);
    root = nullptr;
    sched.run();
  }
  caf::actor start(supervisor_flags flags, std::vector<child_spec> children) {
    return start_with({"root", flags, std::move(children), nullptr, nullptr});
  }
  caf::actor start_by(supervisor_init init) {
    return start_with({"root", {}, {}, nullptr, nullptr, std::move(init)});
  }
  caf::actor start_with(supervisor_options options) {
    names = std::make_shared<name_table>();
    options.names = names;
    options.parent = caf::actor_cast<caf::actor>(self);
    root = sys.spawn<supervisor>(std::move(options));
    self->monitor(root);
    sched.run();
    return root;
  }
  // How the start went, as the parent hears it; empty as long as it hasn't.
  std::string start_answer() {
    std::string answer;
    self->receive([&](const init_ack&) { answer = "ack"; }, [&](init_ignore) { answer = "ignore"; },
                  [&](const init_error& what) { answer = describe(what.why); }, caf::after(0s) >> [] {});
    return answer;
  }
  caf::actor kid(const std::string& id) { return kid_of(root, id); }
  caf::actor kid_of(const caf::actor& s, const std::string& id) { return get<caf::actor>(find_child{id}, s); }
  // Sends a request, runs everything, and hands over the answer or remembers the refusal.
  template <class T, class M>
  T get(M message, const caf::actor& to) {
    T answer{};
    refusal = {};
    auto handle = self->request(to, caf::infinite, std::move(message));
    sched.run();
    handle.receive([&](T& value) { answer = std::move(value); }, [&](caf::error& e) { refusal = e; });
    return answer;
  }
  template <class T, class M>
  T get(M message) {
    return get<T>(std::move(message), root);
  }
  child_started begin(child_spec spec) { return get<child_started>(start_child{std::move(spec)}); }
  void stop_child(const std::string& id) { get<caf::ok_atom>(terminate_child{id}); }
  // The text of the refusal, empty if there was none.
  std::string refused() const { return refusal ? describe(refusal) : std::string{}; }
  template <class T>
  void tell_kid(const std::string& id, T what) {
    self->send(kid(id), what);
    sched.run();
  }
  void crash(const std::string& id) { tell_kid(id, 0); }
  void end(const std::string& id) { tell_kid(id, 1); }
  void pass(std::chrono::milliseconds time) {
    advance_time(time);
    sched.run();
  }
  void stop() {
    send_shutdown(root);
    sched.run();
  }
  // {specs, active, supervisors, workers}
  std::vector<std::uint64_t> counts() {
    const auto c = get<child_counts>(count_children{});
    return {c.specs, c.active, c.supervisors, c.workers};
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

using lines = std::vector<nlohmann::json>;

/// The log of the process, as JSON lines in a file of its own.
class log_capture {
 public:
  log_capture() {
    std::string pattern = "/tmp/cafmcp-supervisor-XXXXXX";
    dir_ = ::mkdtemp(pattern.data());
    capture(log::level::info);
  }
  ~log_capture() {
    static_cast<void>(log::init({log::level::info, log::format::text, ""}));
    log::shutdown();
    std::filesystem::remove_all(dir_);
  }
  log_capture(const log_capture&) = delete;
  log_capture& operator=(const log_capture&) = delete;

  /// From now on lines of that level and above.
  void capture(log::level l) {
    level_ = l;
    log::init({level_, log::format::json, file()}).value();
  }

  /// What has been written since the last time.
  lines take() {
    log::shutdown();
    lines out;
    std::ifstream in(file());
    for (std::string line; std::getline(in, line);)
      out.push_back(nlohmann::json::parse(line));
    std::filesystem::remove(file());
    capture(level_);
    return out;
  }

  /// Those of them that have this value for this key.
  lines take(const char* key, const std::string& value) {
    lines out;
    for (auto& line : take())
      if (line.contains(key) && line[key] == value)
        out.push_back(line);
    return out;
  }

 private:
  std::string file() const { return dir_ / "log"; }
  std::filesystem::path dir_;
  log::level level_ = log::level::info;
};

/// Both.
struct report_fixture : log_capture, fixture {};

}  // namespace cafmcp::otp::testing

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(cafmcp::otp::testing::quit_with)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(cafmcp::otp::testing::verdict)
