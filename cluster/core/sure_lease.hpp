#pragma once
// Until when a node may act on its lease. A lease is kept up by beats, writes of the node that say that it is
// there; it is ended by a write of somebody else who has seen no new beat for the lease's time by a clock of
// its own, and only if there was none in fact. Whoever ends it counts from the moment in which it *saw* the
// last beat, so counting from the moment of *sending* it never ends later here; a margin covers clocks that
// don't run alike. Times are of one monotonic clock. Not thread-safe.
//
// Etcd's own leases aren't used: a leader that was held up can end one that its successor has renewed
// (etcd issue 15247).
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

  /// It was taken by a request that was sent at `sent`.
  void taken(lease_id lease, moment sent, moment ttl) noexcept {
    lease_ = lease;
    until_ = sent + ttl - margin_of(ttl);
  }

  /// A beat that was sent then has been written. Answers may come in any order.
  void beaten(moment sent, moment ttl) noexcept { until_ = std::max(until_, sent + ttl - margin_of(ttl)); }

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
