#pragma once
// Which sessions have an actor on this node, or had one until it crashed. Every lookup of a session starts
// here, on any thread and without a message; only shards add. Thread-safe; striped, so that contexts hardly
// meet.

#include <array>
#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>

#include "actors/session_entry.hpp"

namespace cafmcp::actors {

/// The directory.
class session_directory {
 public:
  /// How finely it is divided; a part is one stripe.
  static constexpr std::size_t stripes = 64;

  /// At most `max_sessions` at a time.
  explicit session_directory(std::size_t max_sessions) : max_(max_sessions) {}

  /// The entry of a session; null: there is none.
  entry_ptr find(std::string_view id) const;

  /// The entry with that handle or id; null: none. Handles are looked for one by one.
  entry_ptr find_by_name(std::string_view handle_or_id) const;

  /// Adds an entry, or returns the one that is there. Null: the directory is full. Shards only.
  entry_ptr add(std::string_view id, std::string_view principal);

  /// Removes the entry if it is this one.
  void remove(const entry_ptr& entry);

  /// Calls `f` for each entry, in no order, until it returns false.
  void each(const std::function<bool(const entry_ptr&)>& f) const;

  /// The same for stripe number `stripe` alone.
  void each_in(std::size_t stripe, const std::function<bool(const entry_ptr&)>& f) const;

  std::size_t size() const noexcept { return size_.load(std::memory_order_relaxed); }

 private:
  struct stripe {
    mutable std::mutex mutex;
    std::unordered_map<std::string_view, entry_ptr> entries;  // keys belong to the entries
  };
  stripe& of(std::string_view id) noexcept;
  const stripe& of(std::string_view id) const noexcept;

  const std::size_t max_;
  std::atomic<std::size_t> size_{0};
  std::array<stripe, stripes> stripes_;
};

}  // namespace cafmcp::actors
