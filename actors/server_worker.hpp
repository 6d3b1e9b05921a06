#pragma once
// The actor that stands for a native server in the tree: it tells the registry that the server is there, and
// of its changes. The server itself is an object that outlives it, and calls don't pass through here, so its
// death costs nobody anything. It starts when the registry has taken the server, and fails to start if the
// registry refuses.

#include <memory>

#include "actors/server.hpp"
#include "actors/session_router.hpp"
#include "supervisors/base_actor.hpp"
#include "supervisors/name_table.hpp"

namespace cafmcp::actors {

/// The actor.
class server_worker final : public otp::base_actor {
 public:
  static constexpr std::chrono::milliseconds patience{5'000};  ///< with a registry that doesn't answer
  static constexpr std::chrono::milliseconds retry{20};        ///< while the registry restarts

  server_worker(caf::actor_config& config, std::shared_ptr<server> impl,
                std::shared_ptr<session_router> router, std::shared_ptr<otp::name_table> names);

  const char* name() const override { return "native"; }
  caf::behavior make_behavior() override;

 protected:
  void handle_down(const caf::down_msg& down) override;
  void terminate(const caf::error& reason) override;

 private:
  void enrol();

  const std::shared_ptr<server> impl_;
  const std::shared_ptr<session_router> router_;
  const std::shared_ptr<otp::name_table> names_;
  caf::actor_addr registry_;
  bool acknowledged_ = false;
};

}  // namespace cafmcp::actors
