#pragma once
// JSON text, piece by piece: strings escaped and unescaped, raw values put into a message. What is appended
// is always one line, because stdio and SSE end a message at a newline. Pure functions: thread-safe.

#include <string>
#include <string_view>

namespace cafmcp::mcp {

/// Appends `s` as a JSON string with its quotes. Bytes that are not UTF-8 become U+FFFD.
void append_string(std::string& out, std::string_view s);

/// Appends `raw`, which must be valid JSON, with line ends between its tokens turned into spaces.
void append_raw(std::string& out, std::string_view raw);

/// The characters that `inside` stands for: the inside of a JSON string that was found valid, without quotes.
std::string unescape(std::string_view inside);

}  // namespace cafmcp::mcp
