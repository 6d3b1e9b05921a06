#pragma once
// What all sessions of a node share: where records are kept, what is offered, how messages travel, and the
// bounds. Made once by the node; immutable, and what it points to is thread-safe.

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "actors/registry_view.hpp"
#include "actors/session_directory.hpp"
#include "actors/session_router.hpp"
#include "mcp/session.hpp"
#include "persistence/session_store.hpp"

namespace cafmcp::actors {

/// Bounds of sessions, and of each of them. All greater than zero.
struct session_limits {
  std::uint64_t sessions = 1'000'000;       ///< in the store; more are refused
  std::uint64_t active_sessions = 100'000;  ///< with an actor; over it, those unused longest go before `idle`
  std::chrono::milliseconds ttl{3'600'000};  ///< without a sign of life; then it ends
  std::chrono::milliseconds idle{300'000};   ///< without a message or connection; then the actor goes
  std::chrono::milliseconds greeting_timeout{60'000};  ///< for `initialize` to come
  std::chrono::milliseconds replay_delay{100};         ///< what a resumed WebSocket missed is sent after that
  std::chrono::milliseconds prime_after{50};           ///< an answer that takes longer can be resumed
  std::uint64_t message_bytes = 16ull << 20;  ///< one message to a client; a larger answer is an error
  std::uint32_t running_calls = 1024;         ///< calls at a time; more are refused with an error
  std::uint32_t queued_messages = 4096;       ///< messages that wait for the actor
  std::uint64_t queued_bytes = 32ull << 20;   ///< the same in bytes; one message always fits
  std::uint32_t outbound_messages = 256;      ///< kept for a resume; the oldest are forgotten
  std::uint64_t outbound_bytes = 1ull << 20;  ///< the same in bytes; the newest is kept in any case
  std::uint32_t batch_messages = 64;          ///< in a JSON-RPC batch
};

/// See above.
struct session_environment {
  std::shared_ptr<persistence::session_store> store;
  std::shared_ptr<registry_view> registry;
  std::shared_ptr<session_router> router;
  std::shared_ptr<const node_identity> node;
  mcp::server_info server;
  session_limits limits;

  /// Where a client resumes a session, with the id in place of `{id}`; empty: not said.
  std::string resume_url;

  /// Milliseconds since 1970, UTC.
  std::function<std::int64_t()> now_ms = [] {
    return std::chrono::duration_cast<std::chrono::milliseconds>(
               std::chrono::system_clock::now().time_since_epoch())
        .count();
  };
};

using environment_ptr = std::shared_ptr<const session_environment>;

}  // namespace cafmcp::actors
