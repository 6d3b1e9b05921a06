#pragma once
// The dated revisions of MCP, in order, and what each of them knows. Session-era revisions are opened by
// `initialize` and negotiated; 2026-07-28 and later are stateless and never the outcome of a negotiation.
// Everything that depends on a revision asks `has`, so that a new one means a new row there. Pure functions:
// thread-safe. MCP: Versioning; Lifecycle, Version Negotiation.

#include <optional>
#include <string_view>

namespace cafmcp::mcp {

/// A revision of the protocol; later ones compare greater. The numbers are stable: they are on disk.
enum class revision : unsigned char {
  v2024_11_05 = 1,
  v2025_03_26 = 2,
  v2025_06_18 = 3,
  v2025_11_25 = 4,
  v2026_07_28 = 5,
};

inline constexpr revision first_session_revision = revision::v2024_11_05;
inline constexpr revision last_session_revision = revision::v2025_11_25;
inline constexpr revision all_session_revisions[] = {revision::v2024_11_05, revision::v2025_03_26,
                                                     revision::v2025_06_18, revision::v2025_11_25};

/// Something that not every revision knows.
enum class feature : unsigned char {
  session,                 ///< initialize, sessions, requests from server to client
  batches,                 ///< JSON-RPC arrays (2025-03-26 alone)
  audio,                   ///< audio content
  tool_annotations,        ///< hints such as readOnlyHint
  progress_message,        ///< `message` in notifications/progress
  completions_capability,  ///< `completions` among the capabilities
  structured_content,      ///< structuredContent and outputSchema
  resource_link,           ///< content that points to a resource
  titles,                  ///< `title` on tools, resources, prompts and implementations
  meta_on_types,           ///< `_meta` on definitions and content
  completion_context,      ///< arguments already resolved, in completion/complete
  elicitation,             ///< elicitation/create
  url_elicitation,         ///< elicitation by a URL
  icons,                   ///< icons on definitions and implementations
  tasks,                   ///< experimental tasks in the core protocol
  input_error_as_result,   ///< bad tool input is a result with isError, not a JSON-RPC error
};

/// The date of a revision, as `protocolVersion` carries it.
std::string_view to_string(revision r) noexcept;

/// The revision of a date; nothing if it is none that this server knows.
std::optional<revision> parse_revision(std::string_view text) noexcept;

/// What `initialize` answers to a client that asks for `requested`: the same if it is of the session era,
/// else the latest of the session era. Never 2026-07-28.
revision negotiate(std::string_view requested) noexcept;

/// Whether revision `r` knows `f`.
bool has(revision r, feature f) noexcept;

}  // namespace cafmcp::mcp
