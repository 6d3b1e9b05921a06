#include "transport/actor_call.hpp"

namespace cafmcp::transport {

error to_error(const caf::error& reason) {
  const auto text = otp::describe(reason);
  if (reason == caf::sec::request_timeout)
    return fail(errc::timeout, "the actor did not answer in time; try again");
  if (reason == otp::exit_code::not_found)
    return fail(errc::not_found, text);
  if (reason == otp::exit_code::running)
    return fail(errc::conflict, text);
  if (reason == otp::exit_code::restarting || reason == otp::exit_code::stopping)
    return fail(errc::unavailable, text);
  if (reason == otp::exit_code::unknown_message || reason == otp::exit_code::bad_specification)
    return fail(errc::invalid, text);
  return fail(errc::unavailable, "the actor is gone: " + text);
}

}  // namespace cafmcp::transport
