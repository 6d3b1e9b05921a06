#pragma once
// The threads of a node: one `io_context` and one thread for each core, and a timer wheel on each. Everything
// that waits for a socket or a timer, and every actor, lives on exactly one of these contexts and is touched
// by that thread only. Nothing may block there. The pool is thread-safe; what belongs to a context is not,
// unless it says so.

#include <atomic>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <cstddef>
#include <functional>
#include <memory>
#include <thread>
#include <vector>

#include "supervisors/timer_wheel.hpp"

namespace cafmcp::otp {

/// The timers of one context: a wheel, driven by a single Asio timer. Belongs to the context's thread.
class timer_service {
 public:
  explicit timer_service(boost::asio::io_context& io);

  /// Arms `entry` for `when`; see `timer_wheel::schedule`.
  void schedule(timer_entry& entry, timer_wheel::time_point when);

  /// Arms `entry` for `delay` from now.
  void schedule_after(timer_entry& entry, std::chrono::milliseconds delay) {
    schedule(entry, timer_wheel::clock::now() + delay);
  }

  /// How many entries waited when one was last armed or fired; readable from any thread.
  std::size_t size() const noexcept { return size_.load(std::memory_order_relaxed); }

 private:
  void wait_until(timer_wheel::time_point when);
  void fire();

  timer_wheel wheel_;
  boost::asio::steady_timer timer_;
  timer_wheel::time_point armed_for_ = timer_wheel::time_point::max();
  std::atomic<std::size_t> size_{0};
};

/// The contexts and their threads.
class io_pool {
 public:
  static constexpr std::size_t none = static_cast<std::size_t>(-1);

  /// Starts `threads` threads (1 to 1024; 0 means one for each core).
  explicit io_pool(std::size_t threads = 0);
  io_pool(const io_pool&) = delete;
  io_pool& operator=(const io_pool&) = delete;

  /// Stops as `stop` does.
  ~io_pool();

  /// Stops all contexts and joins their threads; handlers that have not run are dropped. May be called again.
  /// Never from one of the pool's own threads.
  void stop();

  /// How many contexts there are.
  std::size_t size() const noexcept { return workers_.size(); }

  /// Context number `index` (below `size()`).
  boost::asio::io_context& context(std::size_t index) noexcept { return workers_[index]->io; }

  /// The timers of context number `index`; to be used on its thread only.
  timer_service& timers(std::size_t index) noexcept { return workers_[index]->timers; }

  /// The number of the context whose thread is running this, or `none`.
  std::size_t current() const noexcept;

  /// A context for something new: each in turn.
  std::size_t next() noexcept {
    return round_robin_.fetch_add(1, std::memory_order_relaxed) % workers_.size();
  }

  /// Runs `f` once on each context's thread and waits until all are done. Never from one of the pool's own
  /// threads.
  void run_on_each(const std::function<void(std::size_t)>& f);

 private:
  struct worker {
    boost::asio::io_context io{1};
    timer_service timers{io};
    boost::asio::executor_work_guard<boost::asio::io_context::executor_type> guard =
        boost::asio::make_work_guard(io);
    std::thread thread;
  };

  std::vector<std::unique_ptr<worker>> workers_;
  std::atomic<std::size_t> round_robin_{0};
};

}  // namespace cafmcp::otp
