#pragma once
// Results across module borders: a value, or an error that says what, where and what to do. Exceptions are
// used only where a library throws, and are caught at the border. Value types: thread-compatible.

#include <boost/system/result.hpp>
#include <stdexcept>
#include <string>
#include <utility>

namespace cafmcp {

/// What kind of failure this is: enough to choose an exit code, an HTTP status or a retry.
enum class errc : unsigned char {
  invalid,      ///< the caller's input is wrong; the message says where
  not_found,    ///< no such thing
  conflict,     ///< it exists already, or its state does not allow this
  unavailable,  ///< not now; may work later, so a retry makes sense
  overloaded,   ///< a bound was reached; retry later
  timeout,      ///< the other side did not answer in time
  denied,       ///< not allowed
  io,           ///< the operating system refused: file, socket, process
  internal,     ///< a fault of this program
};

/// The name of a code, as logs and the admin API show it.
const char* to_string(errc code) noexcept;

/// A failure with a message for a person.
struct error {
  errc code = errc::internal;
  std::string message;
};

/// Whether the same call may succeed later without a change by the caller.
inline bool retryable(const error& e) noexcept {
  return e.code == errc::unavailable || e.code == errc::overloaded || e.code == errc::timeout;
}

/// A `T`, or an `error`.
template <class T>
using result = boost::system::result<T, error>;

/// Called by `result<T>::value()` on an error: a programming mistake, since callers check first.
[[noreturn]] inline void throw_exception_from_error(const error& e, const boost::source_location&) {
  throw std::runtime_error(e.message);
}

/// An error for `return fail(errc::invalid, "…")`.
inline error fail(errc code, std::string message) {
  return error{code, std::move(message)};
}

}  // namespace cafmcp
