#pragma once
// The handle of an actor on another node: CAF's, so that it can be sent to, asked, monitored, compared and
// kept like any other. Sending encodes the message on the sender's thread and gives it to the link. It ends
// when the actor ends, with its reason, or when the link does. Thread-safe.
//
// An exit that is sent to it travels as a request of ours (`otp::stop_request`), so supervisors stop children
// on other nodes; nobody is killed over a link. What it doesn't do is link_to: watch it by a monitor.

#include <caf/actor_proxy.hpp>
#include <cstdint>
#include <memory>

namespace cafmcp::cluster {

class node_link;

/// The handle's actor.
class remote_proxy final : public caf::actor_proxy {
 public:
  /// Its id is the peer's export id; `serial` tells it from an earlier handle for the same actor.
  remote_proxy(caf::actor_config& config, std::shared_ptr<node_link> link, std::uint64_t serial);
  ~remote_proxy() override;

  void enqueue(caf::mailbox_element_ptr what, caf::execution_unit* unit) override;
  bool add_backlink(caf::abstract_actor*) override { return false; }
  bool remove_backlink(caf::abstract_actor*) override { return false; }
  void kill_proxy(caf::execution_unit* unit, caf::error why) override;
  const char* name() const override { return "remote_proxy"; }

 private:
  const std::shared_ptr<node_link> link_;
  const std::uint64_t serial_;
};

}  // namespace cafmcp::cluster
