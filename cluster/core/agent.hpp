#pragma once
// A node's part in the cluster: it keeps its lease, follows the facts, is controller when nobody else is, and
// knows at each moment which buckets it owns for sure. All that it knows of the world comes in by calls, and
// all that it does goes out by the coordinator, so the simulator runs the same code as a node.
//
// Whether it owns a bucket is a question with a time in it: the row must name this node under its present
// lease, and the lease must be sure at that moment. A row that is being handed over is owned no more from the
// moment before the hand-over is sent, and again only when it is certain that it did not and will not happen.
//
// Not thread-safe: one thread, that of the coordinator's callbacks.

#include <array>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>

#include "cluster/core/cluster_view.hpp"
#include "cluster/core/controller.hpp"
#include "cluster/core/coordinator.hpp"
#include "cluster/core/sure_lease.hpp"

namespace cafmcp::cluster {

/// How an agent behaves.
struct agent_options {
  member self;
  std::uint64_t incarnation = 0;  ///< of this process: never the same for two
  moment ttl{2'000};              ///< of the lease
  moment renewal{500};            ///< between two beats
  moment deadline{1'000};         ///< of requests to the coordinator
  moment retry{250};              ///< before something that failed is tried again
  moment relearn{5'000};          ///< before a learner that has not caught up is asked for again
  control_limits limits;
  moment quarantine{5'000};  ///< how long a node that flaps gets nothing: doubled each time
  moment quarantine_limit{300'000};
  unsigned flaps = 3;  ///< new leases within a minute that are too many
};

/// What an agent tells.
struct agent_events {
  /// A learner of a bucket that we own should get everything: say `caught_up` when it has. Said again now and
  /// then, as long as it hasn't.
  std::function<void(std::size_t bucket, const std::string& learner)> on_learner;

  /// The view has changed, or what is owned.
  std::function<void()> on_change = [] {};

  /// Something for the log.
  std::function<void(const std::string&)> on_note = [](const std::string&) {};
};

/// The agent.
class agent {
 public:
  /// `clock` tells the time; `keeper` outlives the agent.
  agent(coordinator& keeper, agent_options options, agent_events events, std::function<moment()> clock);
  agent(const agent&) = delete;
  agent& operator=(const agent&) = delete;
  ~agent();

  /// Begins.
  void start();

  /// To be called often: every 50 ms or so.
  void tick();

  /// Whether this node owns a bucket for sure, now.
  bool owns(std::size_t bucket) const;

  /// Whether its lease is not sure: it must not answer as owner of anything.
  bool isolated() const { return !lease_.sure(clock_()); }

  /// Whether it may change the table, as far as it knows.
  bool is_controller() const;

  /// A learner has everything that the owner had when it was asked.
  void caught_up(std::size_t bucket, const std::string& learner);

  /// That process of another node is gone for sure: its links have closed, and its host says that nobody
  /// listens there. Ignored if the node's lease is another process's by now.
  void process_gone(const std::string& node, std::uint64_t incarnation);

  /// It isn't, or not any more. Whether something had to be taken back: then say it again until nothing has.
  bool process_back(const std::string& node);

  /// Gives everything away, or takes part again.
  void drain(bool on);

  /// Whether all know that it gives everything away, and nothing is left that they would miss.
  bool drained() const;

  /// Ends the membership for good: forgets member and lease. Nothing is owned from now on.
  void leave(std::function<void(outcome)> then);
  bool left() const noexcept { return leaving_; }

  /// Whether a bucket would wait for ever without that node: nobody else who is there has it.
  bool needed(const std::string& node) const;

  /// Forgets a member that has no lease. Refused if it has one by now.
  void remove(const std::string& node, std::function<void(outcome)> then);

  const cluster_view& view() const noexcept { return view_; }
  const sure_lease& lease() const noexcept { return lease_; }
  const member& self() const noexcept { return options_.self; }
  bool in_contact() const noexcept { return contact_; }

 private:
  // Of one bucket that we own and are to hand over.
  enum class handing : std::uint8_t { no, asked, unsure };

  void on_snapshot(snapshot s);
  void on_events(std::vector<fact_event> events);
  void judge(const std::vector<std::size_t>& wrong);
  void act();

  void keep_lease();
  void take_lease(revision now);
  void beat(lease_id lease);
  void lose_lease(const char* why);
  void show_member();
  void note_beats();
  bool silent(const std::string& node) const;
  void end_lease(const std::string& node, bool proven);

  void run_for_controller();
  void control();
  void end_leases();
  std::set<std::string, std::less<>> flapping() const;
  void note_leases();

  void serve_learners();
  void hand_over();
  void hand_over_one(std::size_t b);
  void settle(std::size_t b);

  void commit(transaction what, std::function<void(transaction_result)> then);
  bool due(moment& next) const;

  coordinator& keeper_;
  agent_options options_;
  agent_events events_;
  const std::function<moment()> clock_;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);  // for callbacks that outlive us
  std::shared_ptr<void> watch_;

  cluster_view view_;
  bool contact_ = false;
  bool known_ = false;  // there was a snapshot
  bool leaving_ = false;

  sure_lease lease_;
  bool taking_ = false;
  unsigned beating_ = 0;  // under way
  std::uint64_t beats_ = 0;
  bool showing_ = false;  // the member
  moment next_beat_{0};
  moment next_show_{0};

  bool running_ = false;  // for controller
  moment next_run_{0};
  std::size_t controlling_ = 0;  // transactions under way
  revision controlled_ = 0;      // what they have changed
  moment next_control_{0};
  revision planned_ = -1;                       // the view of the last plan that had nothing to do
  std::set<std::string, std::less<>> avoided_;  // by it
  std::map<std::string, std::pair<lease_id, unsigned>, std::less<>> leases_seen_;
  std::map<std::string, std::vector<moment>, std::less<>> new_leases_;
  std::map<std::string, std::pair<revision, moment>, std::less<>> beats_seen_;  // which, and when
  std::set<lease_id> ending_;

  revision looked_ = -1;    // at the rows, as owner
  bool unsettled_ = false;  // some hand-over has to be looked at again
  std::array<handing, bucket_count> handing_{};
  std::array<std::uint64_t, bucket_count> handing_epoch_{};  // in which that holds
  std::array<moment, bucket_count> next_hand_{};
  std::set<std::size_t> distrusted_;
  std::map<std::pair<std::size_t, std::string>, moment> asked_learners_;  // when to ask again
};

}  // namespace cafmcp::cluster
