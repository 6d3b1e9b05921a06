#pragma once
// How a connection talks to an actor, and is answered; the session path follows this. A connection and its
// actor live on the same context, so the way back is a plain call: the message carries the payload, moved,
// and a shared pointer to whoever asked, and the actor calls `sink::answer`. That is faster than anything
// with a message or a post on the way back, and simplest: neither side holds the other, so there is no cycle
// to break and no race at the end; a connection that is gone still takes the call and does nothing. Only this
// pair of files knows CAF's templates, and only the server's knows Beast's: together they take half a minute
// to compile.

#include <caf/actor.hpp>
#include <memory>
#include <string>

namespace cafmcp::otp {
class runtime;
}

namespace cafmcp::bench {

/// Whoever asks an actor.
class sink {
 public:
  virtual ~sink() = default;

  /// Takes the answer. On the actor's thread and from inside its handler: what may take long is only started.
  virtual void answer(std::string text) = 0;
};

/// Sends `text` to an echo actor, which gives it back to `from`. From any thread.
void ask(const caf::actor& to, std::string text, std::shared_ptr<sink> from);

/// An echo actor, for life on context number `index`.
caf::actor spawn_echo(otp::runtime& runtime, std::size_t index);

/// The same actor on the worker threads of a system that has CAF's own scheduler.
caf::actor spawn_echo(caf::actor_system& system);

/// Ends an actor, behind what was sent to it before; `actor` is empty afterwards.
void end_actor(caf::actor& actor);

}  // namespace cafmcp::bench
