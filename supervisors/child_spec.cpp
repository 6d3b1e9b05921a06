#include "supervisors/child_spec.hpp"

#include <set>

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

shutdown_rule shutdown_of(const child_kind& kind) noexcept {
  if (kind.shutdown)
    return *kind.shutdown;
  return kind.type == child_type::supervisor ? shutdown_rule::infinity() : shutdown_rule{};
}

caf::error check(const supervisor_flags& flags) {
  const auto bad = [](const char* what) { return make_exit(exit_code::bad_specification, what); };
  if (flags.period.count() <= 0)
    return bad("period must be more than 0");
  if (flags.backoff.initial.count() < 0 || flags.backoff.limit < flags.backoff.initial)
    return bad("backoff: initial must be from 0 to limit");
  if (!(flags.backoff.factor >= 1))
    return bad("backoff: factor must be at least 1");
  return {};
}

caf::error check(const child_spec& spec, const supervisor_flags& flags) {
  const auto bad = [&](const std::string& what) {
    return make_exit(exit_code::bad_specification, "child \"" + spec.id + "\": " + what);
  };
  if (spec.id.empty() || spec.id.size() > 255)
    return bad("id must have 1 to 255 bytes");
  if (spec.id.find('/') != std::string::npos)
    return bad("id must not contain '/', which separates the ids of a path");
  if (spec.id.front() == '#')
    return bad("id must not begin with '#', which names instances by their number");
  if (!spec.start)
    return bad("start is missing");
  if (spec.shutdown && spec.shutdown->how == shutdown_rule::kind::timeout &&
      spec.shutdown->timeout.count() < 0)
    return bad("shutdown must not be negative");
  if (spec.start_timeout.count() < 0)
    return bad("start_timeout must not be negative");
  if (spec.significant && flags.auto_shutdown == auto_shutdown::never)
    return bad("significant needs auto_shutdown any_significant or all_significant");
  if (spec.significant && spec.restart == restart::permanent)
    return bad("a permanent child can't be significant");
  if (!spec.name.empty() && flags.strategy == strategy::simple_one_for_one)
    return bad("children of simple_one_for_one can't share one name");
  return {};
}

caf::error check_childspecs(const std::vector<child_spec>& specs, const supervisor_flags& flags) {
  if (auto why = check(flags))
    return why;
  std::set<std::string_view> ids;
  for (const auto& spec : specs) {
    if (auto why = check(spec, flags))
      return why;
    if (!ids.insert(spec.id).second)
      return make_exit(exit_code::bad_specification, "two children are called \"" + spec.id + "\"");
  }
  if (flags.strategy == strategy::simple_one_for_one && specs.size() != 1)
    return make_exit(exit_code::bad_specification, "simple_one_for_one takes exactly one child");
  return {};
}

}  // namespace cafmcp::otp
