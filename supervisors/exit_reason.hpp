#pragma once
// Why an actor ended, in OTP's terms, and the answers of a supervisor that refuses. Values; thread-safe.

#include <caf/actor.hpp>
#include <caf/error.hpp>
#include <caf/make_message.hpp>
#include <caf/message.hpp>
#include <cstdint>
#include <string>

namespace cafmcp::otp {

/// Exit reasons and refusals of this library. Names are Erlang's where Erlang has one.
enum class exit_code : std::uint8_t {
  shutdown = 1,        ///< ended by order, or a supervisor gave up; a transient child isn't restarted
  crashed,             ///< an exception left a handler; the context is its text
  start_failed,        ///< a child's start function failed; the context says which and why
  noproc,              ///< no such actor, or it is gone for good
  restarting,          ///< the actor is between death and restart: ask again
  not_found,           ///< a supervisor has no such child
  running,             ///< the child runs, so this can't be done to it
  already_present,     ///< a child specification with that id exists, its child doesn't run
  already_started,     ///< a child with that id runs
  simple_one_for_one,  ///< not for a supervisor of this strategy
  bad_specification,   ///< a child specification or the flags contradict themselves; the context says where
  stopping,            ///< the supervisor is going down
  unknown_message,     ///< the actor doesn't handle requests of that type
  timeout,             ///< a child did not acknowledge its start in time
  killed,              ///< the supervisor was killed, or has crashed, and its children end with it
};

/// The name of a code.
std::string to_string(exit_code code);

/// `normal` and `shutdown` in OTP's sense: a transient child that ends like this is not restarted.
bool is_normal_exit(const caf::error& reason);

/// A text for logs and answers: the code's name and, if there is one, the context.
std::string describe(const caf::error& reason);

/// An error with a text.
caf::error make_exit(exit_code code, const std::string& context = {});

/// `already_started`, with the actor that is there.
caf::error make_already_started(const std::string& who, const caf::actor& actor);

/// The actor of an `already_started`; null if there is none in it.
caf::actor running_child(const caf::error& why);

}  // namespace cafmcp::otp

CAF_ERROR_CODE_ENUM(cafmcp::otp::exit_code, "otp")
