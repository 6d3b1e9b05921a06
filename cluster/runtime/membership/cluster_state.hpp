#pragma once
// What this node knows of its cluster, for all threads: members, leases, the assignment table, and which
// buckets are its own for sure. Written by the agent's actor after each change; `owns` asks the clock, too,
// so that an actor that hangs stops owning in time. Thread-safe.

#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "cluster/core/bucket.hpp"
#include "cluster/core/member.hpp"
#include "cluster/core/names.hpp"

namespace cafmcp::cluster {

/// A member, as it is seen from here.
struct member_view {
  member is;
  bool alive = false;     ///< has a lease
  std::size_t owned = 0;  ///< buckets
  std::size_t held = 0;   ///< in sync, its own among them
  std::size_t learning = 0;
};

/// All of it at one moment.
struct cluster_picture {
  bool known = false;       ///< false: the coordinator has not been heard yet
  bool in_contact = false;  ///< false: it isn't heard now
  bool isolated = true;     ///< this node's lease is not sure
  bool left = false;        ///< it has left the cluster, and is no member until its next start
  std::string self;
  std::string controller;  ///< a node's id; empty: nobody
  std::int64_t revision = 0;
  std::uint64_t epoch = 0;  ///< the sum of all buckets' epochs: grows with each change of an owner
  std::vector<member_view> members;
  std::size_t unowned = 0;   ///< buckets whose owner is over, or that have none
  std::size_t degraded = 0;  ///< with fewer in sync than there could be
  std::size_t moving = 0;    ///< with learners, or being handed over
  std::size_t own = 0;       ///< of this node
};

/// The state.
class cluster_state {
 public:
  using clock = std::chrono::steady_clock;

  /// The last picture.
  std::shared_ptr<const cluster_picture> picture() const {
    const std::lock_guard lock{mutex_};
    return picture_;
  }

  /// Whether this node owns a bucket for sure, now.
  bool owns(std::size_t bucket) const noexcept {
    return owned_[bucket].load(std::memory_order_acquire) && !isolated();
  }

  /// Whether its lease is not sure.
  bool isolated() const noexcept {
    return clock::now().time_since_epoch().count() >= sure_until_.load(std::memory_order_acquire);
  }

  /// Why it is isolated, for a person; empty if it isn't.
  std::string why_isolated() const {
    if (!isolated())
      return {};
    const auto now = picture();
    if (now->left)
      return "this node has left the cluster";
    if (!now->known)
      return "this node has no lease yet: the coordinator has not answered since the start";
    return now->in_contact ? "this node's lease is not sure"
                           : "this node's lease is not sure: the coordinator does not answer";
  }

  /// Rows as they are known here.
  std::vector<bucket> rows() const {
    const std::lock_guard lock{mutex_};
    return rows_;
  }

  // For the agent's actor.
  void set_owned(std::size_t bucket, bool own) noexcept {
    owned_[bucket].store(own, std::memory_order_release);
  }
  void set_sure_until(clock::time_point until) noexcept {
    sure_until_.store(until.time_since_epoch().count(), std::memory_order_release);
  }
  void set(std::shared_ptr<const cluster_picture> picture, std::vector<bucket> rows) {
    const std::lock_guard lock{mutex_};
    picture_ = std::move(picture);
    rows_ = std::move(rows);
  }

 private:
  mutable std::mutex mutex_;
  std::shared_ptr<const cluster_picture> picture_ = std::make_shared<cluster_picture>();
  std::vector<bucket> rows_;
  std::array<std::atomic<bool>, bucket_count> owned_{};
  std::atomic<clock::rep> sure_until_{0};
};

}  // namespace cafmcp::cluster
