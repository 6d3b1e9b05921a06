#include "supervisors/exit_reason.hpp"

#include <caf/all.hpp>

namespace cafmcp::otp {

std::string to_string(exit_code code) {
  switch (code) {
    case exit_code::shutdown:
      return "shutdown";
    case exit_code::crashed:
      return "crashed";
    case exit_code::start_failed:
      return "start_failed";
    case exit_code::noproc:
      return "noproc";
    case exit_code::restarting:
      return "restarting";
    case exit_code::not_found:
      return "not_found";
    case exit_code::running:
      return "running";
    case exit_code::already_present:
      return "already_present";
    case exit_code::already_started:
      return "already_started";
    case exit_code::simple_one_for_one:
      return "simple_one_for_one";
    case exit_code::bad_specification:
      return "bad_specification";
    case exit_code::stopping:
      return "stopping";
    case exit_code::unknown_message:
      return "unknown_message";
    case exit_code::timeout:
      return "timeout";
    case exit_code::killed:
      return "killed";
  }
  return "unknown";
}

bool is_normal_exit(const caf::error& reason) {
  return !reason || reason == caf::exit_reason::normal || reason == caf::exit_reason::user_shutdown ||
         reason == exit_code::shutdown;
}

caf::error make_exit(exit_code code, const std::string& context) {
  return context.empty() ? caf::make_error(code) : caf::make_error(code, context);
}

caf::error make_already_started(const std::string& who, const caf::actor& actor) {
  return caf::make_error(exit_code::already_started, who, actor);
}

caf::actor running_child(const caf::error& why) {
  for (std::size_t i = 0; why && i < why.context().size(); ++i)
    if (why.context().match_element<caf::actor>(i))
      return why.context().get_as<caf::actor>(i);
  return nullptr;
}

std::string describe(const caf::error& reason) {
  if (!reason)  // an empty error has no code to look at
    return "normal";
  const auto text = [&] {
    std::string context;
    for (std::size_t i = 0; i < reason.context().size(); ++i)
      if (reason.context().match_element<std::string>(i))
        context += (context.empty() ? "" : " ") + reason.context().get_as<std::string>(i);
    return context;
  }();
  std::string name;
  if (reason.category() == caf::atom("otp"))
    name = to_string(static_cast<exit_code>(reason.code()));
  else if (reason.category() == caf::atom("exit"))
    name = caf::to_string(static_cast<caf::exit_reason>(reason.code()));
  else if (reason.category() == caf::atom("system"))
    name = caf::to_string(static_cast<caf::sec>(reason.code()));
  else  // another library's: its text, if it has one, says more than its number
    name =
        caf::to_string(reason.category()) + (text.empty() ? " error " + std::to_string(reason.code()) : "");
  return text.empty() ? name : name + ": " + text;
}

}  // namespace cafmcp::otp
