#pragma once
// What the parts of `step` share: its arguments and the outcome they fill in. Internal to mcp. Lives on the
// stack of one `step`.

#include <array>
#include <string>
#include <string_view>
#include <utility>

#include "mcp/session.hpp"
#include "mcp/writer.hpp"

namespace cafmcp::mcp::detail {

/// One request in work.
struct context {
  const session_state& state;
  const message& msg;
  const catalogue& offers;
  const server_info& server;
  const step_options& options;
  outcome& result;

  void answer(std::string_view body) { result.out.push_back(write_result(msg.id(), body)); }
  void refuse(const rpc_error& e) { result.out.push_back(write_error(msg.id(), e)); }
  void change(change_kind kind, std::string bytes = {}) {
    result.changes.push_back({kind, std::move(bytes)});
  }
};

/// The text of a raw string; nothing if it is none.
std::optional<std::string> text_of(std::string_view raw);

/// Answers `initialize`.
void initialize(context& c);

/// The requests that run a handler: checks what can be checked without it, and fills in the call.
void call_tool(context& c);
void read_resource(context& c);
void get_prompt(context& c);
void complete(context& c);

}  // namespace cafmcp::mcp::detail
