#pragma once
// Bytes as text, as JSON needs them: the alphabet of RFC 4648, with padding. Pure functions.

#include <optional>
#include <string>
#include <string_view>

namespace cafmcp::cluster {

/// `bytes` as base64.
std::string to_base64(std::string_view bytes);

/// The bytes; nothing if `text` is not base64, to the last character.
std::optional<std::string> from_base64(std::string_view text);

}  // namespace cafmcp::cluster
