#pragma once
// An HDR histogram (Gil Tene's log-linear layout): counts of values from 1 to 3.6e12, here nanoseconds up to
// one hour, in buckets whose width doubles with the value, so that every value is kept to the same relative
// precision in fixed memory. With three significant digits a reported value is at most 0.1 % above the
// recorded one, in 270 KB. Debian has no library for it. Thread-compatible: one a thread, merged at the end.

#include <cstdint>
#include <vector>

namespace cafmcp::bench {

class histogram {
 public:
  /// The smallest and the largest value that can be told apart, in ns (1 ns and 1 h).
  static constexpr std::uint64_t lowest_ns = 1;
  static constexpr std::uint64_t highest_ns = 3'600'000'000'000;

  /// `significant_digits`: 1 to 4; a value is kept to one part in 10^digits.
  explicit histogram(int significant_digits = 3);

  /// Counts `value_ns` once. O(1), no allocation. What is out of range counts as the nearest end, and as
  /// saturated.
  void record(std::uint64_t value_ns) noexcept;

  /// Adds all that `other`, of the same precision, has counted.
  void merge(const histogram& other) noexcept;

  /// The value that `percent` (0 … 100) of all values do not exceed, in ns; 0 when empty. Exact at 0 and 100.
  std::uint64_t percentile_ns(double percent) const noexcept;

  /// The arithmetic mean in ns; 0 when empty.
  double mean_ns() const noexcept;

  /// The smallest and largest recorded value, exact (after saturation), in ns; 0 when empty.
  std::uint64_t min_ns() const noexcept { return count_ == 0 ? 0 : min_ns_; }
  std::uint64_t max_ns() const noexcept { return max_ns_; }

  /// How many values were recorded, and how many of them were out of range.
  std::uint64_t count() const noexcept { return count_; }
  std::uint64_t saturated() const noexcept { return saturated_; }

 private:
  std::size_t index_of(std::uint64_t value_ns) const noexcept;
  std::uint64_t highest_equivalent(std::size_t index) const noexcept;

  int half_bits_;  // a bucket has 2^half_bits_ counters of its own; the first has twice as many
  std::vector<std::uint64_t> counters_;
  std::uint64_t count_ = 0;
  std::uint64_t saturated_ = 0;
  std::uint64_t min_ns_ = highest_ns;
  std::uint64_t max_ns_ = 0;
  double sum_ns_ = 0;
};

}  // namespace cafmcp::bench
