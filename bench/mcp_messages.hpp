#pragma once
// The messages of an MCP client in the session era, built once: of a call only the id differs from the next,
// so that to make one is two copies and a number. `initialize` has the members, and so the size, that the
// client of the official TypeScript SDK sends: what a session costs the server depends on it. Pure and
// thread-safe.

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.hpp"

namespace cafmcp::bench {

/// The revision that is asked for.
inline constexpr std::string_view session_revision = "2025-11-25";

/// The id of `initialize`; calls have higher ones.
inline constexpr std::uint64_t initialize_id = 0;

struct mcp_messages {
  std::string initialize;
  std::string initialized;  ///< the notification
  std::string call_head;    ///< up to the id
  std::string call_tail;    ///< from behind it
};

/// Builds them for calls of `tool` with `arguments`. Errors: `invalid` when these are no JSON object, or when
/// the name is no UTF-8.
result<mcp_messages> build_messages(const std::string& tool, const std::string& arguments);

/// Appends the call with this id to `out`.
void append_call(const mcp_messages& messages, std::uint64_t id, std::string& out);

/// Appends a request to `out`: `head` (line and fields), `session` (fields), length, and `body`.
void append_request(std::string_view head, std::string_view session, std::string_view body, std::string& out);

/// The fields of every request in a session: its id, if there is one, and its revision.
std::string session_fields(std::string_view id, std::string_view revision);

/// The revision in an answer to `initialize`. Errors: `invalid` when there is none that could be sent back.
result<std::string> negotiated_revision(std::string_view answer);

}  // namespace cafmcp::bench
