#pragma once
// The way back: the value of a key as text that the loader would read again, for `cafmcpctl config`, for
// `--help`, and to see what a reload changes. Pure functions: thread-safe.

#include <string>

#include "config/schema.hpp"

namespace cafmcp::config {

/// The value in its canonical form; lists and servers as JSON, which is YAML too. Secrets stand there as they
/// are.
std::string text(const key<settings>& k, const settings& s);

/// `text` with secrets as `***`: for people and logs.
std::string shown(const key<settings>& k, const settings& s);

}  // namespace cafmcp::config
