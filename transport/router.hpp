#pragma once
// Which handler answers which path and method. Exact paths go before prefixes, and longer prefixes before
// shorter ones; paths are compared as they are sent, without percent-decoding. HEAD goes to the handler of
// GET (the server leaves the body out), OPTIONS is answered with what is allowed, and what nobody handles
// gets 404 or 405 as small JSON. Fill it in first; from then on it is only read, so that all contexts may
// share it without a lock.

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "transport/http.hpp"

namespace cafmcp::transport {

/// The table of routes.
class router {
 public:
  /// For `add`: every method that has no handler of its own.
  static constexpr http::verb any = http::verb::unknown;

  /// Handles `method` on exactly this path, which begins with '/'. A second handler for the same replaces the
  /// first.
  router& add(http::verb method, std::string_view path, handler f);

  /// Handles `method` on every path that begins with `prefix`, which begins and ends with '/'; the handler
  /// finds what follows in `request::tail`.
  router& add_prefix(http::verb method, std::string_view prefix, handler f);

  /// Adds routes for GET (and so HEAD) and POST.
  router& get(std::string_view path, handler f) { return add(http::verb::get, path, std::move(f)); }
  router& post(std::string_view path, handler f) { return add(http::verb::post, path, std::move(f)); }

  /// Marks a path whose clients read JSON-RPC: what the server itself refuses there has such a body too.
  router& json_rpc(std::string_view path);

  /// Whether a path, which need not have a route, is marked so.
  bool is_json_rpc(std::string_view path) const noexcept;

  /// The handler of a request; sets its `tail`. Null if there is none: `res` then holds the answer.
  const handler* find(request& req, response& res) const;

 private:
  struct route {
    std::vector<std::pair<http::verb, handler>> methods;
    bool json_rpc = false;

    void set(http::verb method, handler f);
    const handler* get(http::verb method) const noexcept;
    std::string allowed() const;
  };
  struct hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const noexcept {
      return std::hash<std::string_view>{}(text);
    }
  };

  const route* lookup(request& req) const noexcept;

  std::unordered_map<std::string, route, hash, std::equal_to<>> exact_;
  std::vector<std::pair<std::string, route>> prefixes_;  // longest first
};

}  // namespace cafmcp::transport
