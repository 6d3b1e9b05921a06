#pragma once
// A native MCP server: a name, and handlers for tools, resources, resource templates, prompts and
// completions. Fill one in, and give it to `run` (sdk/embed.hpp):
//
//   sdk::server weather{"weather"};
//   weather.tool({.name = "forecast",
//                 .description = "Tells the weather in a city.",
//                 .input_schema = {{"type", "object"},
//                                  {"properties", {{"city", {{"type", "string"}}}}},
//                                  {"required", {"city"}}}},
//                [](const sdk::json& arguments) { return "Sunny in " +
//                arguments.at("city").get<std::string>(); });
//
// A `server` is a handle: copies stand for the same server. Thread-safe, also while the server runs: what is
// added or removed then is told to the clients. A handler that captures its own server keeps it alive until
// that tool is removed.

#include <memory>
#include <string>
#include <string_view>

#include "mcp/definitions.hpp"
#include "sdk/handler.hpp"

namespace cafmcp::actors {
class server;
}

namespace cafmcp::sdk {

class blocking_pool;

namespace detail {
class native_server;
}

/// See above. Where a handler runs and what it looks like: sdk/handler.hpp.
class server {
 public:
  /// `name` is unique in a node: `[A-Za-z0-9_.-]{1,63}`.
  explicit server(std::string name, std::string version = {});

  const std::string& name() const noexcept;
  const std::string& version() const noexcept;

  /// Adds a tool. Its arguments are checked against `input_schema`, which clients get to see as it is; what
  /// the check doesn't know (keywords later than draft 7) is logged. An exception of the handler is a result
  /// with `isError`, and counts as a failure of the server.
  ///
  /// Errors, here and below: `invalid` (a schema or URI template that can't be used), `conflict` (there is
  /// one of that name or URI), `overloaded` (10,000 are there). They need not be looked at while the server
  /// is built: `attach`, and so `run`, fails with all of them.
  result<void> tool(mcp::tool definition, handler h);
  result<void> tool(std::string name, std::string description, mcp::json input_schema, handler h);

  /// Adds a resource, or a family of them. A template's variables, `{x}` and `{+x}`, are the call's
  /// arguments. A listed resource comes before a template, and templates are tried in their order as text.
  result<void> resource(mcp::resource definition, handler h);
  result<void> resource_template(mcp::resource_template definition, handler h);

  /// Adds a prompt. Its arguments are strings, and the required ones are there.
  result<void> prompt(mcp::prompt definition, handler h);

  /// Completes an argument of a prompt (by its name) or a variable of a resource template (by its text),
  /// which must have been added before; else `not_found`.
  result<void> completion(const std::string& of, const std::string& argument, completion_handler h);

  /// Removes it; calls that run go on. Error: `not_found`. Completions go with their prompt or template.
  result<void> remove_tool(std::string_view name);
  result<void> remove_resource(std::string_view uri);
  result<void> remove_resource_template(std::string_view uri_template);
  result<void> remove_prompt(std::string_view name);

  /// Tells the clients that subscribed to `uri` that it has changed.
  void resource_updated(std::string uri);

  /// The server for a node's registry, with the threads for its blocking handlers. Once; for whoever embeds
  /// a node. Errors, without the server's name: `invalid` (all errors made while building, or no pool),
  /// `conflict` (it is attached).
  result<std::shared_ptr<actors::server>> attach(std::shared_ptr<blocking_pool> pool);

 private:
  std::shared_ptr<detail::native_server> impl_;
};

}  // namespace cafmcp::sdk
