#pragma once
// What a supervisor is told: flags for itself and a specification for each child, as in OTP's supervisor(3).
// Values; a specification is shared and never changed once a supervisor has it.

#include <caf/actor.hpp>
#include <caf/error.hpp>
#include <caf/event_based_actor.hpp>
#include <caf/message.hpp>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <variant>
#include <vector>

#include "supervisors/base_actor.hpp"

namespace cafmcp::otp {

class name_table;

/// When a child that ended is started again.
enum class restart : std::uint8_t {
  permanent,  ///< always
  transient,  ///< unless it ended normally or with `shutdown`
  temporary   ///< never; its specification is forgotten
};

/// Which children are restarted when one ended.
enum class strategy : std::uint8_t {
  one_for_one,        ///< the one
  one_for_all,        ///< all of them
  rest_for_one,       ///< it and those started after it
  simple_one_for_one  ///< the one; all children are instances of one specification
};

/// What a child is, for the tree and for shutdown.
enum class child_type : std::uint8_t { worker, supervisor };

/// Whether a supervisor ends by itself when significant children have ended normally.
enum class auto_shutdown : std::uint8_t { never, any_significant, all_significant };

const char* to_string(restart r) noexcept;
const char* to_string(strategy s) noexcept;
const char* to_string(child_type t) noexcept;

/// How a child is stopped.
struct shutdown_rule {
  enum class kind : std::uint8_t { brutal_kill, timeout, infinity };
  kind how = kind::timeout;
  std::chrono::milliseconds timeout{5000};

  /// Killed at once.
  static shutdown_rule brutal_kill() { return {kind::brutal_kill, {}}; }
  /// Asked, and killed after `limit`.
  static shutdown_rule within(std::chrono::milliseconds limit) { return {kind::timeout, limit}; }
  /// Asked, and waited for; for supervisors.
  static shutdown_rule infinity() { return {kind::infinity, {}}; }
};

/// What a start function gets.
struct start_context {
  caf::event_based_actor* supervisor;  ///< who starts: the parent to acknowledge to
  context_unit* where;                 ///< the context to spawn on; null: wherever
  const caf::message& arguments;       ///< of a `simple_one_for_one` child
  const std::string& path;             ///< the child's place in the tree, "root/branch/id"
  std::shared_ptr<name_table> names;   ///< where named children are found
};

/// The child is there. With `acknowledges` it has yet to say that its start succeeded (`init_ack`), and the
/// supervisor goes on only then, as after OTP's `proc_lib:init_ack`.
struct started {
  caf::actor actor;
  bool acknowledges = false;
};

/// The child chose not to run; not an error (OTP's `ignore`).
struct ignored {};

using start_result = std::variant<started, ignored, caf::error>;
using start_function = std::function<start_result(const start_context&)>;

/// A child specification.
struct child_spec {
  std::string id;                                  ///< unique among its siblings; 1 to 255 bytes
  start_function start;                            ///< runs on the supervisor; may throw
  otp::restart restart = otp::restart::permanent;  ///< when it is started again
  bool significant = false;                        ///< counts for `auto_shutdown`
  shutdown_rule shutdown;                          ///< how it is stopped
  child_type type = child_type::worker;            ///< worker or supervisor
  std::string module;                              ///< what it is, for the tree
  std::string name;                                ///< where `name_table` finds it; empty: nowhere
};

/// Flags of a supervisor. More than `intensity` restarts within `period` and it gives up.
struct supervisor_flags {
  otp::strategy strategy = otp::strategy::one_for_one;
  std::uint32_t intensity = 1;
  std::chrono::milliseconds period{5000};
  otp::auto_shutdown auto_shutdown = otp::auto_shutdown::never;
};

/// The child's word to its supervisor that it has started; sent by the child itself. One that can't start
/// ends instead, with the reason.
struct init_ack {};

/// Whether a specification makes sense under these flags; the error names the key.
caf::error check(const child_spec& spec, const supervisor_flags& flags);

/// A specification for a worker of class `T`, constructed from `xs` at each start.
template <class T, class... Ts>
child_spec worker(std::string id, std::string module, Ts... xs) {
  child_spec spec;
  spec.id = std::move(id);
  spec.module = std::move(module);
  spec.start = [xs...](const start_context& context) -> start_result {
    return started{spawn_on<T>(context.supervisor->system(), context.where, xs...)};
  };
  return spec;
}

}  // namespace cafmcp::otp

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(cafmcp::otp::init_ack)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(cafmcp::otp::child_spec)
