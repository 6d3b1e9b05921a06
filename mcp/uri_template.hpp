#pragma once
// Which URIs a resource template can stand for. The server that owns the template takes the URI apart; here
// it is only decided whether one exists that could. Pure function: thread-safe. MCP: Resources, Templates.

#include <string_view>

namespace cafmcp::mcp {

/// Whether `uri` fits `uri_template` (RFC 6570): `{x}` stands for one or more characters other than `/`, `?`
/// and
/// `#`; expressions with an operator (`{+x}`, `{?x}`, `{/x*}`…) for any characters or none. Time is bounded
/// by the product of the two lengths.
bool matches_template(std::string_view uri_template, std::string_view uri);

}  // namespace cafmcp::mcp
