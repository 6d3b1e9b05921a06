#pragma once
// The cursor of a list: the name of the last item that was given out, with a check, in base64url. It holds no
// position, so that a list that changes between two pages is neither repeated nor skipped, and any node can
// go on where another began. Opaque to clients; not secret. Pure functions: thread-safe. MCP: Pagination.

#include <optional>
#include <string>
#include <string_view>

namespace cafmcp::mcp {

/// A cursor behind the item `name` of the list `list` (one character that names the list).
std::string make_cursor(char list, std::string_view name);

/// The name in a cursor of that list; nothing if it isn't one of ours.
std::optional<std::string> read_cursor(char list, std::string_view cursor);

}  // namespace cafmcp::mcp
