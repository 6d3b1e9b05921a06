#pragma once
// Invariants: assertions that stay on in Release. A broken invariant ends the process with a message that
// names the place, because going on would put wrong state on disk or on other nodes. Thread-safe.

namespace cafmcp {

/// Prints `expression` and its place to standard error and aborts.
[[noreturn]] void assertion_failed(const char* expression, const char* file, int line) noexcept;

}  // namespace cafmcp

/// Ends the process if `expression` is false. Never for bad input: that gets an error.
#define CAFMCP_ASSERT(expression) \
  ((expression) ? static_cast<void>(0) : ::cafmcp::assertion_failed(#expression, __FILE__, __LINE__))
