#pragma once
// How long to wait before the next attempt: twice as long each time, and never the same for two who began
// together. Not thread-safe.

#include <algorithm>
#include <chrono>
#include <random>

namespace cafmcp::cluster {

/// Exponential back-off with jitter.
class retry_delay {
 public:
  using milliseconds = std::chrono::milliseconds;

  retry_delay(milliseconds first, milliseconds longest, std::uint64_t seed)
      : first_(first), longest_(longest), next_(first), random_(seed) {}

  /// Half of it to all of it.
  milliseconds next() {
    const auto now = next_;
    next_ = std::min(2 * next_, longest_);
    return milliseconds{std::uniform_int_distribution<milliseconds::rep>{now.count() / 2, now.count()}(random_)};
  }

  void reset() noexcept { next_ = first_; }

 private:
  milliseconds first_;
  milliseconds longest_;
  milliseconds next_;
  std::minstd_rand random_;
};

}  // namespace cafmcp::cluster
