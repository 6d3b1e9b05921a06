#pragma once
// Until when a node may act on its lease. The coordinator counts a lease from the moment in which it received
// the last renewal, so counting from the moment of *sending* it never ends later than there; a margin covers
// clocks that don't run alike. Times are of one monotonic clock. Not thread-safe.
// Source: Gray and Cheriton, "Leases: An Efficient Fault-Tolerant Mechanism…", 1989

#include <algorithm>
#include <chrono>

#include "cluster/core/bugs.hpp"
#include "cluster/core/facts.hpp"

namespace cafmcp::cluster {

/// A moment by a node's own monotonic clock.
using moment = std::chrono::milliseconds;

/// The lease of a node.
class sure_lease {
 public:
  /// What is taken off, for clocks that differ by up to a tenth in speed.
  static moment margin_of(moment ttl) noexcept { return made(mistake::no_margin) ? moment{0} : ttl / 8; }

  /// It was granted by a request that was sent at `sent`.
  void granted(lease_id lease, moment sent, moment ttl) noexcept {
    lease_ = lease;
    until_ = sent + ttl - margin_of(ttl);
  }

  /// It was renewed by one. Answers may come in any order.
  void renewed(moment sent, moment ttl) noexcept { until_ = std::max(until_, sent + ttl - margin_of(ttl)); }

  /// It is over for good.
  void lost() noexcept {
    lease_ = 0;
    until_ = moment{0};
  }

  /// Its id; 0: there is none.
  lease_id id() const noexcept { return lease_; }

  /// Whether nobody else can have been told that it is over.
  bool sure(moment now) const noexcept { return lease_ != 0 && now < until_; }
  moment until() const noexcept { return until_; }

 private:
  lease_id lease_ = 0;
  moment until_{0};
};

}  // namespace cafmcp::cluster
