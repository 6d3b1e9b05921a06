#pragma once
// "At most `intensity` restarts in any window of `period`", as OTP's supervisor counts them. Holds at most
// `intensity + 1` times. Not thread-safe.

#include <chrono>
#include <cstdint>
#include <deque>

namespace cafmcp::otp {

/// A sliding window of restarts.
class restart_intensity {
 public:
  using time_point = std::chrono::steady_clock::time_point;

  restart_intensity(std::uint32_t intensity, std::chrono::milliseconds period)
      : intensity_(intensity), period_(period) {}

  /// Other bounds; what was counted stays.
  void set(std::uint32_t intensity, std::chrono::milliseconds period) {
    intensity_ = intensity;
    period_ = period;
  }

  /// Counts a restart at `now`. Returns false when it is one too many.
  bool add(time_point now) {
    while (!restarts_.empty() && now - restarts_.front() > period_)
      restarts_.pop_front();
    restarts_.push_back(now);
    return restarts_.size() <= intensity_;
  }

 private:
  std::uint32_t intensity_;
  std::chrono::milliseconds period_;
  std::deque<time_point> restarts_;
};

}  // namespace cafmcp::otp
