// A link between nodes, fed with whatever a peer could send after its handshake.
#include <caf/all.hpp>
#include <caf/scheduler/test_coordinator.hpp>

#include "cluster/runtime/link/node_link.hpp"
#include "tests/fuzz/fuzz.hpp"

namespace {

using namespace cafmcp;
using namespace cafmcp::cluster;

struct note {
  std::string text;
  std::vector<std::uint32_t> numbers;
};
template <class F>
typename F::result_type inspect(F& f, note& x) {
  return f(x.text, x.numbers);
}

}  // namespace

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(note)

namespace {

// Classes: CAF's spawn of a function binds a null reference, which UBSan reports.
struct answering final : caf::event_based_actor {
  using event_based_actor::event_based_actor;
  caf::behavior make_behavior() override {
    set_default_handler([](caf::scheduled_actor*, caf::message_view&) -> caf::result<caf::message> {
      return caf::message{};
    });
    return {[](note& n) { return std::move(n); }};
  }
};
struct unreading final : caf::event_based_actor {
  using event_based_actor::event_based_actor;
  caf::behavior make_behavior() override {
    set_default_handler(caf::skip);
    return {[](caf::ok_atom) {}};
  }
};

/// Actors, of which one answers and one never reads; the same for all inputs.
struct world {
  world() {
    types.add<note>(16, 1000);
    answers = system.spawn<answering>();
    never_reads = system.spawn<unreading>();
    run();
  }
  void run() { dynamic_cast<caf::scheduler::test_coordinator&>(system.scheduler()).run(); }

  struct settings : caf::actor_system_config {
    settings() { set("scheduler.policy", caf::atom("testing")); }
  };
  settings config;
  caf::actor_system system{config};
  wire::message_table types;
  caf::actor answers;
  caf::actor never_reads;
};

world& the_world() {
  static auto* w = new world;  // actors outlive everything
  return *w;
}

struct host final : link_host {
  void wake() override { woken = true; }
  void went_down(const caf::error& why) override {
    ++ends;
    FUZZ_CHECK(why, "the end of a link");
  }
  bool woken = false;
  int ends = 0;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto bytes = fuzz::text_of(data, size);
  auto& w = the_world();
  link_bounds bounds;
  bounds.fragment_bytes = 2000;
  bounds.message_bytes = 4000;
  bounds.window_bytes = 20'000;
  bounds.actor_bytes = 2000;
  bounds.backlog_bytes = 5000;
  bounds.handles = 20;
  const auto now = node_link::clock::time_point{std::chrono::seconds{1}};
  const auto link = std::make_shared<node_link>(
      w.system, w.types,
      [&](std::string_view name) -> result<caf::actor> {
        if (name == "a")
          return w.answers;
        if (name == "n")
          return w.never_reads;
        return fail(errc::not_found, "nobody");
      },
      bounds, link_terms{"peer", 1, 1, 20'000, 2000, 4000});
  const auto h = std::make_shared<host>();
  link->start(h, now);
  std::string out;
  // In pieces that depend on the input, and with the peer reading now and then.
  auto random = fuzz::hash_of(bytes);
  for (std::size_t at = 0; at < bytes.size() && !link->is_over();) {
    random = random * 6364136223846793005ULL + 1442695040888963407ULL;
    const auto room = link->space();
    const auto n = std::min({room.size(), bytes.size() - at, std::size_t{1} + (random >> 33U) % 700});
    std::copy_n(bytes.data() + at, n, room.data());
    at += n;
    link->filled(n, now);
    w.run();
    if (std::exchange(h->woken, false) && !link->is_over())
      link->run();
    if ((random >> 60U) < 8)
      link->take(out);
    FUZZ_CHECK(link->backlog_bytes() <= 2 * bounds.backlog_bytes + 2 * bounds.message_bytes, bytes);
    FUZZ_CHECK(link->exports() <= bounds.handles && link->imports() <= bounds.handles, bytes);
    FUZZ_CHECK(link->pending() == 0, bytes);
  }
  link->close(make_link_error(link_error::closed));
  w.run();
  FUZZ_CHECK(h->ends == 1 && link->backlog_bytes() == 0, bytes);
  FUZZ_CHECK(link->exports() == 0 && link->imports() == 0, bytes);
  // What the actor that never reads still has goes with a restart of it, so that inputs don't add up.
  caf::anon_send_exit(w.never_reads, caf::exit_reason::kill);
  w.never_reads = w.system.spawn<unreading>();
  w.run();
  return 0;
}
