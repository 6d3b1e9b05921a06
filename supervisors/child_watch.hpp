#pragma once
// Tells a supervisor that an actor has ended: CAF's monitor, but with a ticket instead of an address, so that
// the supervisor knows the child at once, and what comes late is known to be late. It never keeps the
// supervisor. Attached to the actor, which runs it on its own thread.

#include <caf/abstract_actor.hpp>
#include <caf/actor.hpp>
#include <caf/allowed_unsafe_message_type.hpp>
#include <caf/attachable.hpp>
#include <caf/send.hpp>

#include "supervisors/child_table.hpp"

namespace cafmcp::otp {

/// An actor has ended. From itself to its supervisor.
struct child_down {
  child_ticket ticket;
  caf::error reason;
};

/// A restart has failed and is to be tried again. From a supervisor to itself, so that others have their
/// turn.
struct child_retry {
  child_ticket ticket;
};

/// See above.
class child_watch final : public caf::attachable {
 public:
  child_watch(caf::actor_addr supervisor, child_ticket ticket)
      : supervisor_(std::move(supervisor)), ticket_(ticket) {}

  void actor_exited(const caf::error& reason, caf::execution_unit* host) override {
    if (const auto to = caf::actor_cast<caf::strong_actor_ptr>(supervisor_))
      to->enqueue(nullptr, caf::make_message_id(), caf::make_message(child_down{ticket_, reason}), host);
  }

 private:
  const caf::actor_addr supervisor_;
  const child_ticket ticket_;
};

/// Watches `who` for a supervisor; at once if it has ended already. From any thread.
inline void watch(const caf::actor& who, const caf::actor_addr& supervisor, child_ticket ticket) {
  caf::actor_cast<caf::abstract_actor*>(who)->attach(
      caf::attachable_ptr{new child_watch{supervisor, ticket}});
}

}  // namespace cafmcp::otp

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(cafmcp::otp::child_down)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(cafmcp::otp::child_retry)
