#pragma once
// A shard answers for a part of all sessions: it makes them, wakes those that have no actor from the store,
// ends those that have expired, and sends some out of memory when there are too many. Nobody else starts
// sessions, and a session's id says which shard is its own, so there is never a second actor for a session.
// Messages between clients and sessions don't pass through here, unless the session has no actor. It keeps
// nothing that matters: when it dies, sessions go on, and questions that it was working on are asked again.

#include <caf/allowed_unsafe_message_type.hpp>
#include <functional>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "actors/session.hpp"
#include "supervisors/name_table.hpp"

namespace cafmcp::actors {

/// Makes a session → `session_answer`.
struct create_session {
  std::string id;
  std::string principal;
  std::size_t where;  ///< the context to run on
};

/// Finds a session's entry, with an actor → `session_answer`.
struct wake_session {
  std::string id;
  std::size_t where;
};

/// The answer. Errors: `not_found` (no such session, or it has ended), `overloaded`, `unavailable`.
struct session_answer {
  result<entry_ptr> entry;
};

/// To the shard itself: what the store said.
struct session_loaded {
  std::string id;
  std::size_t where;
  std::shared_ptr<result<persistence::session_record>> record;
};

/// To the shard itself: sessions that may have expired.
struct sessions_idle {
  std::shared_ptr<result<std::vector<persistence::idle_session>>> found;
};

/// To the shard itself: a session that had no actor was ended, or was not.
struct session_expired {
  std::string id;
  result<void> outcome;
};

/// The actor.
class shard final : public otp::base_actor {
 public:
  /// Sessions that may be on their way up at a time; more are refused as `overloaded`.
  static constexpr std::size_t max_waking = 10'000;

  /// `members` is the name of the supervisor of this shard's sessions.
  shard(caf::actor_config& config, environment_ptr environment, std::size_t index, std::string members,
        std::shared_ptr<otp::name_table> names);

  const char* name() const override { return "shard"; }
  caf::behavior make_behavior() override;

 protected:
  void terminate(const caf::error& reason) override;

 private:
  using waiter = std::function<void(const result<entry_ptr>&)>;

  void create(const create_session& what, waiter then);
  void wake(const std::string& id, std::size_t where, waiter then);
  void loaded(session_loaded& what);
  void start_new(const std::string& id, std::size_t where, const std::string& principal);
  void start(const std::string& id, std::size_t where, session_start what);
  void settle(const std::string& id, const result<entry_ptr>& outcome);
  void on_mail(rerouted_mail& mail);
  // Expiry (shard_expiry.cpp).
  void watch_expiry();
  void begin_sweep();
  void sweep();
  void expire(const sessions_idle& what);
  void expire(const persistence::idle_session& what);
  void expired(const session_expired& what);
  void drop_unborn();
  void watch_active();
  void send_away(std::size_t count);
  template <class T>
  void forward(const T& message);

  const environment_ptr env_;
  const std::size_t index_;
  const std::string members_;
  const std::shared_ptr<otp::name_table> names_;
  std::unordered_map<std::string, std::vector<waiter>> waking_;

  // One look through this shard's buckets for sessions that have expired.
  struct {
    bool running = false;
    std::int64_t before_ms = 0;
    std::uint32_t bucket = 0;
    std::size_t ending = 0;  // operations under way
    bool ended_some = false;
    bool more = false;  // buckets have more of them: look again
  } sweep_;
};

}  // namespace cafmcp::actors

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(cafmcp::actors::create_session)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(cafmcp::actors::wake_session)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(cafmcp::actors::session_answer)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(cafmcp::actors::session_loaded)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(cafmcp::actors::sessions_idle)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(cafmcp::actors::session_expired)
