#pragma once
// The actor that accepts connections from other nodes. The listening socket belongs to `main()`, so that
// nobody is refused while this is started anew.

#include <boost/asio/ip/tcp.hpp>
#include <memory>
#include <optional>

#include "base/listener.hpp"
#include "cluster/runtime/link/link_environment.hpp"
#include "cluster/runtime/link/stranger_gate.hpp"
#include "supervisors/base_actor.hpp"
#include "supervisors/name_table.hpp"

namespace cafmcp::cluster {

/// The actor.
class link_listener final : public otp::base_actor {
 public:
  /// `manager`: who gets what has been accepted, by its name.
  link_listener(caf::actor_config& config, link_environment_ptr environment,
                std::shared_ptr<const net::listener> socket, std::shared_ptr<stranger_gate> gate,
                std::shared_ptr<otp::name_table> names, std::string manager);

  const char* name() const override { return "link_listener"; }
  caf::behavior make_behavior() override;

 protected:
  void terminate(const caf::error& reason) override;

 private:
  struct loop;
  void begin();

  const link_environment_ptr environment_;
  const std::shared_ptr<const net::listener> socket_;
  const std::shared_ptr<stranger_gate> gate_;
  const std::shared_ptr<otp::name_table> names_;
  const std::string manager_;
  std::shared_ptr<loop> loop_;
};

}  // namespace cafmcp::cluster
