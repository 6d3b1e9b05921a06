#pragma once
// Things that are named by a number of ours and found without hashing: a slot and how often it was used
// before, so that a number that is over never means what came later. Numbers are above 0 and below 2^60.
// References stay valid until their entry is removed. Not thread-safe.

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <utility>
#include <vector>

namespace cafmcp::cluster {

/// The part of such a number that says which slot.
inline constexpr unsigned slot_bits = 20;
inline constexpr std::uint64_t slot_mask = (std::uint64_t{1} << slot_bits) - 1;

/// The table.
template <class T>
class slot_table {
 public:
  /// At most `limit` entries at a time (below 2^20).
  explicit slot_table(std::size_t limit) : limit_(limit) {}

  /// A new entry's number; 0 if the table is full.
  std::uint64_t insert(T value) {
    if (size_ == limit_)
      return 0;
    if (free_.empty()) {
      free_.push_back(static_cast<std::uint32_t>(slots_.size()));
      slots_.emplace_back();
    }
    const auto index = free_.back();
    free_.pop_back();
    auto& s = slots_[index];
    s.value.emplace(std::move(value));
    ++size_;
    return number(index, s.use);
  }

  /// The entry, or null.
  T* find(std::uint64_t id) noexcept {
    const auto index = static_cast<std::size_t>(id & slot_mask);
    if (index >= slots_.size())
      return nullptr;
    auto& s = slots_[index];
    return s.value && number(index, s.use) == id ? &*s.value : nullptr;
  }

  /// Forgets an entry that is there.
  void erase(std::uint64_t id) {
    const auto index = static_cast<std::size_t>(id & slot_mask);
    auto& s = slots_[index];
    s.value.reset();
    s.use = s.use == last_use ? 1 : s.use + 1;
    free_.push_back(static_cast<std::uint32_t>(index));
    --size_;
  }

  /// Calls `f(id, entry)` for each.
  template <class F>
  void for_each(F f) {
    for (std::size_t index = 0; index < slots_.size(); ++index)
      if (auto& s = slots_[index]; s.value)
        f(number(index, s.use), *s.value);
  }

  std::size_t size() const noexcept { return size_; }

 private:
  static constexpr std::uint64_t last_use = (std::uint64_t{1} << 39U) - 1;

  struct slot {
    std::uint64_t use = 1;
    std::optional<T> value;
  };

  static std::uint64_t number(std::size_t index, std::uint64_t use) noexcept {
    return use << slot_bits | index;
  }

  std::size_t limit_;
  std::size_t size_ = 0;
  std::deque<slot> slots_;
  std::vector<std::uint32_t> free_;
};

}  // namespace cafmcp::cluster
