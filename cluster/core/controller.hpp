#pragma once
// What the controller does next: from the facts as they are to transactions that bring the table one step
// closer to its target. The target is `placement`; the table is the truth. Each row goes its way in steps, of
// which each is legal by itself: nobody → an owner; the owner is over → another member of the in-sync set;
// who should hold it becomes a learner, then gets in sync, is then asked to own; what is too much goes.
//
// A plan is a pure function of what is known. Each transaction has the condition that its proposer is still
// controller and that each row (and lease, and report of a learner) is still what the plan saw, so that one
// that comes late does nothing.

#include <cstddef>
#include <functional>
#include <set>
#include <string>
#include <vector>

#include "cluster/core/cluster_view.hpp"

namespace cafmcp::cluster {

/// How fast, and how many.
struct control_limits {
  std::size_t replicas = 3;  ///< holders of a bucket, its owner among them
  std::size_t moving = 32;   ///< rows that get learners or another owner by plan, at a time
};

/// One step of one row.
struct step {
  std::size_t bucket;
  struct bucket after;
  std::vector<condition> when;  ///< besides row and controller
  std::vector<change> also;     ///< besides the row
  proposal how;
};

/// The next step of each row that has one. `avoid`: members that should get nothing at the moment.
std::vector<step> plan(const cluster_view& view, const control_limits& limits,
                       const std::set<std::string, std::less<>>& avoid);

/// Steps as transactions of `self`, who is controller: at most `max_transaction` parts each. Steps that are
/// not legal are left out (there are none, unless the plan is wrong).
std::vector<transaction> transactions(const cluster_view& view, const std::vector<step>& steps);

}  // namespace cafmcp::cluster
