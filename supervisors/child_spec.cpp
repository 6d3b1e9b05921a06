#include "supervisors/child_spec.hpp"

namespace cafmcp::otp {

const char* to_string(restart r) noexcept {
  switch (r) {
    case restart::permanent:
      return "permanent";
    case restart::transient:
      return "transient";
    case restart::temporary:
      break;
  }
  return "temporary";
}

const char* to_string(strategy s) noexcept {
  switch (s) {
    case strategy::one_for_one:
      return "one_for_one";
    case strategy::one_for_all:
      return "one_for_all";
    case strategy::rest_for_one:
      return "rest_for_one";
    case strategy::simple_one_for_one:
      break;
  }
  return "simple_one_for_one";
}

const char* to_string(child_type t) noexcept {
  return t == child_type::worker ? "worker" : "supervisor";
}

caf::error check(const child_spec& spec, const supervisor_flags& flags) {
  const auto bad = [&](const std::string& what) {
    return make_exit(exit_code::bad_specification, "child \"" + spec.id + "\": " + what);
  };
  if (spec.id.empty() || spec.id.size() > 255)
    return bad("id must have 1 to 255 bytes");
  if (spec.id.find('/') != std::string::npos)
    return bad("id must not contain '/', which separates the ids of a path");
  if (!spec.start)
    return bad("start is missing");
  if (spec.shutdown.how == shutdown_rule::kind::timeout && spec.shutdown.timeout.count() < 0)
    return bad("shutdown must not be negative");
  if (spec.significant && spec.restart == restart::permanent)
    return bad("a permanent child can't be significant");
  if (spec.significant && flags.auto_shutdown == auto_shutdown::never)
    return bad("significant needs auto_shutdown any_significant or all_significant");
  if (!spec.name.empty() && flags.strategy == strategy::simple_one_for_one)
    return bad("children of simple_one_for_one can't share one name");
  return {};
}

}  // namespace cafmcp::otp
