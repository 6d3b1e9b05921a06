#include "cluster/runtime/link/links_branch.hpp"

#include "cluster/runtime/link/link_listener.hpp"
#include "cluster/runtime/link/stranger_gate.hpp"
#include "supervisors/supervisor.hpp"

namespace cafmcp::cluster {

otp::child_spec links_branch(const link_environment_ptr& environment,
                             std::shared_ptr<const net::listener> socket,
                             std::vector<config::address> seeds) {
  using std::chrono::seconds;
  const std::string of_peers = "links/peers";
  auto peers = otp::supervisor_spec("peers", {otp::strategy::one_for_one, 10, seconds{10}}, {});
  peers.name = of_peers;

  otp::child_spec manager;
  manager.id = "manager";
  manager.module = "link_manager";
  manager.name = links_name;
  manager.start = [environment, seeds, of_peers](const otp::start_context& c) -> otp::start_result {
    return otp::started{
        otp::spawn_child<link_manager>(*c.supervisor, c.where, environment, seeds, c.names, of_peers), true};
  };

  otp::child_spec listener;
  listener.id = "listener";
  listener.module = "link_listener";
  const auto gate =
      std::make_shared<stranger_gate>(environment->manners.strangers, environment->directory->strangers());
  listener.start = [environment, socket, gate](const otp::start_context& c) -> otp::start_result {
    return otp::started{otp::spawn_child<link_listener>(*c.supervisor, c.where, environment, socket, gate,
                                                        c.names, std::string{links_name}),
                        true};
  };

  return otp::supervisor_spec("links", {otp::strategy::rest_for_one, 10, seconds{10}},
                              {std::move(peers), std::move(manager), std::move(listener)});
}

}  // namespace cafmcp::cluster
