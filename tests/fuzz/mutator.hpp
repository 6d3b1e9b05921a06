#pragma once
// Makes new inputs out of seeds, for ctest: the same number gives the same inputs on every machine. libFuzzer
// is guided by coverage and finds more; this finds the same every time. Not thread-safe.

#include <cstddef>
#include <random>
#include <string>
#include <string_view>
#include <vector>

namespace cafmcp::fuzz {

/// The words of a dictionary in libFuzzer's syntax: a line `"text"` or `name="text"` each, with the escapes
/// `\\`, `\"` and `\xNN`; `#` begins a comment. Throws `std::runtime_error` at what is none of these.
std::vector<std::string> parse_dictionary(std::string_view text);

/// See above.
class mutator {
 public:
  /// At least one seed. Inputs get at most `max_bytes`.
  mutator(std::vector<std::string> seeds, std::vector<std::string> words, std::size_t max_bytes,
          std::uint64_t number);

  /// One more input: a seed, or the last input, with one to eight changes.
  const std::string& next();

 private:
  std::size_t pick(std::size_t n) { return n == 0 ? 0 : random_() % n; }
  const std::string& any_seed() { return seeds_[pick(seeds_.size())]; }
  void change();
  void insert_word();
  void splice();
  void copy_part();
  void change_number();

  std::vector<std::string> seeds_;
  std::vector<std::string> words_;
  std::size_t max_bytes_;
  std::mt19937_64 random_;
  std::string input_;
};

}  // namespace cafmcp::fuzz
