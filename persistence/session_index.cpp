#include "persistence/session_index.hpp"

#include <algorithm>
#include <functional>
#include <utility>

#include "base/assert.hpp"

namespace cafmcp::persistence {

namespace {

constexpr unsigned key_bits = 44;
constexpr unsigned row_bits = 40;
constexpr unsigned time_bits = 43;
constexpr unsigned row_bits_high = 64 - key_bits;            // of the row, in the first word
constexpr unsigned row_bits_low = row_bits - row_bits_high;  // and in the second
constexpr std::uint64_t max_time = (std::uint64_t{1} << time_bits) - 1;
static_assert(row_bits_low + time_bits + 1 == 64);

constexpr unsigned ticket_key_bits = 24;

constexpr std::size_t first_slots = 16;

// Of a session in the wheel: its ticket, half as much again for the room that vectors keep.
constexpr std::size_t wheel_bytes = 12;

// 16 s: fine enough beside times to live of minutes and hours, and a day has 5 400 of them.
constexpr unsigned wheel_shift = 14;

constexpr std::uint64_t low_bits(std::uint64_t of, unsigned count) noexcept {
  return of & ((std::uint64_t{1} << count) - 1);
}

std::int64_t wheel_slot_of(std::int64_t ms) noexcept {
  return static_cast<std::int64_t>(
             std::min(static_cast<std::uint64_t>(std::max<std::int64_t>(ms, 0)), max_time)) >>
         wheel_shift;
}

bool comes_before(const session_index::place& a, const session_index::place& b) noexcept {
  return std::pair{a.key, a.row} < std::pair{b.key, b.row};
}

}  // namespace

std::uint64_t session_index::key_of(std::string_view id) noexcept {
  return std::hash<std::string_view>{}(id) >> (64 - key_bits);
}

session_index::slot session_index::pack(const place& p) noexcept {
  const auto time =
      std::min(static_cast<std::uint64_t>(std::max<std::int64_t>(p.last_active_ms, 0)), max_time);
  return {p.key << row_bits_high | p.row >> row_bits_low,
          low_bits(p.row, row_bits_low) << (time_bits + 1) | time << 1 | (p.ended ? 1 : 0)};
}

session_index::place session_index::unpack(const slot& s) noexcept {
  return {s.high >> row_bits_high, low_bits(s.high, row_bits_high) << row_bits_low | s.low >> (time_bits + 1),
          static_cast<std::int64_t>(low_bits(s.low >> 1, time_bits)), (s.low & 1) != 0};
}

// There is an empty slot. False: the row is there already.
bool session_index::insert(std::vector<slot>& slots, const place& p) noexcept {
  const auto mask = slots.size() - 1;
  for (auto i = p.key & mask;; i = (i + 1) & mask) {
    const auto row = unpack(slots[i]).row;
    if (row == p.row)
      return false;
    if (row == 0) {
      slots[i] = pack(p);
      return true;
    }
  }
}

session_index::slot* session_index::at(table& t, std::uint64_t key, std::uint64_t row) noexcept {
  if (t.slots.empty())
    return nullptr;
  const auto mask = t.slots.size() - 1;
  for (auto i = key & mask;; i = (i + 1) & mask) {
    const auto p = unpack(t.slots[i]);
    if (p.row == row)  // rows are nobody else's
      return &t.slots[i];
    if (p.row == 0)
      return nullptr;
  }
}

// A row, and enough of the key to find its slot.
std::uint64_t session_index::ticket_of(const place& p) noexcept {
  return low_bits(p.key, ticket_key_bits) << row_bits | p.row;
}

session_index::slot* session_index::holder_of(table& t, std::uint64_t ticket) noexcept {
  return at(t, ticket >> row_bits, low_bits(ticket, row_bits));
}

void session_index::add(std::uint32_t bucket, const place& p) {
  CAFMCP_ASSERT(p.row > 0 && p.row >> row_bits == 0 && p.key >> key_bits == 0);
  auto& t = tables_[bucket];
  if ((t.used + 1) * 5 > t.slots.size() * 4) {
    CAFMCP_ASSERT(t.slots.size() < std::size_t{1} << ticket_key_bits);
    std::vector<slot> larger(std::max(first_slots, 2 * t.slots.size()));
    for (const auto& s : t.slots)
      if (const auto moved = unpack(s); moved.row != 0)
        insert(larger, moved);
    t.slots = std::move(larger);
  }
  if (!insert(t.slots, p))
    return;
  ++t.used;
  ++size_;
  ended_ += p.ended ? 1 : 0;
  t.wheel[wheel_slot_of(p.last_active_ms)].push_back(ticket_of(p));
}

void session_index::update(std::uint32_t bucket, const place& p) noexcept {
  auto* s = at(tables_[bucket], p.key, p.row);
  if (s == nullptr)
    return;
  ended_ += (p.ended ? 1 : 0) - (unpack(*s).ended ? 1 : 0);
  *s = pack(p);
}

// Those behind it that were pushed on move up, so that no gap cuts them off.
void session_index::remove(std::uint32_t bucket, const place& p) noexcept {
  auto& t = tables_[bucket];
  auto* gone = at(t, p.key, p.row);
  if (gone == nullptr)
    return;
  ended_ -= unpack(*gone).ended ? 1 : 0;
  const auto mask = t.slots.size() - 1;
  auto gap = static_cast<std::size_t>(gone - t.slots.data());
  for (auto i = (gap + 1) & mask; unpack(t.slots[i]).row != 0; i = (i + 1) & mask) {
    const auto home = unpack(t.slots[i]).key & mask;
    if (((i - home) & mask) >= ((i - gap) & mask)) {
      t.slots[gap] = t.slots[i];
      gap = i;
    }
  }
  t.slots[gap] = {};
  --t.used;
  --size_;
}

void session_index::find(std::uint32_t bucket, std::uint64_t key, std::vector<place>& out) const {
  out.clear();
  const auto& slots = tables_[bucket].slots;
  for (auto i = key; !slots.empty(); ++i) {
    const auto p = unpack(slots[i & (slots.size() - 1)]);
    if (p.row == 0)
      return;
    if (p.key == key)
      out.push_back(p);
  }
}

std::vector<session_index::place> session_index::page(std::uint32_t bucket, const place& after,
                                                      std::size_t limit) const {
  std::vector<place> out;  // a heap of the first ones so far, the last of them on top
  for (const auto& s : tables_[bucket].slots) {
    const auto p = unpack(s);
    if (p.row == 0 || p.ended || !comes_before(after, p))
      continue;
    if (out.size() == limit) {
      if (!comes_before(p, out.front()))
        continue;
      std::pop_heap(out.begin(), out.end(), comes_before);
      out.pop_back();
    }
    out.push_back(p);
    std::push_heap(out.begin(), out.end(), comes_before);
  }
  std::sort_heap(out.begin(), out.end(), comes_before);
  return out;
}

// Tickets of sessions that are gone leave the slot, and those of sessions that were active since go on.
void session_index::turn(table& t, std::int64_t time, std::vector<std::uint64_t>& tickets) {
  std::erase_if(tickets, [&](std::uint64_t ticket) {
    const auto* s = holder_of(t, ticket);
    if (s == nullptr)
      return true;
    const auto now = wheel_slot_of(unpack(*s).last_active_ms);
    if (now != time)
      t.wheel[now].push_back(ticket);
    return now != time;
  });
}

std::vector<session_index::place> session_index::old(std::uint32_t bucket, std::int64_t before_ms, bool ended,
                                                     std::size_t limit) {
  auto& t = tables_[bucket];
  std::vector<place> out;
  const auto end = wheel_slot_of(before_ms);
  for (auto i = t.wheel.begin(); i != t.wheel.end() && i->first <= end && out.size() < limit;) {
    turn(t, i->first, i->second);
    for (auto k = i->second.begin(); k != i->second.end() && out.size() < limit; ++k)
      if (const auto p = unpack(*holder_of(t, *k)); p.last_active_ms < before_ms && p.ended == ended)
        out.push_back(p);
    i = i->second.empty() ? t.wheel.erase(i) : std::next(i);
  }
  return out;
}

std::size_t session_index::bytes() const noexcept {
  std::size_t slots = 0;
  for (const auto& t : tables_)
    slots += t.slots.capacity();
  return sizeof(*this) + slots * sizeof(slot) + size_ * wheel_bytes;
}

}  // namespace cafmcp::persistence
