#pragma once
// All that is known of a session, and `apply`, the only way to change it: a pure function, so the same
// operations in the same order make the same record on every node. An operation that can't be carried out is
// an error and changes nothing. Values: thread-compatible.

#include <cstdint>
#include <deque>
#include <map>
#include <string>

#include "base/result.hpp"
#include "mcp/session_state.hpp"
#include "persistence/operation.hpp"

namespace cafmcp::persistence {

/// A message that was sent, or is to be sent, kept for a client that resumes.
struct outbound_entry {
  std::uint64_t number = 0;  ///< one more than the one before; never used twice in a session
  std::string stream;
  std::string bytes;

  bool operator==(const outbound_entry&) const = default;
};

/// The record.
struct session_record {
  std::string id;
  std::string principal;
  std::int64_t created_ms = 0;
  std::int64_t last_active_ms = 0;
  std::uint64_t epoch = 0;  ///< of the last operation
  std::uint64_t seq = 0;    ///< of the last operation; 0: no session yet
  bool ended = false;
  mcp::session_state protocol;
  std::map<std::string, std::string, std::less<>> user;  ///< key → raw JSON
  std::deque<outbound_entry> outbound;
  std::uint64_t last_outbound = 0;

  bool operator==(const session_record&) const = default;
};

/// Bounds of a record; an operation that would break one is refused.
inline constexpr std::size_t max_user_keys = 1024;
inline constexpr std::size_t max_key_bytes = 512;
inline constexpr std::size_t max_value_bytes = 1 << 20;

/// Carries out an operation. Errors: `conflict` for a number or epoch that doesn't follow or a session that
/// has ended, `invalid` for bytes that make no sense, `overloaded` for a bound.
result<void> apply(session_record& record, const operation& op);

}  // namespace cafmcp::persistence
