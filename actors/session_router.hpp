#pragma once
// The way to a session from anywhere on this node. Every session id belongs to one shard, and every shard is
// an actor on one context; the router knows which, makes ids that fit the context where they are wanted, and
// hands inputs to the session's actor, or to its shard when there is none. It outlives the shards: their
// successors take their slots. Thread-safe.

#include <caf/actor.hpp>
#include <caf/send.hpp>
#include <cstddef>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "actors/session_directory.hpp"
#include "actors/session_input.hpp"
#include "supervisors/io_pool.hpp"

namespace cafmcp::actors {

/// The router.
class session_router : public std::enable_shared_from_this<session_router> {
 public:
  /// One shard for each context of `pool`, which outlives this.
  session_router(otp::io_pool& pool, std::shared_ptr<session_directory> directory);

  otp::io_pool& pool() const noexcept { return pool_; }
  session_directory& directory() const noexcept { return *directory_; }
  const std::shared_ptr<session_directory>& shared_directory() const noexcept { return directory_; }
  std::size_t shards() const noexcept { return slots_.size(); }

  /// Which shard a session belongs to.
  std::size_t shard_of(std::string_view session_id) const noexcept;

  /// A shard's actor; null while it is being restarted.
  caf::actor shard(std::size_t index) const;

  /// A shard has started, or (null) ended if it is still `before`.
  void take_slot(std::size_t index, const caf::actor& who);
  void leave_slot(std::size_t index, caf::actor_id who);

  /// A new session id, 128 random bits, that belongs to the shard of context `where`.
  std::string make_id(std::size_t where) const;

  /// Sends an input to the actor of `entry`; to its shard if it has none.
  void submit(session_input input, const entry_ptr& entry);

  /// Sends an input to the shard, which wakes the session.
  void reroute(session_input input, const entry_ptr& entry);

  /// Sends `message` to all shards.
  template <class T>
  void broadcast(const T& message) const {
    for (std::size_t i = 0; i < slots_.size(); ++i)
      if (const auto to = shard(i))
        caf::anon_send(to, message);
  }

 private:
  struct slot {
    mutable std::mutex mutex;
    caf::actor actor;
  };

  otp::io_pool& pool_;
  const std::shared_ptr<session_directory> directory_;
  std::vector<slot> slots_;
};

/// To a shard: an input for a session without an actor.
struct rerouted_mail {
  std::string id;
  session_mail mail;
};

}  // namespace cafmcp::actors

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(cafmcp::actors::rerouted_mail)
