// link: actor to actor between two processes on loopback, over a link of ours. One measurement a run, as a
// JSON document. `basp` does the same over CAF's own network.
//
// **Where actors live.** The receiving process has one context, so its actors are on their link's. This
// process has two; the link is on one of them, and so is the actor that sends, since that is how an actor
// should be placed that talks to another node: sending and receiving then take no switch of threads. With
// --elsewhere it is on the other context: each message wakes the link's thread and each answer the actor's,
// as for actors that are placed without regard to the link.

#include <iostream>

#include "base/log.hpp"
#include "bench/link_node.hpp"
#include "bench/link_options.hpp"
#include "bench/peer_process.hpp"

namespace cafmcp::bench {

namespace {

using json = nlohmann::ordered_json;

constexpr std::chrono::minutes never{10};

[[noreturn]] void be_peer(const link_options& o) {
  link_node node{{.name = "far", .certs = o.certs}};
  node.show("echo", node.spawn<echo_part>(0));
  node.show("sink", node.spawn<sink_part>(0));
  serve_as_peer({node.port()});
}

// Waits by the link's own means, and fills no more than a quarter of the backlog, so that one who sends much
// leaves room to others.
class link_pacing final : public pacing {
 public:
  explicit link_pacing(cluster::node_link& link) : link_(link) {}
  bool has_room() override { return link_.backlog_bytes() < link_.bounds().backlog_bytes / 4; }
  void wait(const caf::actor& whom) override {
    link_.when_room([whom] { caf::anon_send(whom, go_on{}); });
  }

 private:
  cluster::node_link& link_;
};

// This process and its link.
class bed {
 public:
  explicit bed(const link_options& o)
      : options_(o), peer_(flags_of(o)), node_(near(o, peer_)), link_(node_.link_to("far")) {}

  json measure() {
    if (options_.what == "round-trips")
      return report_of(options_, ask());
    if (options_.what == "one-way")
      return report_of(options_, send());
    return options_.what == "flood" ? flood() : heartbeat();
  }

 private:
  static std::vector<std::string> flags_of(const link_options& o) {
    std::vector<std::string> flags{"--peer"};
    if (!o.certs.empty())
      flags.insert(flags.end(), {"--certs", o.certs});
    return flags;
  }

  static link_node_options near(const link_options& o, const peer_process& peer) {
    link_node_options out{.name = "near", .threads = 2, .certs = o.certs};
    out.seeds = {{"127.0.0.1", static_cast<std::uint16_t>(peer.said().at(0))}};
    if (o.what == "heartbeat")
      out.bounds.heartbeat = std::chrono::milliseconds{20};
    if (o.what == "flood")
      out.bounds.dead_after = never;
    return out;
  }

  // Runs a part to its end: briefly to warm up, then for the result.
  template <class Part, class Result, class... Ts>
  Result run(const std::string& whom, Ts&&... xs) {
    const auto remote = node_.find(*link_, whom);
    const auto where = (remote.context + (options_.elsewhere ? 1 : 0)) % 2;
    Result result;
    for (const auto duration : {options_.warmup, options_.load.duration}) {
      auto load = options_.load;
      load.duration = duration;
      std::promise<Result> done;
      caf::anon_send(node_.spawn<Part>(where, remote.actor, load, std::forward<Ts>(xs)..., std::ref(done)),
                     go_on{});
      result = done.get_future().get();
    }
    return result;
  }

  round_trips ask() { return run<round_trip_part, round_trips>("echo"); }

  one_way send() {
    link_pacing pace{*link_};
    return run<producer_part, one_way>("sink", std::ref(pace));
  }

  json flood() {
    const auto remote = node_.find(*link_, "sink");
    peer_.freeze();
    forget_peak();
    const auto before = resident();
    std::promise<void> done;
    caf::anon_send(node_.spawn<flood_part>(remote.context, remote.actor, options_.load.bytes,
                                           messages_of_flood(options_), std::ref(done)),
                   go_on{});
    done.get_future().get();
    wait_until_settled();
    auto out = report_of(options_);
    out["sent_mb"] = options_.flood_mb;
    out["dropped"] = link_->counters().dropped.load();
    out["growth_mb"] = static_cast<double>(peak_resident() - before) / 1e6;
    out["window_mb"] = static_cast<double>(link_->terms().window_bytes) / 1e6;
    out["backlog_mb"] = static_cast<double>(link_->bounds().backlog_bytes) / 1e6;
    return out;
  }

  json heartbeat() {
    auto out = report_of(options_, send());
    out["beats"] = link_->counters().beats.load();
    out["slowest_ms"] = static_cast<double>(link_->counters().slowest_ns.load()) / 1e6;
    return out;
  }

  const link_options options_;
  peer_process peer_;
  link_node node_;
  const std::shared_ptr<cluster::node_link> link_;
};

int run(int argc, char** argv) {
  const auto o = parse_link_options("link", "Actor to actor between two processes, over a link.", argc, argv);
  log::options quiet;
  quiet.level = log::level::critical;
  if (const auto set = log::init(quiet); !set)
    throw std::runtime_error(set.error().message);
  if (o.peer)
    be_peer(o);
  json report;
  {
    bed b{o};
    report = b.measure();
  }
  std::cout << report << std::endl;
  return 0;
}

}  // namespace

}  // namespace cafmcp::bench

int main(int argc, char** argv) {
  try {
    return cafmcp::bench::run(argc, argv);
  } catch (const std::exception& e) {
    std::cerr << "link: " << e.what() << "\n";
    return 1;
  }
}
