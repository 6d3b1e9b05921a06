#pragma once
// A server as the registry and sessions know it, native or not: a name, what it offers, and a way to run a
// call. It outlives the actor that stands for it in the tree, so that running calls don't notice a restart.

#include <functional>
#include <string>
#include <variant>

#include "actors/request.hpp"
#include "mcp/catalogue.hpp"

namespace cafmcp::actors {

/// What a server tells about itself while it is registered.
struct offers_changed {};
struct resource_updated {
  std::string uri;
};
using server_event = std::variant<offers_changed, resource_updated>;

/// The interface. Thread-safe.
class server {
 public:
  virtual ~server() = default;

  /// Unique in a node: `[A-Za-z0-9_.-]{1,63}`.
  virtual const std::string& name() const noexcept = 0;

  /// `native`, `stdio`, `url`.
  virtual const char* kind() const noexcept = 0;

  /// What it offers at the moment.
  virtual mcp::catalogue_content offers() const = 0;

  /// Runs a call: quickly in the calling thread (a context's, so nothing may block), or elsewhere. Sooner or
  /// later it calls `finish` of the request, once. What it throws becomes an error answer.
  virtual void run(request_ptr what) = 0;

  /// Who is told of changes from now on; null: nobody. Called on any thread.
  virtual void watch(std::function<void(server_event)> listener) = 0;
};

}  // namespace cafmcp::actors
