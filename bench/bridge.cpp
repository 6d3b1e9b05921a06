// bridge: what an actor between reading and writing costs a connection, and what a round trip costs over our
// scheduler and over CAF's own.

#include <CLI/CLI.hpp>
#include <boost/asio/signal_set.hpp>
#include <csignal>
#include <iostream>

#include "bench/bridge_round_trip.hpp"
#include "bench/bridge_server.hpp"
#include "bench/url.hpp"
#include "supervisors/runtime.hpp"

namespace {

using namespace cafmcp;
using namespace cafmcp::bench;

int serve(bool with_actors, const tcp::endpoint& address, unsigned threads) {
  asio::io_context main_thread{1};
  asio::signal_set signals{main_thread, SIGTERM, SIGINT};
  signals.async_wait([](error_code, int) {});
  otp::runtime runtime{{.threads = threads}};
  bridge_server server{runtime, with_actors};
  if (const auto started = server.start(address); started.has_error()) {
    std::cerr << "bridge: " << started.error().message << "\n";
    return 1;
  }
  const auto at = server.address();
  const url where{"http", at.address().to_string(), at.port(), "/"};
  std::cout << "bridge ready http://" << where.authority() << where.path << std::endl;
  main_thread.run();
  return 0;
}

int run(int argc, char** argv) {
  CLI::App app{
      "What an actor costs: as a WebSocket echo server with and without one, or as a table of round trips."};
  std::string mode, listen = "127.0.0.1:0";
  unsigned threads = std::max(1u, std::thread::hardware_concurrency());
  unsigned duration_ms = 300;
  round_trip_options options;
  bool round_trip = false;
  auto* serve_option =
      app.add_option("--serve", mode, "serve WebSocket echo: plain, or through an actor for each connection")
          ->check(CLI::IsMember({"plain", "actor"}));
  app.add_flag("--round-trip", round_trip, "measure round trips from a coroutine to an actor and back")
      ->excludes(serve_option);
  app.add_option("--listen", listen, "ADDRESS:PORT; port 0 takes a free one")->capture_default_str();
  app.add_option("--threads", threads, "threads of the server, one context each")
      ->capture_default_str()
      ->check(CLI::Range(1, 256));
  app.add_option("--duration-ms", duration_ms, "how long each measurement of a round trip takes")
      ->capture_default_str()
      ->check(CLI::Range(1, 60000));
  app.add_option("--rounds", options.rounds, "how often each is made; the median counts")
      ->capture_default_str()
      ->check(CLI::Range(1, 1000));
  try {
    app.parse(argc, argv);
    if (mode.empty() && !round_trip)
      throw CLI::RequiredError{"--serve or --round-trip"};
  } catch (const CLI::ParseError& e) {
    return app.exit(e) == 0 ? 0 : 2;
  }
  if (round_trip) {
    options.duration = std::chrono::milliseconds{duration_ms};
    measure_round_trips(options);
    return 0;
  }
  const auto address = parse_address(listen);
  if (address.has_error()) {
    std::cerr << "bridge: " << address.error().message << "\n";
    return 2;
  }
  return serve(mode == "actor", *address, threads);
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return run(argc, argv);
  } catch (const std::exception& e) {
    std::cerr << "bridge: " << e.what() << "\n";
    return 1;
  }
}
