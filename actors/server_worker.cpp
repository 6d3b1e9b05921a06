#include "actors/server_worker.hpp"

#include "actors/registry.hpp"
#include "base/log.hpp"
#include "supervisors/child_spec.hpp"

namespace cafmcp::actors {

namespace {

// To the worker itself.
struct server_news {
  server_event what;
};

}  // namespace

}  // namespace cafmcp::actors

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(cafmcp::actors::server_news)

namespace cafmcp::actors {

server_worker::server_worker(caf::actor_config& config, std::shared_ptr<server> impl,
                             std::shared_ptr<session_router> router, std::shared_ptr<otp::name_table> names)
    : base_actor(config), impl_(std::move(impl)), router_(std::move(router)), names_(std::move(names)) {}

caf::behavior server_worker::make_behavior() {
  acknowledge_later();
  impl_->watch([to = caf::actor_addr{address()}](server_event what) {
    if (const auto self = caf::actor_cast<caf::actor>(to))
      caf::anon_send(self, server_news{std::move(what)});
  });
  enrol();
  return {[this](const server_news& news) {
    if (const auto* updated = std::get_if<resource_updated>(&news.what))
      router_->broadcast(*updated);
    else
      enrol();
  }};
}

// Until the registry has answered.
void server_worker::enrol() {
  const auto registry = names_->lookup("registry");
  if (!registry) {
    start_timer(retry, [this] { enrol(); });
    return;
  }
  if (registry_ != registry->address()) {
    registry_ = registry->address();
    monitor(*registry);
  }
  ask(
      *registry, patience,
      [this](const registered& answer) {
        if (answer.outcome) {
          if (!std::exchange(acknowledged_, true))
            acknowledge();
          return;
        }
        const auto& why = answer.outcome.error().message;
        log::get("actors").error("the registry refused a server",
                                 {{"server", impl_->name()}, {"reason", log::printable(why)}});
        // Later changes that are refused leave the server as it was.
        if (!acknowledged_)
          refuse_start(otp::make_exit(otp::exit_code::start_failed, why));
      },
      [this](const caf::error&) { start_timer(retry, [this] { enrol(); }); },
      register_server{impl_, caf::actor_cast<caf::actor>(this)});
}

void server_worker::handle_down(const caf::down_msg& down) {
  if (down.source == registry_) {
    registry_ = {};
    enrol();
  }
}

void server_worker::terminate(const caf::error&) {
  impl_->watch({});
}

}  // namespace cafmcp::actors
