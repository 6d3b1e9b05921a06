#pragma once
// What the protocol remembers of a session, and the only way to change it: `apply` of a small change. Changes
// are what is stored and replicated, so the same changes in the same order give the same state on every node.
// Their kinds and bytes are on disk: kinds are never renumbered, and one that this version doesn't know is an
// error and changes nothing. Value types and pure functions: thread-compatible. MCP: Lifecycle.

#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "mcp/methods.hpp"
#include "mcp/revision.hpp"

namespace cafmcp::mcp {

/// Where a session is in its life. `initializing`: `initialize` was answered, `notifications/initialized`
/// hasn't come.
enum class session_phase : unsigned char { fresh, initializing, ready };

/// Severities of notifications/message, in rising order (RFC 5424).
enum class log_level : unsigned char { debug, info, notice, warning, error, critical, alert, emergency };

std::string_view to_string(log_level l) noexcept;
std::optional<log_level> parse_log_level(std::string_view text) noexcept;

/// See above.
struct session_state {
  session_phase phase = session_phase::fresh;
  mcp::revision version = last_session_revision;     ///< as negotiated
  capability_set offered = 0;                        ///< what `initialize` said that the server has
  std::string client_info;                           ///< raw JSON object; empty before `initialize`
  std::string client_capabilities;                   ///< raw JSON object
  std::optional<log_level> min_level;                ///< nothing: the client hasn't said, so all is sent
  std::set<std::string, std::less<>> subscriptions;  ///< URIs

  bool operator==(const session_state&) const = default;
};

/// What a change does.
enum class change_kind : unsigned char {
  initialize = 1,           ///< bytes: the revision; begins `initializing`, keeps subscriptions and level
  offered = 2,              ///< bytes: the set in decimal
  client_info = 3,          ///< bytes: raw JSON
  client_capabilities = 4,  ///< bytes: raw JSON
  ready = 5,                ///< no bytes
  log_level = 6,            ///< bytes: its name
  subscribe = 7,            ///< bytes: the URI
  unsubscribe = 8,          ///< bytes: the URI
};

/// A change, as it is stored.
struct change {
  change_kind kind;
  std::string bytes;

  bool operator==(const change&) const = default;
};

/// Carries out a change. Error `invalid`: its kind or bytes are unknown, and the state is as it was.
cafmcp::result<void> apply(session_state& state, const change& c);

/// The changes that make `state` out of a fresh one, in an order that depends on nothing else.
std::vector<change> changes_of(const session_state& state);

/// What the client declared, of the capabilities that a server may use.
capability_set declared(const session_state& state) noexcept;

}  // namespace cafmcp::mcp
