#pragma once
// The actor that is this node's part in its cluster: it runs an `agent` on a coordinator of its own, tells it
// of processes that the links have seen die, and publishes what it knows. When it dies, the lease runs out,
// or its successor takes another one; nothing is owned in between.

#include <functional>
#include <memory>

#include "cluster/core/agent.hpp"
#include "cluster/runtime/link/link_directory.hpp"
#include "cluster/runtime/membership/cluster_state.hpp"
#include "supervisors/base_actor.hpp"

namespace cafmcp::cluster {

/// The name under which the actor is found.
inline constexpr const char* agent_name = "agent";

/// Makes a coordinator on a context.
using coordinator_factory = std::function<result<std::unique_ptr<coordinator>>(boost::asio::io_context&)>;

/// What the actor works with; shared with its successors.
struct membership {
  agent_options options;
  coordinator_factory make_coordinator;
  std::shared_ptr<link_directory> links;
  std::shared_ptr<cluster_state> state;
  std::chrono::milliseconds tick{50};
};

/// The answer to a request that was granted.
struct agent_done {};

/// Gives all buckets away, or takes part again → `agent_done`.
struct set_draining {
  bool on = true;
};

/// Leaves the cluster for good → `agent_done`. Refused while it still holds buckets that others lack.
struct leave_cluster {};

/// Forgets a member that has no lease → `agent_done`. Refused if it has one, or is needed.
struct remove_member {
  std::string id;
};

/// The actor.
class cluster_agent final : public otp::base_actor {
 public:
  cluster_agent(caf::actor_config& config, std::shared_ptr<const membership> with);

  const char* name() const override { return "cluster_agent"; }
  caf::behavior make_behavior() override;

 protected:
  void terminate(const caf::error& reason) override;

 private:
  void tick();
  void look_at_links();
  void publish();
  void publish_owned();
  caf::result<agent_done> leave();
  caf::result<agent_done> remove(const std::string& id);

  const std::shared_ptr<const membership> with_;
  std::unique_ptr<coordinator> coordinator_;
  std::unique_ptr<agent> agent_;
  std::uint64_t seen_changes_ = 0;  // of the links
  bool somebody_gone_ = false;
  bool changed_ = true;
  bool published_isolated_ = true;
  bool published_contact_ = false;
};

}  // namespace cafmcp::cluster

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(cafmcp::cluster::agent_done)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(cafmcp::cluster::set_draining)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(cafmcp::cluster::leave_cluster)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(cafmcp::cluster::remove_member)
