#pragma once
// A node's way to the model of etcd, with all that can happen to it: requests and answers that take their
// time, are lost, or come when nobody waits any more; cuts in one direction or both; a watch that breaks and
// finds its history forgotten. Belongs to one life of a node. Not thread-safe.

#include <memory>
#include <string>

#include "cluster/core/coordinator.hpp"
#include "tests/simulation/model_etcd.hpp"
#include "tests/simulation/scheduler.hpp"

namespace cafmcp::simulation {

/// How the way is now.
struct way {
  bool out_cut = false;   ///< requests don't arrive
  bool in_cut = false;    ///< answers and changes don't
  instant slow = 0;       ///< more than usual, each way
  std::int64_t loss = 0;  ///< one in so many is lost; 0: none
  bool deaf = false;      ///< changes aren't told, though all else works
};

/// The client.
class sim_client final : public cluster::coordinator {
 public:
  /// `deliver` runs something in the node, when it isn't held up, and not at all once it is dead.
  sim_client(std::string node, scheduler& time, model_etcd& etcd, std::function<way()> conditions,
             std::function<void(std::function<void()>)> deliver, bool misses_gaps);
  ~sim_client() override { *alive_ = false; }

  void read(std::string prefix, milliseconds deadline,
            std::function<void(result<cluster::snapshot>)> then) override;
  void commit(cluster::transaction what, milliseconds deadline,
              std::function<void(cluster::transaction_result)> then) override;
  std::shared_ptr<void> watch(std::string prefix, cluster::watch_handler handler) override;

 private:
  template <class Result>
  void ask(std::function<Result()> what, milliseconds deadline, std::function<void(Result)> then);
  struct watching;
  void pump(const std::shared_ptr<watching>& w);

  const std::string node_;
  scheduler& time_;
  model_etcd& etcd_;
  const std::function<way()> conditions_;
  const std::function<void(std::function<void()>)> deliver_;
  const bool misses_gaps_;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace cafmcp::simulation
