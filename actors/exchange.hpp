#pragma once
// Where the answers to a client's message go, while they are awaited: one POST, or the WebSocket of the
// session, which is one endless exchange. Its channel comes and goes: a WebSocket that drops leaves the
// exchange without one, and the next socket takes its place. Belongs to its session's actor.

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "transport/gateway.hpp"

namespace cafmcp::actors {

/// One exchange.
struct exchange {
  transport::channel_ptr channel;    ///< null: the client is gone
  bool socket = false;               ///< the session's WebSocket
  bool batch = false;                ///< answers are collected into one array
  bool over_socket = false;          ///< a batch that came over the WebSocket
  std::uint64_t stream = 0;          ///< number in event ids; 0: no events yet
  std::uint32_t open = 0;            ///< requests without an answer
  std::vector<std::string> answers;  ///< of a batch
};

using exchange_ptr = std::shared_ptr<exchange>;

/// An event id: the epoch of the session's owner, the stream, and the message's number in the session.
struct event_id {
  std::uint64_t epoch = 0;
  std::uint64_t stream = 0;
  std::uint64_t number = 0;

  bool operator==(const event_id&) const = default;
};

std::string to_string(const event_id& id);

/// Reads one back; all zero (which none is) for what isn't ours.
event_id parse_event_id(std::string_view text) noexcept;

}  // namespace cafmcp::actors
