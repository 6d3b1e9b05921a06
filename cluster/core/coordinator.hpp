#pragma once
// Whoever keeps the facts: etcd, a node alone, or a model of etcd in the simulator. Everything is asked by
// calls that return at once and answered by callbacks, later, on the caller's own thread (the one that the
// implementation says); each call has a deadline, after which its outcome is `unknown` (for reads:
// `unavailable`). Callbacks are never called from within a call, and each exactly once.

#include <chrono>
#include <functional>
#include <memory>

#include "base/result.hpp"
#include "cluster/core/facts.hpp"

namespace cafmcp::cluster {

/// What a watch tells, in this order and no other.
struct watch_handler {
  /// Everything under the prefix: first, and again whenever changes may have been missed.
  std::function<void(snapshot)> on_snapshot;

  /// What has changed since, one or more whole revisions.
  std::function<void(std::vector<fact_event>)> on_events;

  /// Whether the coordinator answers: false while it doesn't, and what was told may be old.
  std::function<void(bool)> on_contact = [](bool) {};
};

/// The interface.
class coordinator {
 public:
  using milliseconds = std::chrono::milliseconds;

  virtual ~coordinator() = default;

  /// Everything under `prefix`, linearizable: at least all that was done when this was called.
  virtual void read(std::string prefix, milliseconds deadline,
                    std::function<void(result<snapshot>)> then) = 0;

  /// Changes facts.
  virtual void commit(transaction what, milliseconds deadline,
                      std::function<void(transaction_result)> then) = 0;

  /// Tells of everything under `prefix` from now on, through reconnects, changes of leaders and compaction,
  /// until what is returned is destroyed. Nothing is told after that.
  virtual std::shared_ptr<void> watch(std::string prefix, watch_handler handler) = 0;
};

}  // namespace cafmcp::cluster
