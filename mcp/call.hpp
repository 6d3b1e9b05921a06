#pragma once
// Work for a request worker: what `step` doesn't answer by itself, because a handler has to run. A call owns
// all that the handler and the answer need, so it can go to another actor or node while its session goes on;
// `finish` turns what came out into the bytes of the answer. Value type, thread-compatible; `finish` is pure.
// MCP: Tools, Calling; Resources, Reading; Prompts, Getting; Completion.

#include <string>
#include <string_view>

#include "base/result.hpp"
#include "mcp/content.hpp"
#include "mcp/errors.hpp"
#include "mcp/methods.hpp"

namespace cafmcp::mcp {

/// What has to be run.
struct call {
  mcp::method method = mcp::method::tools_call;
  mcp::revision version = last_session_revision;
  std::string id = {};    ///< raw, as the client wrote it
  std::string name = {};  ///< of the tool or prompt; the URI to read; what is completed: prompt or template
  std::string arguments = {};  ///< raw object; for completion/complete `{"name":…,"value":…}`
  std::string context = {};    ///< completion/complete: raw object of arguments already chosen; empty: none
  std::string progress_token = {};  ///< raw; empty: the client wants no progress
  std::string meta = {};            ///< raw `_meta`, for trace context and own keys; empty: none

  bool operator==(const call&) const = default;
};

/// The arguments as a value. Error `invalid` for numbers beyond a double: valid JSON that no handler could
/// hold.
cafmcp::result<json> parsed_arguments(const call& c);

/// The answer, by the call's revision.
std::string finish(const call& c, const call_result& x);
std::string finish(const call& c, const read_result& x);
std::string finish(const call& c, const prompt_result& x);
std::string finish(const call& c, const completion_result& x);
std::string finish(const call& c, const rpc_error& e);

/// The answer from a raw result, passed through.
std::string finish_raw(const call& c, std::string_view raw_result);

/// The answer to arguments that a tool doesn't take: a result with `isError` that the model can read, from
/// 2025-11-25 on; -32602 before.
std::string finish_bad_arguments(const call& c, std::string_view detail);

}  // namespace cafmcp::mcp
