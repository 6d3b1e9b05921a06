#pragma once
// What the tests of stops, restart types, strategies and significant children share: a worker that writes
// down what happens to it, start functions that follow a script, the supervisor's reports as values, and a
// fixture with CAF's deterministic scheduler and a virtual clock. For a test file that has included
// `caf_test.hpp` before.

#include <unistd.h>

#include <cstdio>
#include <deque>
#include <fstream>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/log.hpp"
#include "supervisors/supervisor.hpp"

namespace supervisor_tests_b {

namespace otp = cafmcp::otp;
using events = std::vector<std::string>;

/// Tells a worker to end, and why.
struct end_with {
  caf::error why;
};

/// Links a worker to another actor.
struct link_with {
  caf::actor other;
};

}  // namespace supervisor_tests_b

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(supervisor_tests_b::end_with)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(supervisor_tests_b::link_with)

namespace supervisor_tests_b {

/// How a worker behaves.
struct worker_options {
  std::string id;
  events* log = nullptr;
  bool stubborn = false;  ///< refuses to stop unless killed
  std::chrono::milliseconds stop_delay{0};
  std::optional<caf::error> last_word = {};  ///< the reason with which it ends when told to stop
  events* heard = nullptr;                   ///< with which reasons it was told to
};

/// Says when it comes ("+id"), refuses to go ("?id") and goes ("-id"). 0 crashes it, 1 ends it normally.
struct probe final : otp::base_actor {
  probe(caf::actor_config& config, worker_options options)
      : base_actor(config), options_(std::move(options)) {
    note("+");
  }
  const char* name() const override { return "probe"; }
  caf::behavior make_behavior() override {
    return {
        [this](int what) {
          if (what == 0)
            throw std::runtime_error("boom");
          quit();
        },
        [this](const end_with& how) { quit(how.why); },
        [this](const link_with& whom) { link_to(whom.other); },
    };
  }
  void handle_exit(const caf::actor_addr&, const caf::error& reason) override {
    if (options_.heard)
      options_.heard->push_back(options_.id + ": " + otp::describe(reason));
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

inline otp::child_spec probe_spec(worker_options options, otp::restart r = otp::restart::permanent) {
  auto spec = otp::worker<probe>(options.id, "probe", options);
  spec.restart = r;
  return spec;
}

/// What the starts of a child do, one after the other: '+' it runs, '-' it fails ("!id" in the log), 'x' it
/// dies before it acknowledges, 'i' it chooses not to run, '~' it never acknowledges. After the last: `rest`.
struct script {
  std::deque<char> next;
  char rest = '+';
  int starts = 0;
};

inline otp::child_spec scripted(worker_options options, std::shared_ptr<script> s,
                                otp::restart r = otp::restart::permanent) {
  otp::child_spec spec;
  spec.id = options.id;
  spec.module = "probe";
  spec.restart = r;
  spec.start = [options, s](const otp::start_context& context) -> otp::start_result {
    ++s->starts;
    auto step = s->rest;
    if (!s->next.empty()) {
      step = s->next.front();
      s->next.pop_front();
    }
    if (step == 'i')
      return otp::ignored{};
    if (step == '-') {
      if (options.log)
        options.log->push_back("!" + options.id);
      return otp::make_exit(otp::exit_code::start_failed, "not now");
    }
    // Without a parent it has nobody to acknowledge to.
    auto actor = otp::spawn_on<probe>(context.supervisor->system(), context.where, options);
    if (step == 'x')
      caf::anon_send_exit(actor, caf::exit_reason::kill);
    return otp::started{std::move(actor), step != '+'};
  };
  return spec;
}

inline std::shared_ptr<script> steps(std::string next, char rest = '+') {
  return std::make_shared<script>(script{{next.begin(), next.end()}, rest, 0});
}

/// The supervisors' reports while it exists, as "context child: reason" and, of many, " x3".
class report_log {
 public:
  report_log() : file_("supervisor_reports." + std::to_string(::getpid()) + ".log") { begin(); }
  ~report_log() {
    cafmcp::log::shutdown();
    static_cast<void>(std::remove(file_.c_str()));
  }
  report_log(const report_log&) = delete;
  report_log& operator=(const report_log&) = delete;

  /// Those since the last call.
  events take() {
    cafmcp::log::shutdown();  // writes what is queued
    events out;
    std::ifstream in{file_};
    for (std::string line; std::getline(in, line);) {
      if (line.find("\"supervisor report\"") == std::string::npos)
        continue;
      auto text = value(line, "context") + ' ' + value(line, "child") + ": " + value(line, "reason");
      if (const auto many = value(line, "children"); !many.empty())
        text += " x" + many;
      out.push_back(std::move(text));
    }
    begin();
    return out;
  }

 private:
  void begin() {
    static_cast<void>(std::remove(file_.c_str()));
    cafmcp::log::init({cafmcp::log::level::error, cafmcp::log::format::json, file_}).value();
  }
  static std::string value(const std::string& line, const std::string& key) {
    const auto mark = '"' + key + "\":";
    auto from = line.find(mark);
    if (from == std::string::npos)
      return {};
    from += mark.size();
    if (line[from] == '"')
      return line.substr(from + 1, line.find('"', from + 1) - from - 1);
    return line.substr(from, line.find_first_of(",}", from) - from);
  }
  std::string file_;
};

/// A tree, and somebody to ask it.
struct fixture : test_coordinator_fixture<> {
  ~fixture() { drop(); }
  fixture() = default;

  /// Ends the tree, however far it is.
  void drop() {
    if (!root)
      return;
    caf::anon_send_exit(root, caf::exit_reason::kill);
    root = nullptr;
    run();
    advance_time(std::chrono::hours{1});
    run();
    while (!self->mailbox().empty())
      self->receive(
          [](const caf::down_msg&) {},
          caf::others >> [](caf::message_view&) -> caf::result<caf::message> { return caf::message{}; });
    log.clear();
  }
  void run() { sched.run(); }
  void pass(std::chrono::milliseconds time) {
    advance_time(time);
    run();
  }
  caf::actor start(otp::supervisor_flags flags, std::vector<otp::child_spec> children) {
    drop();
    names = std::make_shared<otp::name_table>();
    root = sys.spawn<otp::supervisor>(
        otp::supervisor_options{"root", flags, std::move(children), names, nullptr});
    self->monitor(root);
    run();
    return root;
  }
  caf::actor kid(const std::string& id) { return kid_of(root, id); }
  caf::actor kid_of(const caf::actor& s, const std::string& id) {
    caf::actor found;
    ask_for<caf::actor>(
        s, [&](caf::actor a) { found = a; }, otp::find_child{id});
    return found;
  }
  /// Sends a request, runs everything, and hands over the answer or remembers the refusal.
  template <class T, class F, class M>
  void ask_for(const caf::actor& to, F f, M message) {
    refusal = {};
    auto handle = self->request(to, caf::infinite, std::move(message));
    run();
    handle.receive([&](T value) { f(value); }, [&](caf::error& e) { refusal = e; });
  }
  template <class T, class M>
  void call(M message) {
    ask_for<T>(
        root, [](const T&) {}, std::move(message));
  }
  /// Starts an instance; its name is its argument.
  caf::actor instance(const std::string& argument = {}) {
    caf::actor found;
    ask_for<otp::child_started>(
        root, [&](const otp::child_started& c) { found = c.actor; },
        otp::start_instance{caf::make_message(argument), nullptr});
    return found;
  }
  void crash(const caf::actor& who) {
    self->send(who, 0);
    run();
  }
  void crash(const std::string& id) { crash(kid(id)); }
  void end(const caf::actor& who, caf::error why = {}) {
    self->send(who, end_with{std::move(why)});
    run();
  }
  void end(const std::string& id, caf::error why = {}) { end(kid(id), std::move(why)); }
  void kill(const caf::actor& who) {
    caf::anon_send_exit(who, caf::exit_reason::kill);
    run();
  }
  void shut_down() {
    otp::send_shutdown(root);
    run();
  }
  otp::child_counts counts() {
    otp::child_counts result;
    ask_for<otp::child_counts>(
        root, [&](otp::child_counts c) { result = c; }, otp::count_children{});
    return result;
  }
  /// All children in start order, as "id status".
  events children() {
    events out;
    ask_for<std::vector<otp::child_info>>(
        root,
        [&](const std::vector<otp::child_info>& all) {
          for (auto i = all.rbegin(); i != all.rend(); ++i)
            out.push_back(i->id + ' ' + otp::to_string(i->status));
        },
        otp::which_children{});
    return out;
  }
  bool root_is_down() {
    bool down = false;
    self->receive(
        [&](caf::down_msg& d) {
          down = true;
          reason = d.reason;
        },
        caf::after(std::chrono::seconds{0}) >> [] {});
    return down;
  }
  static bool alive(const caf::actor& a) {
    return !static_cast<caf::monitorable_actor*>(caf::actor_cast<caf::abstract_actor*>(a))
                ->getf(caf::abstract_actor::is_terminated_flag);
  }
  events log;
  caf::actor root;
  std::shared_ptr<otp::name_table> names;
  caf::error refusal;
  caf::error reason;
};

inline events list(std::initializer_list<const char*> items) {
  return {items.begin(), items.end()};
}

inline std::string id_of(const caf::actor& instance) {
  return '#' + std::to_string(instance.id());
}

/// A specification for instances that are called "i" in the log.
inline otp::child_spec instances(worker_options options, otp::restart r = otp::restart::permanent) {
  options.id = "i";
  return probe_spec(std::move(options), r);
}

}  // namespace supervisor_tests_b
