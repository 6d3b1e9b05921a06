#pragma once
// The threads where handlers may wait, shared by all native servers of a node. What can't run at once waits
// in line, up to a bound; beyond it a call is refused, so that a slow handler costs its own callers and
// nobody else. A job that still waits can be taken back. Thread-safe.

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>

namespace cafmcp::sdk {

/// See above.
class blocking_pool {
 public:
  struct limits {
    std::size_t threads = 16;        ///< jobs that run at a time; 1 to 1024
    std::size_t max_waiting = 1024;  ///< jobs in line; beyond it `submit` refuses
    /// How long the destructor waits for jobs that run; then their threads are left behind, and logged.
    std::chrono::milliseconds patience{5000};
  };
  /// Names a job; those with smaller numbers run first.
  using ticket = std::uint64_t;

  explicit blocking_pool(const limits& bounds);
  blocking_pool(const blocking_pool&) = delete;
  blocking_pool& operator=(const blocking_pool&) = delete;

  /// Stops, and waits as `patience` says. Never forever: a handler that hangs can't be stopped from outside.
  ~blocking_pool();

  /// A number for a job to come.
  ticket next_ticket() noexcept { return next_.fetch_add(1, std::memory_order_relaxed); }

  /// Runs `job`, which must not throw, on a thread. False: too much waits, or the pool is stopped; `job` is
  /// destroyed.
  bool submit(ticket t, std::function<void()> job);

  /// Destroys a job that still waits. False: it runs, or ran, or never was.
  bool drop(ticket t);

  /// Takes no jobs any more, and destroys those that wait. What runs goes on.
  void stop();

  std::size_t running() const noexcept;
  std::size_t waiting() const noexcept;
  /// Jobs that were turned away.
  std::uint64_t refused() const noexcept { return refused_.load(std::memory_order_relaxed); }

 private:
  struct core;

  std::unique_ptr<core> core_;
  const std::chrono::milliseconds patience_;
  std::atomic<ticket> next_{1};
  std::atomic<std::uint64_t> refused_{0};
};

}  // namespace cafmcp::sdk
