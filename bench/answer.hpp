#pragma once
// The least that any MCP server does with a message: parse it, find id and text, build the JSON-RPC answer.
// The text is `params.arguments.message`, as the tool `echo` has it. Pure and thread-safe.

#include <string>
#include <string_view>

namespace cafmcp::bench {

/// Appends the answer to `message` to `out`: a result, or an error for what is no JSON object. A notification
/// (no id) has no answer: then nothing is appended and the result is false.
bool append_answer(std::string_view message, std::string& out);

}  // namespace cafmcp::bench
