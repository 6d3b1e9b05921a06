#pragma once
// What supervisors are asked, and what they answer: OTP's functions of supervisor(3) as messages. Refusals
// are errors of `exit_code`; what a child's start function or the child itself says is handed on as it is.
// Values.

#include <caf/actor.hpp>
#include <caf/allowed_unsafe_message_type.hpp>
#include <caf/message.hpp>
#include <optional>
#include <string>
#include <vector>

#include "supervisors/child_spec.hpp"
#include "supervisors/child_table.hpp"

namespace cafmcp::otp {

/// Adds a child and starts it → `child_started`. Refused: `already_started` (with the actor),
/// `already_present` (it does not run, or is being restarted), `bad_specification`, `simple_one_for_one`.
struct start_child {
  child_spec spec;
};

/// Starts an instance under `simple_one_for_one` → `child_started`.
struct start_instance {
  caf::message arguments = {};
  context_unit* where = nullptr;  ///< null: on the supervisor's own context
};

/// Starts a child that does not run → `child_started`. Refused: `not_found`, `running`, `restarting`,
/// `simple_one_for_one`.
struct restart_child {
  std::string id;
};

/// A child has started, or (a null actor) chose not to run.
struct child_started {
  caf::actor actor;
  caf::message info = {};  ///< what it said of itself
};

/// Stops a child; its specification stays unless it is temporary → `caf::ok_atom`. An instance is "#pid".
/// Refused: `not_found`, also for an instance that has ended; `simple_one_for_one` for any other id there.
struct terminate_child {
  std::string id;
};

/// Forgets a child that does not run → `caf::ok_atom`. Refused: `not_found`, `running`, `restarting`,
/// `simple_one_for_one`.
struct delete_child {
  std::string id;
};

/// The actor of a child → `caf::actor`. Refused: `restarting`, `noproc` (it does not run), `not_found`.
struct find_child {
  std::string id;
};

/// The specification of a child → `child_spec`; under `simple_one_for_one` either "#pid" of an instance or
/// the one id there is. Without `start` for a temporary child that was added by request: what it was made of
/// is not kept. Refused: `not_found`.
struct get_childspec {
  std::string id;
};

/// All children, the last one started first → `std::vector<child_info>`.
struct which_children {};

/// A child, as lists show it.
struct child_info {
  std::string id;    ///< "#pid" for an instance
  caf::actor actor;  ///< null: it does not run now, see `status`
  child_status status = child_status::stopped;
  child_type type = child_type::worker;
  std::string module;
};

/// How many there are → `child_counts`.
struct count_children {};

/// Other flags and children for a supervisor that runs, as OTP's `code_change` → `caf::ok_atom`. What is not
/// given stays; if nothing is, `supervisor_options::init` is asked again. Children with a known id go on
/// under their new specification; new ones are not started (`restart_child` does it); those that are missing
/// from the list stay, behind the others. The count of restarts goes on. Refused, and then nothing changes:
/// `bad_specification`, also for a change from or to `simple_one_for_one`.
struct change_supervisor {
  std::optional<supervisor_flags> flags = {};
  std::optional<std::vector<child_spec>> children = {};
};

}  // namespace cafmcp::otp

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(cafmcp::otp::start_child)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(cafmcp::otp::start_instance)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(cafmcp::otp::restart_child)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(cafmcp::otp::child_started)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(cafmcp::otp::terminate_child)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(cafmcp::otp::delete_child)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(cafmcp::otp::find_child)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(cafmcp::otp::get_childspec)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(cafmcp::otp::which_children)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(std::vector<cafmcp::otp::child_info>)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(cafmcp::otp::count_children)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(cafmcp::otp::child_counts)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(cafmcp::otp::change_supervisor)
