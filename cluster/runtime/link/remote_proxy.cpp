#include "cluster/runtime/link/remote_proxy.hpp"

#include "cluster/runtime/link/node_link.hpp"

namespace cafmcp::cluster {

remote_proxy::remote_proxy(caf::actor_config& config, std::shared_ptr<node_link> link, std::uint64_t serial)
    : caf::actor_proxy(config), link_(std::move(link)), serial_(serial) {}

remote_proxy::~remote_proxy() {
  link_->released(id(), serial_);
}

void remote_proxy::enqueue(caf::mailbox_element_ptr what, caf::execution_unit*) {
  if (what->content().match_elements<caf::exit_msg>()) {
    if (!getf(is_terminated_flag))
      link_->ask_to_end(id(), what->content().get_as<caf::exit_msg>(0).reason);
    return;
  }
  if (!getf(is_terminated_flag)) {
    link_->send(caf::strong_actor_ptr{ctrl()}, std::move(what));
    return;
  }
  if (!what->sender || !what->mid.is_request())
    return;
  // CAF's own bounce() would hide the reason.
  auto why = fail_state();
  if (!why)
    why = make_link_error(link_error::no_such_actor);
  what->sender->enqueue(
      caf::make_mailbox_element(caf::strong_actor_ptr{ctrl()}, what->mid.response_id(), {}, std::move(why)),
      nullptr);
}

void remote_proxy::kill_proxy(caf::execution_unit* unit, caf::error why) {
  cleanup(std::move(why), unit);
}

}  // namespace cafmcp::cluster
