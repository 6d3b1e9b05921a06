// How a native server runs a call: find what is called, read and check the arguments, run it where it
// belongs.
#include <algorithm>

#include "mcp/call.hpp"
#include "sdk/native_server.hpp"

namespace cafmcp::sdk::detail {

namespace {

using mcp::method;

// The arguments as a value; null: they can't be held.
json parsed(const mcp::call& c) {
  auto value = json::parse(c.arguments, nullptr, false);
  return value.is_object() ? std::move(value) : json();
}

bool is_text(const json& object, const char* key) {
  const auto at = object.find(key);
  return at != object.end() && at->is_string();
}

constexpr const char* unreadable = "arguments cannot be read; is a number out of range?";

}  // namespace

void native_server::run(actors::request_ptr what) {
  if (what->cancelled())
    return what->finish(mcp::finish(what->call(), mcp::internal_error("the request was cancelled")));
  auto [called, arguments] = prepare(*what);
  if (called == nullptr)
    return;
  auto running = std::make_shared<running_call>(std::move(what), called->info, std::move(arguments));
  if (called->runs == place::blocking)
    return start_blocking(std::move(running), std::move(called));
  const session_turn turn;
  running_call::run(running, *called);
}

native_server::prepared native_server::prepare(actors::request& r) const {
  switch (r.call().method) {
    case method::tools_call:
      return prepare_tool(r);
    case method::resources_read:
      return prepare_resource(r);
    case method::prompts_get:
    case method::completion_complete:
      return prepare_named(r);
    default:
      r.finish(mcp::finish(r.call(), mcp::method_not_found(mcp::to_string(r.call().method))));
      return {};
  }
}

native_server::prepared native_server::prepare_tool(actors::request& r) const {
  const auto& c = r.call();
  prepared out;
  {
    const std::lock_guard lock{mutex_};
    if (const auto at = tools_.find(c.name); at != tools_.end())
      out.called = at->second.called;
  }
  if (out.called == nullptr) {
    r.finish(mcp::finish(c, mcp::unknown_tool(c.name)));
    return {};
  }
  out.arguments = parsed(c);
  if (out.arguments.is_null()) {
    r.finish(mcp::finish_bad_arguments(c, unreadable));
    return {};
  }
  if (const auto good = out.called->check.check(out.arguments); !good) {
    r.finish(mcp::finish_bad_arguments(c, good.error().message));
    return {};
  }
  return out;
}

native_server::prepared native_server::prepare_resource(actors::request& r) const {
  const auto& uri = r.call().name;
  {
    const std::lock_guard lock{mutex_};
    if (const auto at = resources_.find(uri); at != resources_.end())
      return {at->second.called, json::object()};
    for (const auto& [key, what] : templates_)
      if (auto variables = what.pattern.match(uri))
        return {what.called, std::move(*variables)};
  }
  r.finish(mcp::finish(r.call(), mcp::resource_not_found(uri)));
  return {};
}

offer_ptr native_server::find_named(const mcp::call& c, const json& arguments) const {
  const std::lock_guard lock{mutex_};
  if (c.method == method::prompts_get) {
    const auto at = prompts_.find(c.name);
    return at == prompts_.end() ? nullptr : at->second.called;
  }
  const auto at = completions_.find({c.name, arguments.value("name", "")});
  return at == completions_.end() ? nullptr : at->second;
}

native_server::prepared native_server::prepare_named(actors::request& r) const {
  const auto& c = r.call();
  prepared out{nullptr, parsed(c)};
  if (out.arguments.is_null()) {
    r.finish(mcp::finish_bad_arguments(c, unreadable));
    return {};
  }
  if (c.method == method::completion_complete &&
      !(is_text(out.arguments, "name") && is_text(out.arguments, "value"))) {
    r.finish(mcp::finish_bad_arguments(c, "name and value of the argument are strings"));
    return {};
  }
  out.called = find_named(c, out.arguments);
  if (out.called == nullptr)
    // An argument without a completion has no values; that is no error.
    r.finish(c.method == method::prompts_get ? mcp::finish(c, mcp::unknown_prompt(c.name))
                                             : mcp::finish(c, mcp::completion_result{}));
  return out;
}

void native_server::start_blocking(std::shared_ptr<running_call> running, offer_ptr called) const {
  const auto threads = pool();
  if (threads == nullptr)
    return running->reply(mcp::internal_error("server " + name_ + " is not attached to a node"));
  const auto t = threads->next_ticket();
  // Before the job is submitted: once it runs, the callback is the handler's.
  running->request().on_cancel([weak = std::weak_ptr{threads}, t] {
    if (const auto p = weak.lock())
      p->drop(t);
  });
  const bool waits = threads->submit(t, [running, called = std::move(called)] {
    running->request().on_cancel({});
    if (!running->request().cancelled())
      running_call::run(running, *called);
  });
  if (!waits)
    running->reply(mcp::unavailable("the server is busy, too many calls wait for a thread"));
}

}  // namespace cafmcp::sdk::detail
