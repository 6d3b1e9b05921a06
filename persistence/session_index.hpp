#pragma once
// Where the row of each session is, and when the session was last active: 16 bytes for each in memory, in a
// table of its own for each bucket. An id is known by 44 bits of a hash: whoever finds a row looks at the id
// in it, because two ids may have the same. Beside it, a wheel of time slots for each bucket knows which
// sessions may be old, without looking at all of them; it moves a session to its slot of now only when the
// old slot's time has come. Not thread-safe.

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <string_view>
#include <vector>

#include "persistence/operation.hpp"

namespace cafmcp::persistence {

/// See above.
class session_index {
 public:
  /// What is known of a session without reading it.
  struct place {
    std::uint64_t key = 0;            ///< of its id
    std::uint64_t row = 0;            ///< 1 to 2^40 - 1
    std::int64_t last_active_ms = 0;  ///< 0 to 2^43 - 1; what is outside is taken for the nearest
    bool ended = false;
  };

  /// The key of an id.
  static std::uint64_t key_of(std::string_view id) noexcept;

  /// Adds a place, unless that row is there already.
  void add(std::uint32_t bucket, const place& p);

  /// Sets activity and end of the place with that key and row.
  void update(std::uint32_t bucket, const place& p) noexcept;

  /// Forgets the place with that key and row.
  void remove(std::uint32_t bucket, const place& p) noexcept;

  /// All places with that key: hardly ever more than one.
  void find(std::uint32_t bucket, std::uint64_t key, std::vector<place>& out) const;

  /// Places of sessions that have not ended, by rising key and row, from behind that of `after` (a row of 0
  /// stands before all of its key), at most `limit`.
  std::vector<place> page(std::uint32_t bucket, const place& after, std::size_t limit) const;

  /// Places last active before `before_ms` that have ended, or have not: at most `limit`, oldest slots first.
  std::vector<place> old(std::uint32_t bucket, std::int64_t before_ms, bool ended, std::size_t limit);

  std::size_t size() const noexcept { return size_; }

  /// How many of them have ended.
  std::size_t ended() const noexcept { return ended_; }

  /// What it takes in memory, about.
  std::size_t bytes() const noexcept;

 private:
  // key 44 bits, row 40 bits, activity 43 bits, end 1 bit; a row of 0 is an empty slot.
  struct slot {
    std::uint64_t high = 0;
    std::uint64_t low = 0;
  };
  struct table {
    std::vector<slot> slots;  // a power of two of them, linear probing
    std::size_t used = 0;
    std::map<std::int64_t, std::vector<std::uint64_t>> wheel;  // slot of time → tickets
  };

  static slot pack(const place& p) noexcept;
  static place unpack(const slot& s) noexcept;
  static bool insert(std::vector<slot>& slots, const place& p) noexcept;
  static slot* at(table& t, std::uint64_t key, std::uint64_t row) noexcept;
  static std::uint64_t ticket_of(const place& p) noexcept;
  static slot* holder_of(table& t, std::uint64_t ticket) noexcept;
  static void turn(table& t, std::int64_t time, std::vector<std::uint64_t>& tickets);

  std::array<table, bucket_count> tables_;
  std::size_t size_ = 0;
  std::size_t ended_ = 0;
};

}  // namespace cafmcp::persistence
