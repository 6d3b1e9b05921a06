#pragma once
// Which sessions have an actor on this node, and where. Every lookup of a session starts here, on any thread
// and without a message; only shards add (after they have made sure that a session has one actor and no
// more). An entry also keeps what must outlive a crash of the actor: bounds of its queue, and a short history
// for `cafmcpctl why`. Thread-safe; striped, so that contexts hardly meet.

#include <array>
#include <atomic>
#include <caf/actor.hpp>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace cafmcp::actors {

/// A short name of a session for people and logs: `s-` and 10 characters of a hash. Ids are half a secret.
std::string handle_of(std::string_view session_id);

/// Something that happened to a session.
struct session_event {
  std::int64_t at_ms;  ///< since 1970, UTC
  std::string what;
};

/// What is known of a session outside of its actor. Shared; thread-safe.
class session_entry {
 public:
  session_entry(std::string id, std::string principal);

  const std::string id;
  const std::string principal;
  const std::string handle;

  /// What waits in the actor's mailbox: a bound for `session_port::receive`.
  std::atomic<std::uint32_t> queued{0};
  std::atomic<std::uint64_t> queued_bytes{0};

  std::atomic<std::uint32_t> running{0};   ///< calls under way
  std::atomic<bool> connected{false};      ///< a WebSocket or the stream of a GET is attached
  std::atomic<std::uint64_t> restarts{0};  ///< of its actor
  std::atomic<std::uint64_t> bytes{0};     ///< of its record, about

  caf::actor actor() const;
  void set_actor(caf::actor who);

  /// Adds to the history; the oldest of 16 are forgotten, but for the first.
  void remember(std::int64_t now_ms, std::string what);
  std::vector<session_event> history() const;

 private:
  mutable std::mutex mutex_;
  caf::actor actor_;
  std::vector<session_event> history_;
};

using entry_ptr = std::shared_ptr<session_entry>;

/// The directory.
class session_directory {
 public:
  /// At most `max_sessions` at a time.
  explicit session_directory(std::size_t max_sessions) : max_(max_sessions) {}

  /// The entry of a session; null: no actor of it is here.
  entry_ptr find(std::string_view id) const;

  /// The entry with that handle or id; null: none.
  entry_ptr find_by_name(std::string_view handle_or_id) const;

  /// Adds an entry, or returns the one that is there. Null: the directory is full. Shards only.
  entry_ptr add(std::string_view id, std::string_view principal);

  /// Removes the entry if it is this one.
  void remove(const entry_ptr& entry);

  /// Calls `f` for each entry of all, in no order, until it returns false.
  void each(const std::function<bool(const entry_ptr&)>& f) const;

  std::size_t size() const noexcept { return size_.load(std::memory_order_relaxed); }

 private:
  static constexpr std::size_t stripes = 64;
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
