#pragma once
// Virtual time: what happens when, in an order that a seed decides. Not thread-safe.

#include <cstdint>
#include <functional>
#include <queue>
#include <random>
#include <vector>

namespace cafmcp::simulation {

/// True time, which nobody in the simulation can read: microseconds.
using instant = std::int64_t;

inline constexpr instant ms = 1000;
inline constexpr instant second = 1000 * ms;

/// The scheduler, and the one source of chance.
class scheduler {
 public:
  explicit scheduler(std::uint64_t seed) : random_(seed) {}

  instant now() const noexcept { return now_; }

  /// Does `what` after `delay`.
  void after(instant delay, std::function<void()> what) {
    queue_.push({now_ + delay, ++last_, std::move(what)});
  }

  /// Does everything that is due until `end`.
  void run_until(instant end) {
    while (!queue_.empty() && queue_.top().at <= end) {
      auto next = std::move(const_cast<entry&>(queue_.top()));
      queue_.pop();
      now_ = next.at;
      ++events_;
      next.what();
    }
    now_ = end;
  }

  /// A number from `low` to `high`.
  std::int64_t pick(std::int64_t low, std::int64_t high) {
    return std::uniform_int_distribution<std::int64_t>{low, high}(random_);
  }

  /// True once in `n` times.
  bool once_in(std::int64_t n) { return pick(1, n) == 1; }

  std::uint64_t events() const noexcept { return events_; }

 private:
  struct entry {
    instant at;
    std::uint64_t order;
    std::function<void()> what;
    bool operator<(const entry& other) const noexcept {
      return at != other.at ? at > other.at : order > other.order;
    }
  };

  std::mt19937_64 random_;
  std::priority_queue<entry> queue_;
  instant now_ = 0;
  std::uint64_t last_ = 0;
  std::uint64_t events_ = 0;
};

}  // namespace cafmcp::simulation
