#pragma once
// A hierarchical timer wheel (Varghese and Lauck, "Hashed and Hierarchical Timing Wheels", 1987): six levels
// of 64 slots, one millisecond a tick. Scheduling and cancelling are O(1); an entry moves down at most five
// times before it fires. The wheel has no clock: whoever owns it says what time it is, so tests run in
// virtual time. Entries are intrusive: the wheel never allocates and never owns. Not thread-safe: a wheel
// belongs to one thread.

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>

namespace cafmcp::otp {

class timer_wheel;

/// Something that can wait in a timer wheel. Leaves the wheel when destroyed.
class timer_entry {
 public:
  timer_entry() = default;
  timer_entry(const timer_entry&) = delete;
  timer_entry& operator=(const timer_entry&) = delete;
  virtual ~timer_entry() { cancel(); }

  /// Whether the entry waits in a wheel.
  bool armed() const noexcept { return wheel_ != nullptr; }

  /// Takes the entry out of its wheel; nothing happens if it isn't in one.
  void cancel() noexcept;

 protected:
  /// Called by `timer_wheel::advance` when the time has come. The entry is no longer armed; it may be armed
  /// again, or destroyed, from here.
  virtual void on_timer() = 0;

 private:
  friend class timer_wheel;
  void link_before(timer_entry& position) noexcept;
  void unlink() noexcept;

  timer_entry* prev_ = this;
  timer_entry* next_ = this;
  timer_wheel* wheel_ = nullptr;
  std::uint64_t tick_ = 0;
  std::uint16_t slot_ = 0;
};

/// The wheel itself.
class timer_wheel {
 public:
  using clock = std::chrono::steady_clock;
  using time_point = clock::time_point;

  /// An empty wheel that starts at `now`.
  explicit timer_wheel(time_point now) noexcept;
  timer_wheel(const timer_wheel&) = delete;
  timer_wheel& operator=(const timer_wheel&) = delete;
  ~timer_wheel();

  /// Arms `entry` for `when`, moving it if it is armed already. It fires at the first `advance` to `when` or
  /// later, never earlier; a time in the past fires at the next tick.
  void schedule(timer_entry& entry, time_point when) noexcept;

  /// Fires all entries that are due at `now`, in the order of their ticks. Returns how many.
  std::size_t advance(time_point now);

  /// When `advance` has something to do next (a lower bound of the earliest entry); nothing if the wheel is
  /// empty.
  std::optional<time_point> next() const noexcept;

  /// How many entries are armed.
  std::size_t size() const noexcept { return size_; }

 private:
  friend class timer_entry;
  static constexpr std::size_t slot_bits = 6;
  static constexpr std::size_t slots = std::size_t{1} << slot_bits;
  static constexpr std::size_t levels = 6;
  static constexpr std::uint16_t no_slot = 0xffff;

  // The head of a slot's circular list.
  struct slot_head final : timer_entry {
    void on_timer() override {}
  };
  struct due {
    std::size_t level;
    std::size_t slot;
    std::uint64_t tick;
  };

  std::uint64_t tick_of(time_point when) const noexcept;
  std::optional<due> next_due() const noexcept;
  void insert(timer_entry& entry) noexcept;
  std::size_t expire(const due& what);

  time_point start_;
  std::uint64_t elapsed_ = 0;  // ticks since start_ that have been worked off
  std::size_t size_ = 0;
  std::array<std::uint64_t, levels> occupied_{};  // a bit for each slot that isn't empty
  std::array<std::array<slot_head, slots>, levels> heads_;
};

}  // namespace cafmcp::otp
