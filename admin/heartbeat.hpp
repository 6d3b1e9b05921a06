#pragma once
// One actor for each context that says every half second: this context still runs what it is given. A context
// whose thread hangs goes silent, and health checks see it.

#include <memory>

#include "admin/node_status.hpp"
#include "supervisors/base_actor.hpp"

namespace cafmcp::admin {

/// The actor; it speaks for the context that it was spawned on.
class heartbeat final : public otp::base_actor {
 public:
  static constexpr std::chrono::milliseconds interval{500};

  heartbeat(caf::actor_config& config, std::shared_ptr<node_status> status)
      : base_actor(config), status_(std::move(status)) {}

  const char* name() const override { return "heartbeat"; }

  caf::behavior make_behavior() override {
    beat();
    return {[](caf::ping_atom) { return caf::pong_atom_v; }};
  }

 private:
  void beat() {
    const auto now = node_status::clock::now();
    const auto late = due_ == node_status::clock::time_point{} ? std::chrono::nanoseconds{0} : now - due_;
    status_->beat(home()->index(), now, late);
    due_ = now + interval;
    start_timer(interval, [this] { beat(); });
  }

  std::shared_ptr<node_status> status_;
  node_status::clock::time_point due_{};
};

}  // namespace cafmcp::admin
