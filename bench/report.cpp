#include "bench/report.hpp"

#include <array>
#include <cmath>
#include <cstdio>

namespace cafmcp::bench {

namespace {

using json = nlohmann::ordered_json;

double microseconds(double ns) {
  return std::round(ns / 10) / 100;
}
double seconds(std::chrono::nanoseconds ns) {
  return std::chrono::duration<double>{ns}.count();
}

json latency(const histogram& h) {
  const auto at = [&](double percent) { return microseconds(static_cast<double>(h.percentile_ns(percent))); };
  return {{"min", at(0)},
          {"mean", microseconds(h.mean_ns())},
          {"p50", at(50)},
          {"p90", at(90)},
          {"p95", at(95)},
          {"p99", at(99)},
          {"p99_9", at(99.9)},
          {"max", at(100)},
          {"saturated", h.saturated()}};
}

json errors(const stats& s) {
  json kinds = json::object();
  for (std::size_t i = 0; i < failure_kinds; ++i)
    if (s.failures[i] > 0)
      kinds[to_string(static_cast<failure>(i))] = s.failures[i];
  json statuses = json::object();
  for (const auto& [status, times] : s.statuses)
    statuses[std::to_string(status)] = times;
  return {{"total", s.failed()}, {"by_kind", kinds}, {"by_status", statuses}, {"first", s.first_failure}};
}

std::size_t body_bytes(const plan& p) {
  if (p.what == mode::http_get)
    return 0;
  return is_mcp(p.what) ? p.messages.call_head.size() + 1 + p.messages.call_tail.size() : p.body.size();
}

double per_second(std::uint64_t times, const stats& s) {
  return s.measured.count() > 0 ? std::round(static_cast<double>(times) / seconds(s.measured) * 10) / 10 : 0;
}

json mcp(const plan& p, const stats& s) {
  json out = {{"tool", p.tool},
              {"session_use", to_string(p.use)},
              {"sessions_opened", s.sessions},
              {"sessions_per_second", per_second(s.sessions, s)},
              {"in_flight_at_end", s.unanswered},
              {"oldest_in_flight_us", microseconds(static_cast<double>(s.oldest_unanswered.count()))}};
  if (!has_end(p.use))
    return out;
  out["sessions_wanted"] = p.pieces();
  out["sent_again"] = s.again;
  if (p.use == session_use::open)
    out["initialize_us"] = latency(s.initialize);
  return out;
}

std::string line(const char* name, const std::string& value) {
  std::array<char, 32> padded{};
  std::snprintf(padded.data(), padded.size(), "%-14s", name);
  return padded.data() + value + "\n";
}

std::string fixed(const json& number, int digits) {
  std::array<char, 64> text{};
  std::snprintf(text.data(), text.size(), "%.*f", digits, number.get<double>());
  return text.data();
}

std::string latencies(const json& of) {
  std::string out;
  for (const auto& [name, value] : of.items())
    if (name != "saturated")
      out += (out.empty() ? "" : ", ") + (name == "p99_9" ? "p99.9" : name) + " " + fixed(value, 1);
  return out;
}

// The lines of the table about MCP.
std::string mcp_lines(const json& m) {
  const auto count = [&](const char* key) { return std::to_string(m[key].get<std::uint64_t>()); };
  std::string out = line(
      "sessions", count("sessions_opened") + " opened, " + fixed(m["sessions_per_second"], 1) + "/s, use " +
                      m["session_use"].get<std::string>() + ", tool " + m["tool"].get<std::string>());
  if (m.contains("sessions_wanted"))
    out += line("wanted", count("sessions_wanted") + " sessions; refused for now and sent again: " +
                              count("sent_again") + " requests");
  if (m.contains("initialize_us"))
    out += line("initialize us", latencies(m["initialize_us"]));
  return out + line("in flight", count("in_flight_at_end") + " connections at the end, the oldest for " +
                                     fixed(m["oldest_in_flight_us"], 1) + " us");
}

}  // namespace

json to_json(const plan& p, const stats& s, double cpu_seconds) {
  json out = {{"url", p.where.scheme + "://" + p.where.authority() + p.where.path},
              {"mode", to_string(p.what)},
              {"connections", p.connections},
              {"threads", p.threads},
              {"pipeline", p.pipeline},
              {"body_bytes", body_bytes(p)},
              {"warmup_seconds", seconds(p.warmup)},
              {"duration_seconds", seconds(s.measured)},
              {"ended_early", s.ended_early},
              {"requests", s.requests()},
              {"requests_per_second", per_second(s.requests(), s)},
              {"errors", errors(s)},
              {"connects", s.connects},
              {"reconnects", s.reconnects},
              {"latency_us", latency(s.latency)},
              {"bytes_sent", s.bytes_sent},
              {"bytes_received", s.bytes_received},
              {"cpu_seconds", cpu_seconds}};
  if (is_mcp(p.what))
    out["mcp"] = mcp(p, s);
  return out;
}

std::string to_table(const json& r) {
  const auto count = [&](const char* key) { return std::to_string(r[key].get<std::uint64_t>()); };
  std::string out;
  out += line("target", r["url"].get<std::string>() + ", " + r["mode"].get<std::string>() + ", connections " +
                            count("connections") + ", threads " + count("threads") + ", pipeline " +
                            count("pipeline") + ", body " + count("body_bytes") + " B");
  out += line("measured", fixed(r["duration_seconds"], 2) + " s after " + fixed(r["warmup_seconds"], 2) +
                              " s, own CPU " + fixed(r["cpu_seconds"], 2) + " s in all");
  if (const auto why = r["ended_early"].get<std::string>(); !why.empty())
    out += line("ended early", why);
  out += line("requests", count("requests") + ", " + fixed(r["requests_per_second"], 1) + "/s");
  std::string failures = std::to_string(r["errors"]["total"].get<std::uint64_t>());
  for (const auto& [kind, times] : r["errors"]["by_kind"].items())
    failures += ", " + kind + " " + std::to_string(times.get<std::uint64_t>());
  for (const auto& [status, times] : r["errors"]["by_status"].items())
    failures += ", HTTP " + status + " " + std::to_string(times.get<std::uint64_t>());
  out += line("errors", failures);
  if (const auto first = r["errors"]["first"].get<std::string>(); !first.empty())
    out += line("first error", first);
  out += line("connects", count("connects") + ", reconnects " + count("reconnects"));
  if (r.contains("mcp"))
    out += mcp_lines(r["mcp"]);
  out += line("latency, us", latencies(r["latency_us"]));
  out += line("bytes", "sent " + count("bytes_sent") + ", received " + count("bytes_received"));
  return out;
}

}  // namespace cafmcp::bench
