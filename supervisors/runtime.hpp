#pragma once
// What a program needs to run actors: the pool of contexts and CAF's actor system on top of it, started and
// stopped as one. The runtime is made and destroyed on the same thread, which is none of its own; what it
// hands out is thread-safe as said there.

#include <caf/actor_system.hpp>
#include <chrono>
#include <memory>

#include "base/result.hpp"
#include "supervisors/asio_scheduler.hpp"
#include "supervisors/io_pool.hpp"

namespace cafmcp::otp {

/// How many threads, and how fair.
struct runtime_options {
  /// Contexts, each with its thread; 0 means one for each core. At most 1024.
  std::size_t threads = 0;

  /// Messages that an actor may handle before others get a turn: what it has answered goes out meanwhile, so
  /// few at a time keep both ends of a connection busy, and many save turns.
  std::size_t throughput = 16;
};

/// The pool and the actor system.
class runtime {
 public:
  explicit runtime(const runtime_options& options = {});
  runtime(const runtime&) = delete;
  runtime& operator=(const runtime&) = delete;

  /// Waits until the last actor is gone, then stops the threads. Use `await_actors` first to bound the wait.
  ~runtime();

  caf::actor_system& system() noexcept { return *system_; }
  io_pool& pool() noexcept { return pool_; }

  /// Where actors of context number `index` run.
  context_unit* unit(std::size_t index) noexcept { return asio_scheduler::of(*system_)->unit(index); }

  /// Waits until no actor is left, at most `timeout`. Returns how many are left.
  std::size_t await_actors(std::chrono::milliseconds timeout);

 private:
  io_pool pool_;
  scheduler_config config_;
  std::unique_ptr<caf::actor_system> system_;
};

}  // namespace cafmcp::otp
