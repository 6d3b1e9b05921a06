#pragma once
// The answer that most tool calls have, one text, as bytes without a JSON value in between: about ten times
// as fast as `finish` of the same result, and the same bytes. Pure function: thread-safe. MCP: Tools, Tool
// Result.

#include <string>
#include <string_view>

#include "mcp/call.hpp"

namespace cafmcp::mcp {

/// What `finish` says to a `call_result` with this text and nothing else, or with `structured`, the raw JSON
/// of an object, as its structured content too. Bytes that are not UTF-8 become U+FFFD.
std::string finish_text(const call& c, std::string_view text, bool is_error = false,
                        std::string_view structured = {});

}  // namespace cafmcp::mcp
