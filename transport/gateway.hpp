#pragma once
// The border between transports and sessions: bytes on one side, MCP on the other. A transport (WebSocket,
// Streamable HTTP) knows sockets, frames and status codes, and nothing of sessions; whoever implements
// `gateway` knows sessions, and nothing of sockets. Each message that a client sends goes to a `session_port`
// together with the `client_channel` that answers to it belong to; a session sends through channels only.
//
// Threads: a channel belongs to its connection's context and is used on that thread only, so whoever lives
// elsewhere posts there first (`client_channel::context`). A session_port may be called from any thread.

#include <boost/asio/awaitable.hpp>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "mcp/message.hpp"

namespace cafmcp::transport {

/// One message for a client.
struct outgoing {
  /// One JSON-RPC object (or a batch, where a batch was asked), no newlines. Empty with an `event_id`: a
  /// priming event, which makes the answer of a POST a stream; not for WebSockets.
  std::string bytes;
  /// For SSE: names stream and position, unique in the session, no line ends. Empty: can't be replayed.
  std::string event_id;
  std::uint32_t retry_ms = 0;       ///< for SSE: when the client should connect anew; 0: not said
  std::uint16_t http_status = 200;  ///< of the answer, if this is all that a POST is answered with
};

/// What a client has sent: a message that the transport has parsed already, or bytes as they came.
class incoming {
 public:
  incoming(std::string bytes) : bytes_(std::move(bytes)) {}
  incoming(mcp::message message) : message_(std::move(message)) {}

  const std::string& bytes() const noexcept { return message_ ? message_->bytes() : bytes_; }

  /// The message, parsed now if it was not; once.
  mcp::parsed parse(const mcp::parse_limits& limits = {}) {
    if (message_)
      return std::move(*message_);
    return mcp::parse(std::move(bytes_), limits);
  }

 private:
  std::optional<mcp::message> message_;
  std::string bytes_;
};

/// Why a channel is closed by the session.
enum class channel_end : std::uint8_t {
  complete,    ///< all that was asked has been answered; or (POST) the rest comes by another stream
  replaced,    ///< the client has connected anew (WebSocket 1000)
  going_away,  ///< shutdown or hand-over (WebSocket 1001)
  refused,     ///< the client broke a rule (WebSocket 1008)
  ended,       ///< the session is over (WebSocket 1000)
};

/// Where messages to a client go: a WebSocket, the answer to one POST, or the stream of a GET. Held by the
/// session weakly or shared; after its end sending is a no-op that returns false.
class client_channel {
 public:
  virtual ~client_channel() = default;

  /// The context (of the runtime's pool) on whose thread this channel must be used.
  virtual std::size_t context() const noexcept = 0;

  /// Whether this is a WebSocket: it carries all of a session, in both directions, and knows no event ids.
  virtual bool is_socket() const noexcept = 0;

  /// Sends a message, or queues it behind what the client has not taken yet. False if the channel is gone or
  /// its backlog is full, in which case it is being cut: the message is left as it was, to be kept for a
  /// resume.
  virtual bool send(outgoing&& message) = 0;

  /// Nothing more will come.
  virtual void close(channel_end why) = 0;
};

using channel_ptr = std::shared_ptr<client_channel>;

/// A session, as transports see it.
class session_port {
 public:
  virtual ~session_port() = default;

  /// The session's id (visible ASCII), for `Mcp-Session-Id` and resuming.
  virtual const std::string& id() const noexcept = 0;

  /// Takes what the client has sent: also bytes that are no JSON. Answers go to `reply_to`, which is
  /// closed with `complete` when nothing more belongs to it, if it is the channel of one POST; it is null for
  /// a POST that holds no request, which is answered 202 at once. A first message that is followed by `close`
  /// in the same turn of the channel's context, or soon, becomes one JSON body, all else a stream. False if
  /// the session is overloaded: the caller answers 503 or closes with 1013.
  virtual bool receive(incoming what, channel_ptr reply_to) = 0;

  /// A channel for whatever belongs to no request: the WebSocket itself, or the stream of a GET. Replaces the
  /// one before. Messages after `last_event_id` (empty: none was seen) are sent again first.
  virtual void attach(channel_ptr channel, std::string last_event_id) = 0;

  /// The client's connection is gone, which cancels nothing; the session lives on until its expiry. Called
  /// once for every channel that was given to `attach` or `receive` and has not been closed by the session,
  /// or of whose messages some were taken and never sent: `missed`, in their order.
  virtual void detach(const channel_ptr& channel, std::vector<std::string> missed) = 0;

  /// The client ends the session (DELETE).
  virtual void end() = 0;
};

/// Who wants a session.
struct session_request {
  std::string principal;   ///< who the client is; empty: anonymous
  std::string session_id;  ///< to resume; empty: a new one
};

/// Finds and makes sessions. Its functions are called on a context's thread and resume there.
class gateway {
 public:
  virtual ~gateway() = default;

  /// A new session, on the calling context. Errors: `overloaded`, `unavailable` (503).
  virtual boost::asio::awaitable<result<std::shared_ptr<session_port>>> create(session_request request) = 0;

  /// An existing one. Errors: `not_found` (404, final for clients), `denied` (404 as well: another
  /// principal's), `unavailable` and `overloaded` (503, Retry-After).
  virtual boost::asio::awaitable<result<std::shared_ptr<session_port>>> find(session_request request) = 0;
};

}  // namespace cafmcp::transport
