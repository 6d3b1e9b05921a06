#include "transport/http_worker.hpp"

#include "base/log.hpp"

namespace cafmcp::transport {

http_worker::http_worker(caf::actor_config& config, http_port port)
    : base_actor(config), port_(std::move(port)) {}

caf::behavior http_worker::make_behavior() {
  port_.connections->resume();
  start();
  return {[](caf::ping_atom) { return caf::pong_atom_v; }};
}

void http_worker::start() {
  server_ = std::make_unique<http_server>(*port_.pool, *port_.socket, port_.connections, home()->index());
  const auto started = server_->start();
  if (started)
    return;
  // Out of descriptors: clients wait in the backlog meanwhile.
  log::get("transport").error("cannot accept yet", {{"reason", started.error().message}});
  start_timer(std::chrono::milliseconds{500}, [this] { start(); });
}

void http_worker::handle_exit(const caf::actor_addr&, const caf::error& reason) {
  if (reason == otp::exit_code::killed)
    return quit(reason);  // its successor is on the way, and connections stay
  // It goes on accepting: who comes now is told at once to go elsewhere, instead of waiting in the backlog.
  const auto self = caf::actor_cast<caf::actor>(this);
  port_.connections->drain(port_.drains->time_left(drain_plan::clock::now()),
                           [self] { caf::anon_send(self, caf::ok_atom_v); });
  become([this, reason](caf::ok_atom) { quit(reason); });
}

}  // namespace cafmcp::transport
