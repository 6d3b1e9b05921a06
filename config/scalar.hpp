#pragma once
// One value, one member: parses a text as its kind, checks its range and stores it where the slot points.
// What a member held before stays if the text is wrong. Complaints are half sentences that follow the key,
// and say what to write instead. Free functions on the caller's objects: thread-compatible.

#include <string>

#include "config/schema.hpp"

namespace cafmcp::config {

/// Stores `value`; returns what is wrong with it, or nothing. `s` must hold a scalar, not a list or map.
std::string write_scalar(kind type, const range& bounds, const slot& s, const std::string& value);

/// What a value must be: `a size between 1KiB and 1GiB`, `one of text, json`.
std::string expectation(kind type, const range& bounds, const slot& s);

}  // namespace cafmcp::config
