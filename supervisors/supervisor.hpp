#pragma once
// A supervisor with the rules of OTP's supervisor(3): it starts its children in order, waits for each,
// restarts them by strategy and restart type, gives up when restarts come too fast, and stops them in reverse
// order. `docs/supervision.md` has the rules one by one. It is an actor that never blocks: what takes time (a
// start that must be acknowledged, a stop that must be waited for) is a task, tasks run one after the other,
// and deaths that happen meanwhile become tasks of their own. It watches its children and never links,
// because in CAF a `kill` goes through links.
//
// Talk to it by messages only (`supervisor_requests.hpp`). It ends when its parent says so, or whoever holds
// its handle (`send_shutdown`); the end of an actor that is merely linked to it is not its business.

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
#include "supervisors/child_watch.hpp"
#include "supervisors/name_table.hpp"
#include "supervisors/restart_intensity.hpp"
#include "supervisors/supervisor_requests.hpp"
#include "supervisors/tree.hpp"

namespace cafmcp::otp {

/// Flags and children, as OTP's `init/1` gives them.
struct supervisor_setup {
  supervisor_flags flags;
  std::vector<child_spec> children;  ///< in start order; for simple_one_for_one exactly one
};

/// Gives them anew at each start, and when a change is asked for without saying which. It may also choose not
/// to run, or say why it can't. It may throw.
using supervisor_init = std::function<std::variant<supervisor_setup, ignored, caf::error>()>;

/// How to make a supervisor.
struct supervisor_options {
  std::string path;  ///< its place in the tree, for reports: "root/branch"
  supervisor_flags flags;
  std::vector<child_spec> children;
  std::shared_ptr<name_table> names;  ///< may be null: no names
  caf::actor parent;                  ///< gets to know how the start went; may be null
  supervisor_init init = {};          ///< instead of `flags` and `children`
};

/// The actor.
class supervisor final : public base_actor {
 public:
  supervisor(caf::actor_config& config, supervisor_options options);

  const char* name() const override { return "supervisor"; }
  caf::behavior make_behavior() override;

 protected:
  void handle_exit(const caf::actor_addr& source, const caf::error& reason) override;
  void terminate(const caf::error& reason) override;

 private:
  // How a start went; `failure` is empty if it went well.
  struct outcome {
    caf::error failure;
    bool ignored = false;
    caf::message info = {};
  };
  using start_callback = std::function<void(const outcome&)>;
  using stop_callback = std::function<void()>;

  struct task {
    std::function<void()> run;
    std::function<void(const caf::error&)> abandon;
  };
  // A child that has yet to say how its start went.
  struct start_wait {
    child_ptr who;
    start_callback then;
    caf::message info;
    timer_id timer = 0;
    caf::actor_id pid_before = 0;
    bool killed = false;
    std::optional<outcome> verdict;  // known, and the child has yet to end
  };
  struct stop_wait {
    child_ptr who;
    stop_callback then;
    timer_id timer = 0;
    bool killed = false;
  };
  // The stop of all instances.
  struct crowd_stop {
    std::size_t left = 0;
    bool killed = false;
    bool forgotten = false;
    timer_id timer = 0;
    std::unordered_map<std::string, std::size_t> faults;
    stop_callback then;
  };
  // How often a child was restarted in a row, when there are waits.
  struct attempts {
    unsigned count = 0;
    std::chrono::steady_clock::time_point started;
  };
  struct sequence;

  // Tasks (supervisor_rules.cpp).
  void submit(std::function<void()> run, std::function<void(const caf::error&)> abandon = {});
  void task_done();
  void run_tasks();

