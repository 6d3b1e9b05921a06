#pragma once
// The registry knows which servers there are and makes the snapshot that all sessions read
// (`registry_view`). A server's actor says that it is there (`register_server`); should it die, its offers
// stay for a grace time, because a restart is a matter of milliseconds and clients should not see lists come
// and go. Changes are collected for a moment before sessions are told.

#include <caf/allowed_unsafe_message_type.hpp>
#include <memory>
#include <string>
#include <unordered_map>

#include "actors/registry_view.hpp"
#include "actors/session.hpp"
#include "supervisors/base_actor.hpp"

namespace cafmcp::actors {

/// A server's actor is there → `result<void>` as `registered`; again whenever its offers have changed.
struct register_server {
  std::shared_ptr<server> impl;
  caf::actor who;
};

/// The answer. Errors: `invalid` (its offers make no sense), `conflict` (a name that another server has).
struct registered {
  result<void> outcome;
};

/// The actor.
class registry final : public otp::base_actor {
 public:
  static constexpr std::chrono::milliseconds grace{5'000};  ///< for a server's actor to come back
  static constexpr std::chrono::milliseconds debounce{50};  ///< before sessions hear of changes
  static constexpr std::size_t max_servers = 1024;

  registry(caf::actor_config& config, std::shared_ptr<registry_view> view,
           std::shared_ptr<session_router> router);

  const char* name() const override { return "registry"; }
  caf::behavior make_behavior() override;

 protected:
  void handle_down(const caf::down_msg& down) override;

 private:
  result<void> add(const register_server& what);
  result<void> publish(registry_snapshot next);
  void lost(const std::string& server);
  void give_up(const std::string& server);

  const std::shared_ptr<registry_view> view_;
  const std::shared_ptr<session_router> router_;
  std::unordered_map<std::string, caf::actor_addr> actors_;  // by server
  lists_changed changed_;
  bool tell_waits_ = false;
};

}  // namespace cafmcp::actors

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(cafmcp::actors::register_server)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(cafmcp::actors::registered)
