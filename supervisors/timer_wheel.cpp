#include "supervisors/timer_wheel.hpp"

#include <algorithm>
#include <bit>

namespace cafmcp::otp {

void timer_entry::link_before(timer_entry& position) noexcept {
  prev_ = position.prev_;
  next_ = &position;
  prev_->next_ = this;
  position.prev_ = this;
}

void timer_entry::unlink() noexcept {
  prev_->next_ = next_;
  next_->prev_ = prev_;
  prev_ = next_ = this;
}

void timer_entry::cancel() noexcept {
  if (wheel_ == nullptr)
    return;
  unlink();
  if (slot_ != timer_wheel::no_slot) {
    const auto level = slot_ / timer_wheel::slots;
    const auto slot = slot_ % timer_wheel::slots;
    if (wheel_->heads_[level][slot].next_ == &wheel_->heads_[level][slot])
      wheel_->occupied_[level] &= ~(std::uint64_t{1} << slot);
  }
  --wheel_->size_;
  wheel_ = nullptr;
}

timer_wheel::timer_wheel(time_point now) noexcept : start_(now) {}

timer_wheel::~timer_wheel() {
  for (auto& level : heads_)
    for (auto& head : level)
      while (head.next_ != &head)
        head.next_->cancel();
}

std::uint64_t timer_wheel::tick_of(time_point when) const noexcept {
  if (when <= start_)
    return 0;
  // Rounded up: an entry may fire late by a tick, never early.
  return static_cast<std::uint64_t>(std::chrono::ceil<std::chrono::milliseconds>(when - start_).count());
}

void timer_wheel::schedule(timer_entry& entry, time_point when) noexcept {
  entry.cancel();
  entry.tick_ = std::max(tick_of(when), elapsed_ + 1);
  entry.wheel_ = this;
  ++size_;
  insert(entry);
}

void timer_wheel::insert(timer_entry& entry) noexcept {
  // The level is the highest group of six bits in which the entry's tick differs from now.
  constexpr std::uint64_t horizon = (std::uint64_t{1} << (slot_bits * levels)) - 1;
  const auto difference = std::min<std::uint64_t>((elapsed_ ^ entry.tick_) | (slots - 1), horizon);
  const auto level = (static_cast<std::size_t>(std::bit_width(difference)) - 1) / slot_bits;
  const auto slot = (entry.tick_ >> (level * slot_bits)) & (slots - 1);
  entry.slot_ = static_cast<std::uint16_t>(level * slots + slot);
  entry.link_before(heads_[level][slot]);
  occupied_[level] |= std::uint64_t{1} << slot;
}

std::optional<timer_wheel::due> timer_wheel::next_due() const noexcept {
  // All entries of a level are due before any of the next level, so the first occupied level decides.
  for (std::size_t level = 0; level < levels; ++level) {
    if (occupied_[level] == 0)
      continue;
    const auto shift = level * slot_bits;
    const auto here = (elapsed_ >> shift) & (slots - 1);
    const auto ahead =
        static_cast<std::uint64_t>(std::countr_zero(std::rotr(occupied_[level], static_cast<int>(here))));
    // The top level is a ring beyond its horizon: slot `here` itself is then a whole turn away.
    const auto steps = ahead == 0 && level == levels - 1 ? slots : ahead;
    const auto tick = ((elapsed_ >> shift) + steps) << shift;
    return due{level, (here + ahead) & (slots - 1), tick};
  }
  return std::nullopt;
}

std::optional<timer_wheel::time_point> timer_wheel::next() const noexcept {
  if (const auto first = next_due())
    return start_ + std::chrono::milliseconds{first->tick};
  return std::nullopt;
}

std::size_t timer_wheel::advance(time_point now) {
  const auto target =
      now <= start_
          ? std::uint64_t{0}
          : static_cast<std::uint64_t>(std::chrono::floor<std::chrono::milliseconds>(now - start_).count());
  std::size_t fired = 0;
  for (auto first = next_due(); first && first->tick <= target; first = next_due())
    fired += expire(*first);
  elapsed_ = std::max(elapsed_, target);
  return fired;
}

std::size_t timer_wheel::expire(const due& what) {
  elapsed_ = std::max(elapsed_, what.tick);
  // The slot's entries move to a list of their own first: firing may arm entries into the same slot again.
  slot_head list;
  auto& head = heads_[what.level][what.slot];
  occupied_[what.level] &= ~(std::uint64_t{1} << what.slot);
  while (head.next_ != &head) {
    auto& entry = *head.next_;
    entry.unlink();
    entry.slot_ = no_slot;
    entry.link_before(list);
  }
  std::size_t fired = 0;
  while (list.next_ != &list) {
    auto& entry = *list.next_;
    if (entry.tick_ > elapsed_) {
      entry.unlink();
      insert(entry);
      continue;
    }
    entry.cancel();
    ++fired;
    entry.on_timer();
  }
  return fired;
}

}  // namespace cafmcp::otp
