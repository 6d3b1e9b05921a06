#pragma once
// Writes an answer for the method that was called and the client's revision. Not for users. Pure function:
// thread-safe.

#include <string>

#include "sdk/running_call.hpp"

namespace cafmcp::sdk::detail {

/// The answer's bytes. Throws `std::invalid_argument` for an answer of another method's kind.
std::string render(const mcp::call& what, const offer_info& called, answer said);

}  // namespace cafmcp::sdk::detail
