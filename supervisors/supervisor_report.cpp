// What a supervisor says in the log: one line a report, with OTP's contexts.

#include "base/log.hpp"
#include "supervisors/supervisor.hpp"

namespace cafmcp::otp {

namespace {

std::string text_of(const shutdown_rule& rule) {
  switch (rule.how) {
    case shutdown_rule::kind::brutal_kill:
      return "brutal_kill";
    case shutdown_rule::kind::infinity:
      return "infinity";
    case shutdown_rule::kind::timeout:
      break;
  }
  return std::to_string(rule.timeout.count()) + "ms";
}

}  // namespace

std::string supervisor::path_of(const child& c) const {
  return options_.path + '/' + (simple() ? template_.id : c.id);
}

void supervisor::report(const char* context, const child& c, const std::string& reason,
                        caf::actor_id pid) const {
  log::get("supervisors")
      .error("supervisor report", {{"supervisor", options_.path},
                                   {"context", context},
                                   {"reason", reason},
                                   {"child", simple() ? template_.id : c.id},
                                   {"pid", pid},
                                   {"module", c.kind->module},
                                   {"type", to_string(c.kind->type)},
                                   {"restart", to_string(c.kind->restart)},
                                   {"significant", c.kind->significant},
                                   {"shutdown", text_of(shutdown_of(*c.kind))},
                                   {"restarts", c.restarts}});
}

void supervisor::report(const char* context, const child& c, const caf::error& reason,
                        caf::actor_id pid) const {
  report(context, c, describe(reason), pid);
}

}  // namespace cafmcp::otp
