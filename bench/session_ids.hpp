#pragma once
// Ids of sessions, from the run that opens them to the one that resumes some of them: a file with one a line.
// Of millions only a sample is kept, uniform and of a fixed size: each id draws a random number, and those
// with the smallest stay, so that the samples of several threads can be merged without knowing how many ids
// each has seen. The functions are thread-safe, the class is thread-compatible: one a thread.

#include <cstdint>
#include <random>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.hpp"

namespace cafmcp::bench {

/// How many ids a file may have, and how long each may be.
inline constexpr std::size_t max_ids = 1'000'000;
inline constexpr std::size_t max_id_bytes = 256;

class id_sample {
 public:
  /// Keeps up to `size` ids. Samples that are to be merged need different seeds.
  explicit id_sample(std::size_t size = 0, std::uint64_t seed = 0) : size_(size), random_(seed) {}

  void add(std::string_view id);
  void merge(const id_sample& other);

  /// What was kept, in an order that says nothing.
  std::vector<std::string> ids() const;

 private:
  using drawn = std::pair<std::uint64_t, std::string>;
  void keep(drawn d);

  std::size_t size_;
  std::mt19937_64 random_;
  std::vector<drawn> kept_;  // a heap, the largest number first
};

/// Reads the ids of a file. Errors: `io` when it can't be read, `invalid` when it has none, too many, or a
/// line that is no id; with the line's number.
result<std::vector<std::string>> read_ids(const std::string& path);

/// Writes them, in place of what the file had. Errors: `io`.
result<void> write_ids(const std::string& path, const std::vector<std::string>& ids);

}  // namespace cafmcp::bench
