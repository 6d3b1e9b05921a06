#pragma once
// What is known of a session outside of its actor: who it is, where the actor is, how full its mailbox is,
// and a short history for `cafmcpctl why`. It outlives a crash of the actor. Shared by the directory, the
// client's connection and the actor; thread-safe.

#include <atomic>
#include <caf/actor.hpp>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

namespace cafmcp::actors {

/// A short name of a session for people and logs: `s-` and 10 characters of a hash. Ids are half a secret.
std::string handle_of(std::string_view session_id);

/// Something that happened to a session.
struct session_event {
  std::int64_t at_ms;  ///< since 1970, UTC
  std::string what;
};

/// See above.
class session_entry {
 public:
  static constexpr std::size_t max_history = 16;
  static constexpr std::size_t max_crashes = 5;
  static constexpr std::int64_t crash_period_ms = 10'000;

  session_entry(std::string session_id, std::string owner);

  const std::string id;
  const std::string principal;
  const std::string handle;

  /// What waits in the actor's mailbox: a bound for `session_port::receive`.
  std::atomic<std::uint32_t> queued{0};
  std::atomic<std::uint64_t> queued_bytes{0};

  std::atomic<std::uint32_t> running{0};   ///< calls under way
  std::atomic<bool> ended{false};          ///< the client was told, or will be, that the session is over
  std::atomic<bool> unborn{false};         ///< nothing of it is stored yet
  std::atomic<std::int64_t> used_ms{0};    ///< when its client was heard last, since 1970
  std::atomic<bool> connected{false};      ///< a WebSocket or the stream of a GET is attached
  std::atomic<std::uint64_t> restarts{0};  ///< of its actor
  std::atomic<std::uint64_t> bytes{0};     ///< of its record, about

  /// The session's actor; null: it has none at the moment.
  caf::actor actor() const;

  /// The actor has started. Ignored if it has ended meanwhile.
  void actor_started(const caf::actor& who);

  /// The actor has ended.
  void actor_ended(caf::actor_id who);

  /// Counts a crash of the actor.
  void crashed(std::int64_t now_ms);

  /// Whether it has crashed more than `max_crashes` times within `crash_period_ms`: it should rest for a
  /// while.
  bool crashes_too_often(std::int64_t now_ms) const;

  /// Adds to the history. When it is full, the oldest go, but for the first.
  void remember(std::int64_t now_ms, std::string what);
  std::vector<session_event> history() const;

 private:
  mutable std::mutex mutex_;
  caf::actor actor_;
  caf::actor_id last_ended_ = 0;  // actor ids only grow
  std::vector<session_event> history_;
  std::vector<std::int64_t> crashes_;  // the last of them
};

using entry_ptr = std::shared_ptr<session_entry>;

}  // namespace cafmcp::actors
