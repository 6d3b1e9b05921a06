#include "bench/bridge_actor.hpp"

#include "supervisors/base_actor.hpp"
#include "supervisors/runtime.hpp"

namespace cafmcp::bench {

// What a connection sends.
struct inbound {
  std::string text;
  std::shared_ptr<sink> from;
};

}  // namespace cafmcp::bench

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(cafmcp::bench::inbound)

namespace cafmcp::bench {

namespace {

class echo_actor final : public otp::base_actor {
 public:
  using otp::base_actor::base_actor;

  const char* name() const override { return "bench.echo"; }

 protected:
  // The message is the handler's alone (its sender built it in the mailbox element), so it may be moved from.
  caf::behavior make_behavior() override {
    return {[](inbound& in) { in.from->answer(std::move(in.text)); }};
  }
};

}  // namespace

void ask(const caf::actor& to, std::string text, std::shared_ptr<sink> from) {
  caf::anon_send(to, inbound{std::move(text), std::move(from)});
}

caf::actor spawn_echo(otp::runtime& runtime, std::size_t index) {
  return otp::spawn_on<echo_actor>(runtime.system(), runtime.unit(index));
}

caf::actor spawn_echo(caf::actor_system& system) {
  return otp::spawn_on<echo_actor>(system, nullptr);
}

void end_actor(caf::actor& actor) {
  otp::send_shutdown(std::exchange(actor, nullptr));
}

}  // namespace cafmcp::bench
