#pragma once
// CAF's scheduler, replaced through its own extension point (a module that is loaded before the actor system
// starts): actors run on the contexts of an `io_pool` instead of on CAF's workers, so an actor and a
// connection on the same context talk without a thread switch. `docs/decisions/0001-caf-on-asio.md` has the
// reasons and the measurements. Thread-safe.

#include <caf/actor_system_config.hpp>
#include <caf/scheduler/abstract_coordinator.hpp>
#include <memory>
#include <vector>

#include "supervisors/context_unit.hpp"
#include "supervisors/wheel_clock.hpp"

namespace cafmcp::otp {

/// What the scheduler needs to know when CAF constructs it.
struct scheduler_config : caf::actor_system_config {
  /// Where actors run; outlives the actor system.
  io_pool* pool = nullptr;

  /// How many messages an actor may handle before others get a turn.
  std::size_t throughput = 16;

  /// Loads `asio_scheduler` into the configuration.
  explicit scheduler_config(io_pool& p);
};

/// The module. Made by CAF from a `scheduler_config`.
class asio_scheduler final : public caf::scheduler::abstract_coordinator {
 public:
  asio_scheduler(caf::actor_system& system, const scheduler_config& config);

  /// Runs a job that has no context of its own (CAF's internal actors, actors of foreign classes) on one of
  /// them.
  void enqueue(caf::resumable* job) override;

  caf::actor_clock& clock() noexcept override { return clock_; }

  /// The unit of context number `index`.
  context_unit* unit(std::size_t index) noexcept { return units_[index].get(); }

  /// The unit for an actor whose spawner has no wish: that of the calling thread, or each in turn.
  context_unit* next_unit() noexcept;

  /// How many contexts there are.
  std::size_t size() const noexcept { return units_.size(); }

  /// The scheduler of `system` if it is one of these, else null (as in CAF's deterministic tests).
  static asio_scheduler* of(caf::actor_system& system) noexcept;

 protected:
  void start() override;
  void stop() override;

 private:
  io_pool& pool_;
  std::vector<std::unique_ptr<context_unit>> units_;
  wheel_clock clock_;
  bool stopped_ = false;
};

}  // namespace cafmcp::otp
