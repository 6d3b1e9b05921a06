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
#include <optional>
#include <string>
#include <type_traits>
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

  bool operator==(const shutdown_rule&) const = default;

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

/// The child is there. With `acknowledges` it has yet to say how its start went (`init_ack`, `init_ignore`,
/// `init_error`, which `base_actor` does), and the supervisor goes on only then, as OTP's `start_link`
/// returns when `init` has. `info` is handed to whoever asked for the start (OTP's `{ok, Pid, Info}`).
struct started {
  caf::actor actor;
  bool acknowledges = false;
  caf::message info = {};
};

/// The child chose not to run; not an error (OTP's `ignore`).
struct ignored {};

using start_result = std::variant<started, ignored, caf::error>;

/// What starts a child: a callable that copies of a specification share, so that a hundred thousand children
/// of one kind cost one. It runs on the supervisor, and may throw.
class start_function {
 public:
  start_function() = default;
  template <class F>
  requires std::is_invocable_r_v<start_result, const F&, const start_context&> start_function(
      F call)  // NOLINT: callables are start functions
      : call_(std::make_shared<const std::function<start_result(const start_context&)>>(std::move(call))) {}

  start_result operator()(const start_context& context) const { return (*call_)(context); }
  explicit operator bool() const noexcept { return call_ != nullptr && *call_ != nullptr; }

  /// Whether both share one callable.
  bool operator==(const start_function&) const = default;

 private:
  std::shared_ptr<const std::function<start_result(const start_context&)>> call_;
};

/// What children of one kind have in common.
struct child_kind {
  start_function start;                            ///< how it is started
  otp::restart restart = otp::restart::permanent;  ///< when it is started again
  bool significant = false;                        ///< counts for `auto_shutdown`
  std::optional<shutdown_rule> shutdown;           ///< how it is stopped; unset: as `shutdown_of` says
  child_type type = child_type::worker;            ///< worker or supervisor
  std::string module;                              ///< what it is, for the tree
  std::string name;                                ///< where `name_table` finds it; empty: nowhere
  std::chrono::milliseconds start_timeout{0};      ///< for it to acknowledge, then it is killed; 0: no limit

  bool operator==(const child_kind&) const = default;
};

/// A child specification.
struct child_spec : child_kind {
  std::string id;  ///< unique among its siblings; 1 to 255 bytes, without '/' and no '#' in front
};

/// How a child is stopped: as its specification says, or else workers within 5 s, and supervisors when all of
/// theirs have stopped.
shutdown_rule shutdown_of(const child_kind& kind) noexcept;

/// Waits between restarts, which OTP does not have: before the n-th attempt in a row of the same child,
/// `initial` times `factor` to the power of n - 1, at most `limit`. A child that has run for `reset_after`
/// begins anew.
struct backoff {
  std::chrono::milliseconds initial{0};  ///< 0: no waits
  std::chrono::milliseconds limit{30'000};
  double factor = 2;
  std::chrono::milliseconds reset_after{60'000};

  bool operator==(const backoff&) const = default;
};

/// Flags of a supervisor. More than `intensity` restarts within `period` and it gives up.
struct supervisor_flags {
  otp::strategy strategy = otp::strategy::one_for_one;
  std::uint32_t intensity = 1;
  std::chrono::milliseconds period{5000};  ///< more than 0
  otp::auto_shutdown auto_shutdown = otp::auto_shutdown::never;
  otp::backoff backoff = {};
};

/// Whether flags make sense; the error names the key.
caf::error check(const supervisor_flags& flags);

/// Whether a specification makes sense under these flags; the error names the key.
caf::error check(const child_spec& spec, const supervisor_flags& flags);

/// The same for all children of a supervisor, with flags and ids.
caf::error check_childspecs(const std::vector<child_spec>& specs, const supervisor_flags& flags);

/// A specification for a worker of class `T`, constructed from `xs` at each start. It has started when its
/// `make_behavior` is done, unless that says otherwise (`base_actor::acknowledge_later` and others).
template <class T, class... Ts>
child_spec worker(std::string id, std::string module, Ts... xs) {
  child_spec spec;
  spec.id = std::move(id);
  spec.module = std::move(module);
  spec.start = [xs...](const start_context& context) -> start_result {
    return started{spawn_child<T>(*context.supervisor, context.where, xs...), true};
  };
  return spec;
}

}  // namespace cafmcp::otp

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(cafmcp::otp::child_spec)
