#pragma once
// Asks an actor to end where CAF's own exit message can't go: from another node. It comes to an actor of ours
// as such an exit does (`base_actor::handle_exit`), in the order of its messages. Nobody is killed by it: who
// should be is asked to end with the reason `killed`. A value.

#include <caf/allowed_unsafe_message_type.hpp>
#include <caf/error.hpp>

namespace cafmcp::otp {

/// The request.
struct stop_request {
  caf::error reason;
};

}  // namespace cafmcp::otp

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(cafmcp::otp::stop_request)
