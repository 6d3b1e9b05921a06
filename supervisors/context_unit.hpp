#pragma once
// CAF's view of one context: where an actor runs. Handing a unit to `spawn_on` pins an actor of ours
// (`base_actor`) to that context for life. Thread-safe, but for `timers()`.

#include <boost/asio/io_context.hpp>
#include <caf/execution_unit.hpp>
#include <cstddef>

#include "supervisors/io_pool.hpp"

namespace cafmcp::otp {

/// An execution unit of CAF that runs its jobs on an `io_context`.
class context_unit final : public caf::execution_unit {
 public:
  context_unit(caf::actor_system* system, io_pool& pool, std::size_t index, std::size_t throughput)
      : caf::execution_unit(system), pool_(pool), index_(index), throughput_(throughput) {}

  /// Queues `job` behind what the context has to do already. From any thread.
  void exec_later(caf::resumable* job) override;

  /// The number of the context in its pool.
  std::size_t index() const noexcept { return index_; }

  /// The context itself.
  boost::asio::io_context& io() const noexcept { return pool_.context(index_); }

  /// The context's timers, for its own thread only.
  timer_service& timers() const noexcept { return pool_.timers(index_); }

  /// Whether the calling thread is the context's.
  bool here() const noexcept { return pool_.current() == index_; }

 private:
  void run(caf::resumable* job);

  io_pool& pool_;
  std::size_t index_;
  std::size_t throughput_;
};

}  // namespace cafmcp::otp
