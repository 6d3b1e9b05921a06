#pragma once
// What a client does to its session, on the way from its connection to the session's actor. An input that is
// destroyed without having been read (its actor has died, or was going away, when it came) finds its way to
// the shard, which wakes the session and hands the input on; so nothing that a client sent is lost with an
// actor, and nothing is handled twice. Should the second try fail as well, the client is told to try again.
// Values move between threads, never shared.

#include <caf/allowed_unsafe_message_type.hpp>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "actors/session_directory.hpp"
#include "base/result.hpp"
#include "transport/gateway.hpp"

namespace cafmcp::actors {

class session_router;

/// One input.
struct session_input {
  enum class kind : std::uint8_t { message, attach, detach, end };

  kind what = kind::message;
  transport::incoming body = std::string{};  ///< what was sent, of a message
  transport::channel_ptr channel = {};       ///< where answers go; what is attached or detached
  std::vector<std::string> missed = {};      ///< of detach: messages that were not sent
  std::string last_event_id = {};            ///< of attach
  std::weak_ptr<void> link = {};             ///< attach: lives as long as the client is connected
  std::size_t where = 0;                     ///< the context of the client's connection
  unsigned waits = 0;                        ///< how often it has waited for the shard
  bool rerouted = false;                     ///< this is the second try
};

/// An input as a message to an actor.
class session_mail {
 public:
  session_mail() = default;
  session_mail(session_input what, entry_ptr to, std::shared_ptr<session_router> router)
      : box_(std::make_shared<box>(std::move(what), std::move(to), std::move(router))) {}

  /// Takes the input out: it is being handled.
  session_input take() { return box_->take(); }

 private:
  // Copies of a message share it.
  class box {
   public:
    box(session_input what, entry_ptr to, std::shared_ptr<session_router> router);
    box(const box&) = delete;
    box& operator=(const box&) = delete;
    ~box();
    session_input take();

   private:
    void settle() noexcept;

    session_input input_;
    entry_ptr entry_;
    std::shared_ptr<session_router> router_;
    bool taken_ = false;
  };

  std::shared_ptr<box> box_;
};

/// What could not be handled because a session or its shard is `unavailable` tries again for a second. After
/// that, and for other errors, the client is told that it may be sent again: by an error answer to each
/// request, or the end of a POST or stream. From any thread.
void refuse(const std::shared_ptr<session_router>& router, session_input input, const entry_ptr& entry,
            const error& why);

}  // namespace cafmcp::actors

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(cafmcp::actors::session_mail)
