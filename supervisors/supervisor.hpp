#pragma once
// A supervisor with the rules of OTP's supervisor(3): it starts its children in order, waits for each,
// restarts them by strategy and restart type, gives up when restarts come too fast, and stops them in reverse
// order. It is an actor that never blocks: what takes time (a start that must be acknowledged, a stop that
// must be waited for) is a task, tasks run one after the other, and deaths that happen meanwhile become tasks
// of their own. It monitors its children and never links, because in CAF a `kill` goes through links.
//
// Talk to it by messages only (below); the answers are errors of `exit_code` where something is refused.

#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/result.hpp"
#include "supervisors/base_actor.hpp"
#include "supervisors/child_spec.hpp"
#include "supervisors/child_table.hpp"
#include "supervisors/name_table.hpp"
#include "supervisors/restart_intensity.hpp"
#include "supervisors/tree.hpp"

namespace cafmcp::otp {

/// Adds a child and starts it → `caf::actor` (null if it chose not to run).
struct start_child {
  child_spec spec;
};
/// Starts an instance under `simple_one_for_one` → `caf::actor`.
struct start_instance {
  caf::message arguments;
  context_unit* where = nullptr;
};
/// Stops a child; its specification stays unless it is temporary → `caf::ok_atom`.
struct terminate_child {
  std::string id;
};
/// Starts a child that was stopped → `caf::actor`.
struct restart_child {
  std::string id;
};
/// Forgets a child that doesn't run → `caf::ok_atom`.
struct delete_child {
  std::string id;
};
/// The actor of a child → `caf::actor`; `restarting` or `noproc` if it has none. "#pid" names instances.
struct find_child {
  std::string id;
};
/// How many there are → `child_counts`.
struct count_children {};
struct child_counts {
  std::uint64_t specs = 0;
  std::uint64_t active = 0;
  std::uint64_t supervisors = 0;
  std::uint64_t workers = 0;
};

/// How to make a supervisor.
struct supervisor_options {
  std::string path;  ///< its place in the tree, for reports: "root/branch"
  supervisor_flags flags;
  std::vector<child_spec> children;   ///< in start order; for simple_one_for_one exactly one
  std::shared_ptr<name_table> names;  ///< may be null: no names
  caf::actor parent;                  ///< gets the `init_ack`; may be null
};

/// The actor.
class supervisor final : public base_actor {
 public:
  supervisor(caf::actor_config& config, supervisor_options options);

  const char* name() const override { return "supervisor"; }
  caf::behavior make_behavior() override;

 protected:
  void handle_down(const caf::down_msg& down) override;
  void handle_exit(const caf::error& reason) override;
  void terminate(const caf::error& reason) override;

 private:
  // How a start went; `failure` is empty if it went well.
  struct outcome {
    caf::error failure;
    bool ignored = false;
  };
  using start_callback = std::function<void(const outcome&)>;
  using stop_callback = std::function<void()>;

  struct task {
    std::function<void()> run;
    std::function<void(const caf::error&)> abandon;
  };
  struct start_wait {
    child_ptr who;
    start_callback then;
  };
  struct stop_wait {
    child_ptr who;
    stop_callback then;
    timer_id timer = 0;
    bool killed = false;
  };
  struct sequence;

  // Tasks (supervisor_tasks.cpp).
  void submit(std::function<void()> run, std::function<void(const caf::error&)> abandon = {});
  void task_done();
  void run_tasks();

  // Single steps and sequences of them (supervisor_sequence.cpp).
  void start_one(const child_ptr& c, start_callback then);
  void finish_start(const child_ptr& c, const start_callback& then);
  void fail_start(const child_ptr& c, const caf::error& why, const start_callback& then);
  void stop_one(const child_ptr& c, stop_callback then);
  void stop_expired(const child* key);
  void stop_finished(const child* key, const caf::error& reason);
  void start_all(std::vector<child_ptr> list, std::function<void(const child_ptr&, const caf::error&)> then);
  void start_next(const std::shared_ptr<sequence>& s);
  void stop_all(std::vector<child_ptr> list, stop_callback then);
  void stop_next(const std::shared_ptr<sequence>& s);

  // Rules (supervisor_rules.cpp).
  void initialise();
  void child_died(const child_ptr& c, const caf::error& reason);
  void child_over(const child_ptr& c);
  void restart_later(const child_ptr& c);
  void restart_now(const child_ptr& c);
  void restart_group(const child_ptr& c);
  void begin_stop(const caf::error& reason);
  void on_init_ack();

  // Requests (supervisor.cpp).
  caf::result<caf::actor> on_start_child(const start_child& what);
  caf::result<caf::actor> on_start_instance(const start_instance& what);
  caf::result<caf::actor> on_restart_child(const restart_child& what);
  caf::result<caf::ok_atom> on_terminate_child(const terminate_child& what);
  caf::result<caf::ok_atom> on_delete_child(const delete_child& what);
  caf::result<caf::actor> on_find_child(const find_child& what);
  caf::result<tree_answer> on_inspect(const inspect_tree& what);
  child_counts count() const;
  child_ptr lookup(const std::string& id) const;
  tree_node describe_child(const child& c) const;
  void add_and_start(const child_ptr& c, bool indexed, caf::typed_response_promise<caf::actor> promise);
  bool simple() const noexcept { return options_.flags.strategy == strategy::simple_one_for_one; }
  std::string path_of(const child& c) const;
  void report(const char* context, const child& c, const caf::error& reason) const;

  supervisor_options options_;
  restart_intensity intensity_;
  std::shared_ptr<const child_spec> template_;  // of simple_one_for_one
  child_table children_;
  std::deque<task> tasks_;
  bool busy_ = false;
  bool running_tasks_ = false;
  bool stopping_ = false;
  caf::error stop_reason_;
  std::uint64_t epoch_ = 0;  // callbacks of sequences that a stop has overtaken belong to an older one
  std::optional<start_wait> starting_;
  std::unordered_map<const child*, stop_wait> stops_;
};

/// A specification for a supervisor as a child of another one.
child_spec supervisor_spec(std::string id, supervisor_flags flags, std::vector<child_spec> children);

/// Starts the root of a tree on `unit` and waits until all of it has started. The error says which child
/// failed and why. Not from a context's thread. Whoever starts a tree holds its root: an actor that nobody
/// holds any more ends at once.
result<caf::actor> start_tree(caf::actor_system& system, context_unit* unit, supervisor_options options);

/// How many children the supervisors of this process have restarted. Thread-safe.
std::uint64_t restarts_total() noexcept;

/// How long a killed child may take to be gone before its supervisor goes on without it and reports it as
/// stuck (its thread hangs in a handler: nothing in the process can end that).
inline constexpr std::chrono::milliseconds kill_grace{5000};

}  // namespace cafmcp::otp

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(cafmcp::otp::start_child)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(cafmcp::otp::start_instance)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(cafmcp::otp::terminate_child)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(cafmcp::otp::restart_child)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(cafmcp::otp::delete_child)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(cafmcp::otp::find_child)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(cafmcp::otp::count_children)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(cafmcp::otp::child_counts)