  // Starting and stopping, one child and many (supervisor_start.cpp, supervisor_stop.cpp).
  void start_one(const child_ptr& c, start_callback then);
  void finish_start(const child_ptr& c, caf::message info, const start_callback& then);
  void fail_start(const child_ptr& c, const caf::error& why, const start_callback& then);
  void start_expired();
  void start_ended(const caf::error& reason);
  void on_init_ack(init_ack& ack);
  void on_verdict(outcome o);
  void start_all(std::vector<child_ptr> list, std::function<void(const child_ptr&, const caf::error&)> then);
  void start_next(const std::shared_ptr<sequence>& s);
  void stop_one(const child_ptr& c, stop_callback then);
  void stop_expired(const child* key);
  void stop_finished(const child* key, const caf::error& reason);
  void stop_all(std::vector<child_ptr> list, stop_callback then);
  void stop_next(const std::shared_ptr<sequence>& s);
  void stop_crowd(stop_callback then);
  void crowd_expired();
  void crowd_member_ended(const child_ptr& c, const caf::error& reason);
  void crowd_done();
  bool as_expected(const child& c, const caf::error& reason, bool killed) const;
  caf::error order() const;

  // Rules (supervisor_rules.cpp).
  void initialise();
  bool set_up();
  void on_down(const child_down& down);
  void child_died(const child_ptr& c, const caf::error& reason, caf::actor_id pid);
  void child_over(const child_ptr& c);
  void suspend_name(const child& c);
  void restart_later(const child_ptr& c, bool retry);
  std::chrono::milliseconds next_wait(const child* c);
  void restart_now(child_ticket ticket);
  void restart_group(const child_ptr& c);
  void begin_stop(const caf::error& reason);

  // Requests (supervisor.cpp, supervisor_change.cpp).
  caf::result<child_started> on_start_child(const start_child& what);
  caf::result<child_started> on_start_instance(const start_instance& what);
  caf::result<child_started> on_restart_child(const restart_child& what);
  caf::result<caf::ok_atom> on_terminate_child(const terminate_child& what);
  caf::result<caf::ok_atom> on_delete_child(const delete_child& what);
  caf::result<caf::actor> on_find_child(const find_child& what) const;
  caf::result<child_spec> on_get_childspec(const get_childspec& what) const;
  caf::result<caf::ok_atom> on_change(const change_supervisor& what);
  caf::error change(supervisor_setup next);
  caf::error change_children(const std::vector<child_spec>& specs);
  std::vector<child_info> list_children() const;
  caf::result<tree_answer> on_inspect(const inspect_tree& what);
  child_counts count() const;
  child_ptr lookup(const std::string& id) const;
  tree_node describe_child(const child& c) const;
  void add_and_start(const child_ptr& c, caf::typed_response_promise<child_started> promise);

  // Reports (supervisor_report.cpp).
  bool simple() const noexcept { return options_.flags.strategy == strategy::simple_one_for_one; }
  std::string path_of(const child& c) const;
  void report(const char* context, const child& c, const std::string& reason, caf::actor_id pid) const;
  void report(const char* context, const child& c, const caf::error& reason, caf::actor_id pid) const;

  supervisor_options options_;
  std::optional<restart_intensity> intensity_;
  child_spec template_;  // of simple_one_for_one
  std::optional<child_table> children_;
  std::deque<task> tasks_;
  bool busy_ = false;
  bool running_tasks_ = false;
  bool acknowledged_ = false;
  bool stopping_ = false;
  caf::error stop_reason_;
  caf::strong_actor_ptr until_stopped_;  // itself: nobody else may hold it while it waits for its children
  std::uint64_t epoch_ = 0;  // callbacks of sequences that a stop has overtaken belong to an older one
  std::optional<start_wait> starting_;
  std::unordered_map<const child*, stop_wait> stops_;
  std::optional<crowd_stop> crowd_;
  std::unordered_map<const child*, attempts> attempts_;
};

/// A specification for a supervisor as a child of another one.
child_spec supervisor_spec(std::string id, supervisor_flags flags, std::vector<child_spec> children);
child_spec supervisor_spec(std::string id, supervisor_init init);

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
