#include "bench/link_options.hpp"

#include <CLI/CLI.hpp>

#include "bench/url.hpp"

namespace cafmcp::bench {

link_options parse_link_options(const char* program, const char* about, int argc, char** argv) {
  CLI::App app{about, program};
  link_options o;
  o.what = "round-trips";
  o.flood_mb = 256;
  std::string duration = "2s", warmup = "300ms";
  app.add_flag("--peer", o.peer, "be the other process (the program starts it itself)");
  app.add_option("--certs", o.certs, "folder with certificates of `near` and `far`: with TLS")
      ->check(CLI::ExistingDirectory);
  app.add_option("--what", o.what, "what to measure")
      ->capture_default_str()
      ->check(CLI::IsMember({"round-trips", "one-way", "flood", "heartbeat"}));
  app.add_flag("--elsewhere", o.elsewhere, "the client's actor on another context than the link");
  app.add_option("--in-flight", o.load.in_flight, "requests at a time")
      ->capture_default_str()
      ->check(CLI::Range(1, 10'000));
  app.add_option("--bytes", o.load.bytes, "in a message")
      ->capture_default_str()
      ->check(CLI::Range(1, 1'000'000));
  app.add_option("--duration", duration, "of a measurement")->capture_default_str();
  app.add_option("--warmup", warmup, "before it")->capture_default_str();
  app.add_option("--flood-mb", o.flood_mb, "how much a flood sends")
      ->capture_default_str()
      ->check(CLI::Range(1, 10'000));
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& e) {
    std::exit(app.exit(e) == 0 ? 0 : 2);
  }
  o.load.duration = parse_duration(duration).value();
  o.warmup = parse_duration(warmup).value();
  return o;
}

std::uint64_t messages_of_flood(const link_options& o) {
  return o.flood_mb * 1'000'000 / o.load.bytes;
}

nlohmann::ordered_json report_of(const link_options& o) {
  return {{"what", o.what},
          {"in_flight", o.load.in_flight},
          {"bytes", o.load.bytes},
          {"elsewhere", o.elsewhere},
          {"tls", !o.certs.empty()}};
}

nlohmann::ordered_json report_of(const link_options& o, const round_trips& r) {
  auto out = report_of(o);
  const auto us = [&](double percent) {
    return static_cast<double>(r.latencies.percentile_ns(percent)) / 1e3;
  };
  out["per_second"] = static_cast<double>(r.latencies.count()) / r.seconds;
  out["p50_us"] = us(50);
  out["p99_us"] = us(99);
  return out;
}

nlohmann::ordered_json report_of(const link_options& o, const one_way& r) {
  if (r.came.messages != r.sent || r.came.bytes != r.sent * o.load.bytes)
    throw std::runtime_error(std::to_string(r.sent) + " messages sent and " +
                             std::to_string(r.came.messages) + " arrived");
  auto out = report_of(o);
  out["per_second"] = static_cast<double>(r.came.messages) / r.seconds;
  out["mb_per_second"] = static_cast<double>(r.came.bytes) / r.seconds / 1e6;
  return out;
}

}  // namespace cafmcp::bench
