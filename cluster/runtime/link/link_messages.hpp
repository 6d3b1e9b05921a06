#pragma once
// What the actors of links tell each other, and what others ask them. Values; never sent to other nodes.

#include <caf/allowed_unsafe_message_type.hpp>
#include <caf/error.hpp>
#include <memory>
#include <string>

#include "cluster/runtime/link/candidate.hpp"

namespace cafmcp::cluster {

/// Something has become of a connection.
struct candidate_event {
  std::shared_ptr<candidate> who;
  candidate::event what;
};

/// A link is on its socket, and one is over.
struct link_started {
  std::uint64_t serial;
};
struct link_over {
  std::uint64_t serial;
  caf::error why;
};

/// Asks the link manager for an actor that another node shows under a name → `caf::actor`. Errors:
/// `not_linked`, `no_such_actor`, `overloaded` (it is being restarted: ask again), or why the link ended.
struct find_remote {
  std::string node;
  std::string name;
};

/// The answer to a lookup, from the link's thread.
struct remote_found {
  std::uint64_t question;
  caf::actor actor;
  caf::error why;
};

}  // namespace cafmcp::cluster

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(cafmcp::cluster::candidate_event)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(cafmcp::cluster::link_started)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(cafmcp::cluster::link_over)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(cafmcp::cluster::find_remote)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(cafmcp::cluster::remote_found)
