#include "tests/fuzz/mutator.hpp"

#include <algorithm>
#include <array>
#include <stdexcept>

namespace cafmcp::fuzz {

namespace {

int digit_of(char c) {
  constexpr std::string_view digits = "0123456789abcdef";
  const auto at = digits.find(c >= 'A' && c <= 'F' ? static_cast<char>(c - 'A' + 'a') : c);
  if (at == std::string_view::npos)
    throw std::runtime_error("a dictionary has \\x without two hex digits");
  return static_cast<int>(at);
}

std::string unquoted(std::string_view inside) {
  std::string out;
  for (std::size_t i = 0; i < inside.size(); ++i) {
    if (inside[i] != '\\') {
      out += inside[i];
      continue;
    }
    const auto rest = inside.substr(i + 1);
    if (rest.starts_with('\\') || rest.starts_with('"')) {
      out += rest[0];
      i += 1;
    } else if (rest.starts_with('x') && rest.size() >= 3) {
      out += static_cast<char>(digit_of(rest[1]) * 16 + digit_of(rest[2]));
      i += 3;
    } else {
      throw std::runtime_error("a dictionary has an unknown escape");
    }
  }
  return out;
}

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

}  // namespace

std::vector<std::string> parse_dictionary(std::string_view text) {
  std::vector<std::string> words;
  while (!text.empty()) {
    const auto end = std::min(text.find('\n'), text.size());
    const auto line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (line.empty() || line.starts_with('#'))
      continue;
    const auto open = line.find('"');
    if (open == std::string_view::npos || line.size() < open + 2 || !line.ends_with('"'))
      throw std::runtime_error("a line of a dictionary has no word in quotes: " + std::string(line));
    words.push_back(unquoted(line.substr(open + 1, line.size() - open - 2)));
  }
  return words;
}

mutator::mutator(std::vector<std::string> seeds, std::vector<std::string> words, std::size_t max_bytes,
                 std::uint64_t number)
    : seeds_(std::move(seeds)), words_(std::move(words)), max_bytes_(max_bytes), random_(number) {}

const std::string& mutator::next() {
  // Now and then on from the last one, so that changes can add up.
  if (input_.empty() || pick(4) != 0)
    input_ = any_seed();
  // Few changes mostly: what is still nearly valid gets furthest.
  for (auto n = 1 + pick(pick(2) == 0 ? 2 : 8); n > 0; --n)
    change();
  if (input_.size() > max_bytes_)
    input_.resize(max_bytes_);
  return input_;
}

void mutator::change() {
  const auto at = pick(input_.size() + 1);
  const bool inside = at < input_.size();
  switch (pick(9)) {
    case 0:
      if (inside)
        input_[at] = static_cast<char>(input_[at] ^ (1 << pick(8)));
      return;
    case 1:
      if (inside)
        input_[at] = static_cast<char>(random_());
      return;
    case 2:
      input_.insert(at, 1, static_cast<char>(random_()));
      return;
    case 3:
      input_.erase(at, 1 + pick(pick(2) == 0 ? 4 : 64));
      return;
    case 4:
      return copy_part();
    case 5:
      return splice();
    case 6:
      return change_number();
    default:
      return insert_word();
  }
}

// A word of the dictionary, put in or written over what is there.
void mutator::insert_word() {
  if (words_.empty())
    return;
  const auto& word = words_[pick(words_.size())];
  const auto at = pick(input_.size() + 1);
  input_.replace(at, pick(2) == 0 ? 0 : word.size(), word);
}

// The head of this input with the tail of a seed, or a part of a seed in the middle.
void mutator::splice() {
  const auto& other = any_seed();
  const auto from = pick(other.size() + 1);
  const auto at = pick(input_.size() + 1);
  if (pick(2) == 0)
    input_ = input_.substr(0, at) + other.substr(from);
  else
    input_.insert(at, other.substr(from, pick(64)));
}

void mutator::copy_part() {
  const auto part = input_.substr(pick(input_.size() + 1), 1 + pick(40));
  const auto at = pick(input_.size() + 1);
  for (auto n = 1 + (pick(8) == 0 ? pick(40) : 0); n > 0 && input_.size() < max_bytes_; --n)
    input_.insert(at, part);
}

// Another number where one stands.
void mutator::change_number() {
  static const std::array<std::string, 12> numbers{
      "0",  "-0",  "1",     "-1",         "255",        "256",
      "65", "1e9", "1e400", "2147483648", "4294967296", "18446744073709551616"};
  const auto from = pick(input_.size() + 1);
  const auto begin = std::find_if(input_.begin() + static_cast<std::ptrdiff_t>(from), input_.end(), is_digit);
  const auto end = std::find_if_not(begin, input_.end(), is_digit);
  if (begin != end)
    input_.replace(begin, end, numbers[pick(numbers.size())]);
}

}  // namespace cafmcp::fuzz
