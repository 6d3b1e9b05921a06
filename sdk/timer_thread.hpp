#pragma once
// A clock for asynchronous handlers: one thread that calls functions when their time has come, so that
// nothing waits with a thread of its own. Thread-safe.

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <thread>

namespace cafmcp::sdk {

/// See above.
class timer_thread {
 public:
  /// Functions that may wait at a time.
  static constexpr std::size_t max_waiting = 100'000;
  using ticket = std::uint64_t;

  timer_thread();
  timer_thread(const timer_thread&) = delete;
  timer_thread& operator=(const timer_thread&) = delete;

  /// Destroys what waits.
  ~timer_thread();

  /// Calls `f` on the timer's thread after `delay`; it must be quick. What it throws is logged. Nothing: too
  /// much waits, and `f` is destroyed.
  std::optional<ticket> after(std::chrono::milliseconds delay, std::function<void()> f);

  /// Destroys a function that still waits, soon.
  void cancel(ticket t);

 private:
  struct loop;

  std::shared_ptr<loop> loop_;
  std::thread thread_;
};

}  // namespace cafmcp::sdk
