// basp: actor to actor between two processes on loopback over CAF's own network, as CAF comes: its scheduler,
// its middleman, its defaults. The measurements of `link`, with the same actors.
//
// CAF's network holds nobody back, so the receiver tells the sender what it has taken, and the sender keeps
// to a window as an application would: without one it would take all memory there is, as the flood shows.

#include <caf/all.hpp>
#include <caf/io/all.hpp>
#include <iostream>

#include "bench/link_options.hpp"
#include "bench/peer_process.hpp"

namespace cafmcp::bench {

namespace {

constexpr std::uint64_t window_bytes = 4 << 20;

struct config : caf::actor_system_config {
  config() {
    load<caf::io::middleman>();
    add_message_type<blob>("blob");
    add_message_type<count_wanted>("count_wanted");
    add_message_type<arrived>("arrived");
    add_message_type<taken>("taken");
  }
};

template <class Part, class... Ts>
caf::actor spawn(caf::actor_system& system, Ts&&... xs) {
  return caf::actor_cast<caf::actor>(
      system.spawn<playing<caf::event_based_actor, Part>>(std::forward<Ts>(xs)...));
}

template <class T>
T must(caf::actor_system& system, caf::expected<T> what) {
  if (!what)
    throw std::runtime_error(system.render(what.error()));
  return std::move(*what);
}

[[noreturn]] void be_peer() {
  config c;
  caf::actor_system system{c};
  const auto port_of = [&](const caf::actor& actor) {
    return must(system, system.middleman().publish(actor, 0, "127.0.0.1"));
  };
  serve_as_peer({port_of(spawn<echo_part>(system)), port_of(spawn<sink_part>(system, window_bytes / 16))});
}

class window_pacing final : public pacing {
 public:
  bool has_room() override { return untaken_ < window_bytes; }
  void wait(const caf::actor&) override {}  // it is told what was taken
  void on_sent(std::size_t bytes) override { untaken_ += bytes; }
  void on_taken(std::size_t bytes) override { untaken_ -= std::min<std::uint64_t>(untaken_, bytes); }

 private:
  std::uint64_t untaken_ = 0;
};

class bed {
 public:
  explicit bed(const link_options& o) : options_(o), peer_({"--peer"}), system_(config_) {}

  nlohmann::ordered_json measure() {
    if (options_.what == "round-trips")
      return report_of(options_, run<round_trip_part, round_trips>(remote(0)));
    if (options_.what == "flood")
      return flood();
    if (options_.what != "one-way")
      throw std::runtime_error("CAF's network has no such thing");
    window_pacing pace;
    return report_of(options_, run<producer_part, one_way>(remote(1), std::ref(pace)));
  }

 private:
  caf::actor remote(std::size_t which) {
    const auto port = static_cast<std::uint16_t>(peer_.said().at(which));
    return must(system_, system_.middleman().remote_actor("127.0.0.1", port));
  }

  // Runs a part to its end: briefly to warm up, then for the result.
  template <class Part, class Result, class... Ts>
  Result run(const caf::actor& whom, Ts&&... xs) {
    Result result;
    for (const auto duration : {options_.warmup, options_.load.duration}) {
      auto load = options_.load;
      load.duration = duration;
      std::promise<Result> done;
      caf::anon_send(spawn<Part>(system_, whom, load, xs..., std::ref(done)), go_on{});
      result = done.get_future().get();
    }
    return result;
  }

  nlohmann::ordered_json flood() {
    const auto sink = remote(1);
    peer_.freeze();
    forget_peak();
    const auto before = resident();
    std::promise<void> done;
    caf::anon_send(
        spawn<flood_part>(system_, sink, options_.load.bytes, messages_of_flood(options_), std::ref(done)),
        go_on{});
    done.get_future().get();
    wait_until_settled();
    auto out = report_of(options_);
    out["sent_mb"] = options_.flood_mb;
    out["growth_mb"] = static_cast<double>(peak_resident() - before) / 1e6;
    return out;
  }

  const link_options options_;
  peer_process peer_;
  config config_;
  caf::actor_system system_;
};

int run(int argc, char** argv) {
  const auto o =
      parse_link_options("basp", "Actor to actor between two processes, over CAF's network.", argc, argv);
  if (o.peer)
    be_peer();
  // Not destroyed: that waits for all that was never delivered to the other process.
  auto* b = new bed{o};
  std::cout << b->measure() << std::endl;
  std::_Exit(0);
}

}  // namespace

}  // namespace cafmcp::bench

int main(int argc, char** argv) {
  try {
    return cafmcp::bench::run(argc, argv);
  } catch (const std::exception& e) {
    std::cerr << "basp: " << e.what() << "\n";
    std::_Exit(1);
  }
}
