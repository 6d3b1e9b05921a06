#define CAF_SUITE histogram

#include "bench/histogram.hpp"

#include <algorithm>
#include <cmath>
#include <random>
#include <vector>

#include "tests/unit/caf_test.hpp"

using cafmcp::bench::histogram;

namespace {

// Latencies as they are: log-normal around 100 µs, with a tail over many powers of ten.
std::vector<std::uint64_t> sample(std::uint64_t seed, std::size_t size) {
  std::mt19937_64 random{seed};
  std::lognormal_distribution<double> distribution{std::log(100'000.0), 2.5};
  std::vector<std::uint64_t> values(size);
  for (auto& value : values)
    value = std::clamp(static_cast<std::uint64_t>(distribution(random)), histogram::lowest_ns,
                       histogram::highest_ns);
  return values;
}

// The nearest-rank percentile by sorting: what the histogram approximates.
std::uint64_t exact(std::vector<std::uint64_t> values, double percent) {
  std::sort(values.begin(), values.end());
  const auto rank = static_cast<std::size_t>(std::ceil(percent / 100.0 * static_cast<double>(values.size())));
  return values[std::max<std::size_t>(rank, 1) - 1];
}

bool close(std::uint64_t reported, std::uint64_t truth, double relative) {
  return reported >= truth && static_cast<double>(reported - truth) <= relative * static_cast<double>(truth);
}

}  // namespace

CAF_TEST(an empty histogram reports zeros) {
  histogram h;
  CAF_CHECK_EQUAL(h.count(), 0u);
  CAF_CHECK_EQUAL(h.percentile_ns(50), 0u);
  CAF_CHECK_EQUAL(h.min_ns(), 0u);
  CAF_CHECK_EQUAL(h.max_ns(), 0u);
  CAF_CHECK_EQUAL(h.mean_ns(), 0.0);
}

CAF_TEST(percentiles of random data are within the promised error) {
  for (int digits = 1; digits <= 4; ++digits) {
    for (std::uint64_t seed = 1; seed <= 5; ++seed) {
      const auto values = sample(seed, 20'000);
      histogram h{digits};
      for (auto value : values)
        h.record(value);
      for (double percent : {0.0, 1.0, 25.0, 50.0, 90.0, 95.0, 99.0, 99.9, 99.99, 100.0})
        CAF_CHECK(close(h.percentile_ns(percent), exact(values, percent), std::pow(10, -digits)));
    }
  }
}

CAF_TEST(every power of two and its neighbours keep their precision) {
  for (std::uint64_t power = 1; power <= histogram::highest_ns; power *= 2) {
    for (std::uint64_t value : {power - 1, power, power + 1}) {
      if (value < histogram::lowest_ns || value > histogram::highest_ns)
        continue;
      histogram h;
      h.record(1);  // so that neither the exact minimum nor the exact maximum answers for the bucket
      h.record(value);
      h.record(histogram::highest_ns);
      CAF_CHECK(close(h.percentile_ns(60), value, 0.001));
    }
  }
}

CAF_TEST(mean and ends are exact) {
  histogram h;
  for (std::uint64_t value : {10, 20, 1'000'003})
    h.record(value);
  CAF_CHECK_EQUAL(h.min_ns(), 10u);
  CAF_CHECK_EQUAL(h.max_ns(), 1'000'003u);
  CAF_CHECK_EQUAL(h.mean_ns(), 1'000'033.0 / 3);
  CAF_CHECK_EQUAL(h.percentile_ns(100), 1'000'003u);
}

CAF_TEST(merging equals recording together) {
  const auto values = sample(7, 10'000);
  histogram all, left, right;
  for (std::size_t i = 0; i < values.size(); ++i) {
    all.record(values[i]);
    (i % 3 == 0 ? left : right).record(values[i]);
  }
  left.merge(right);
  CAF_CHECK_EQUAL(left.count(), all.count());
  CAF_CHECK_EQUAL(left.min_ns(), all.min_ns());
  CAF_CHECK_EQUAL(left.max_ns(), all.max_ns());
  for (double percent = 0; percent <= 100; percent += 0.5)
    CAF_CHECK_EQUAL(left.percentile_ns(percent), all.percentile_ns(percent));
}

CAF_TEST(what is out of range saturates and is counted) {
  histogram h;
  h.record(0);
  h.record(histogram::highest_ns + 1);
  h.record(UINT64_MAX);
  h.record(5);
  CAF_CHECK_EQUAL(h.count(), 4u);
  CAF_CHECK_EQUAL(h.saturated(), 3u);
  CAF_CHECK_EQUAL(h.min_ns(), 1u);
  CAF_CHECK_EQUAL(h.max_ns(), histogram::highest_ns);
}
