#include "bench/histogram.hpp"

#include <algorithm>
#include <bit>
#include <cmath>

#include "base/assert.hpp"

namespace cafmcp::bench {

namespace {

// 2 · 10^digits sub-buckets keep the width of one below 1/10^digits of the value; rounded up to a power of
// two.
int half_bits_of(int digits) {
  CAFMCP_ASSERT(digits >= 1 && digits <= 4);
  const auto wanted = static_cast<std::uint64_t>(2 * std::pow(10, digits));
  return std::bit_width(wanted - 1) - 1;
}

}  // namespace

histogram::histogram(int significant_digits) : half_bits_(half_bits_of(significant_digits)) {
  counters_.resize(index_of(highest_ns) + 1);
}

// Values below 2^(half_bits+1) have a counter each. Above, the position of the highest bit chooses the
// bucket, and the half_bits below it the counter therein.
std::size_t histogram::index_of(std::uint64_t value_ns) const noexcept {
  const std::uint64_t mask = (std::uint64_t{2} << half_bits_) - 1;
  const int bucket = std::bit_width(value_ns | mask) - (half_bits_ + 1);
  return (static_cast<std::size_t>(bucket) << half_bits_) + static_cast<std::size_t>(value_ns >> bucket);
}

std::uint64_t histogram::highest_equivalent(std::size_t index) const noexcept {
  const std::size_t half = std::size_t{1} << half_bits_;
  if (index < 2 * half)
    return index;
  const std::size_t bucket = index / half - 1;
  const std::size_t sub = index - bucket * half;
  return ((static_cast<std::uint64_t>(sub) + 1) << bucket) - 1;
}

void histogram::record(std::uint64_t value_ns) noexcept {
  const std::uint64_t kept = std::clamp(value_ns, lowest_ns, highest_ns);
  saturated_ += kept != value_ns ? 1 : 0;
  ++counters_[index_of(kept)];
  ++count_;
  min_ns_ = std::min(min_ns_, kept);
  max_ns_ = std::max(max_ns_, kept);
  sum_ns_ += static_cast<double>(kept);
}

void histogram::merge(const histogram& other) noexcept {
  CAFMCP_ASSERT(half_bits_ == other.half_bits_);
  for (std::size_t i = 0; i < counters_.size(); ++i)
    counters_[i] += other.counters_[i];
  count_ += other.count_;
  saturated_ += other.saturated_;
  min_ns_ = std::min(min_ns_, other.min_ns_);
  max_ns_ = std::max(max_ns_, other.max_ns_);
  sum_ns_ += other.sum_ns_;
}

std::uint64_t histogram::percentile_ns(double percent) const noexcept {
  if (count_ == 0)
    return 0;
  const double rank = std::ceil(std::clamp(percent, 0.0, 100.0) / 100.0 * static_cast<double>(count_));
  const auto wanted = std::clamp<std::uint64_t>(static_cast<std::uint64_t>(rank), 1, count_);
  if (wanted == 1)
    return min_ns_;
  std::uint64_t seen = 0;
  for (std::size_t i = 0; i < counters_.size(); ++i) {
    seen += counters_[i];
    if (seen >= wanted)
      return std::clamp(highest_equivalent(i), min_ns_, max_ns_);
  }
  return max_ns_;
}

double histogram::mean_ns() const noexcept {
  return count_ == 0 ? 0 : sum_ns_ / static_cast<double>(count_);
}

}  // namespace cafmcp::bench
