#include "admin/metrics_page.hpp"

#include <sys/resource.h>
#include <unistd.h>

#include <caf/actor_registry.hpp>
#include <filesystem>
#include <fstream>

#include "admin/metrics_families.hpp"
#include "base/log.hpp"
#include "base/version.hpp"
#include "supervisors/supervisor.hpp"

namespace cafmcp::admin {

namespace {

using prometheus::MetricType;
using page = metrics_families;

double seconds(std::chrono::nanoseconds d) {
  return std::chrono::duration<double>(d).count();
}

void add_node(page& p, const node_status& status) {
  const auto now = node_status::clock::now();
  p.family("cafmcp_build_info", "The version of this node; always 1.", MetricType::Gauge);
  p.value(1, {{"version", version}});
  p.gauge("cafmcp_uptime_seconds", "Time since the node started.", seconds(status.uptime(now)));
  p.gauge("cafmcp_ready", "1 if this node should get traffic.", status.ready(now).ok ? 1 : 0);
  p.family("cafmcp_context_lag_seconds", "How late the last heartbeat of a context was.", MetricType::Gauge);
  for (std::size_t i = 0; i < status.contexts(); ++i)
    p.value(seconds(status.lag(i)), {{"context", std::to_string(i)}});
  p.counter("cafmcp_log_lines_dropped_total", "Log lines lost because their reader was too slow.",
            static_cast<double>(log::dropped()));
}

void add_actors(page& p, caf::actor_system& system) {
  p.gauge("cafmcp_actors", "Actors that are alive.", static_cast<double>(system.registry().running()));
  p.counter("cafmcp_supervisor_restarts_total", "Children that supervisors have restarted.",
            static_cast<double>(otp::restarts_total()));
}

// One family of counters, a value for each port.
template <class F>
void add_counter(page& p, const std::vector<port_metrics>& ports, const char* name, const char* help,
                 F read) {
  p.family(name, help, MetricType::Counter);
  for (const auto& port : ports)
    p.value(static_cast<double>(read(*port.counters)), {{"port", port.port}});
}

void add_ports(page& p, const std::vector<port_metrics>& ports) {
  using transport::metrics;
  p.family("cafmcp_http_connections", "Connections that are open.", MetricType::Gauge);
  for (const auto& port : ports)
    p.value(static_cast<double>(port.counters->open.get()), {{"port", port.port}});
  add_counter(p, ports, "cafmcp_http_connections_accepted_total",
              "Connections taken from the listening socket.",
              [](const metrics& m) { return m.accepted.get(); });
  add_counter(p, ports, "cafmcp_http_accept_errors_total", "Failures of accept(2).",
              [](const metrics& m) { return m.accept_errors.get(); });
  p.family("cafmcp_http_connections_refused_total", "Connections refused, by reason.", MetricType::Counter);
  for (const auto& [port, m] : ports) {
    p.value(static_cast<double>(m->refused_connections.get()), {{"port", port}, {"reason", "limit"}});
    p.value(static_cast<double>(m->refused_address.get()), {{"port", port}, {"reason", "address"}});
    p.value(static_cast<double>(m->refused_descriptors.get()), {{"port", port}, {"reason", "descriptors"}});
    p.value(static_cast<double>(m->refused_draining.get()), {{"port", port}, {"reason", "draining"}});
  }
  p.family("cafmcp_http_responses_total", "Answers, by class of status.", MetricType::Counter);
  for (const auto& [port, m] : ports)
    for (std::size_t c = 2; c < m->responses.size(); ++c)
      p.value(static_cast<double>(m->responses[c].get()),
              {{"port", port}, {"status", std::to_string(c) + "xx"}});
  add_counter(p, ports, "cafmcp_http_bad_requests_total", "Requests refused for their syntax or size.",
              [](const metrics& m) { return m.bad_requests.get(); });
  add_counter(p, ports, "cafmcp_http_handler_errors_total", "Handlers that threw.",
              [](const metrics& m) { return m.handler_errors.get(); });
  p.family("cafmcp_http_timeouts_total", "Connections ended by a time limit, by kind.", MetricType::Counter);
  for (const auto& [port, m] : ports) {
    p.value(static_cast<double>(m->timeouts_header.get()), {{"port", port}, {"kind", "header"}});
    p.value(static_cast<double>(m->timeouts_body.get()), {{"port", port}, {"kind", "body"}});
    p.value(static_cast<double>(m->timeouts_handler.get()), {{"port", port}, {"kind", "handler"}});
    p.value(static_cast<double>(m->timeouts_idle.get()), {{"port", port}, {"kind", "idle"}});
    p.value(static_cast<double>(m->timeouts_write.get()), {{"port", port}, {"kind", "write"}});
  }
  add_counter(p, ports, "cafmcp_http_received_bytes_total", "Bytes read.",
              [](const metrics& m) { return m.bytes_in.get(); });
  add_counter(p, ports, "cafmcp_http_sent_bytes_total", "Bytes written.",
              [](const metrics& m) { return m.bytes_out.get(); });
}

void add_process(page& p) {
  std::ifstream statm{"/proc/self/statm"};
  std::uint64_t virtual_pages = 0;
  std::uint64_t resident_pages = 0;
  statm >> virtual_pages >> resident_pages;
  const auto page_bytes = static_cast<double>(::sysconf(_SC_PAGESIZE));
  p.gauge("process_resident_memory_bytes", "Resident memory.",
          static_cast<double>(resident_pages) * page_bytes);
  p.gauge("process_virtual_memory_bytes", "Virtual memory.", static_cast<double>(virtual_pages) * page_bytes);
  std::error_code failed;
  const auto descriptors = std::distance(std::filesystem::directory_iterator{"/proc/self/fd", failed}, {});
  p.gauge("process_open_fds", "Open file descriptors.", static_cast<double>(descriptors));
  rlimit limit{};
  ::getrlimit(RLIMIT_NOFILE, &limit);
  p.gauge("process_max_fds", "File descriptors that may be open.", static_cast<double>(limit.rlim_cur));
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  const auto time = [](const timeval& t) {
    return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) / 1e6;
  };
  p.counter("process_cpu_seconds_total", "CPU time, user and system.",
            time(usage.ru_utime) + time(usage.ru_stime));
}

}  // namespace

std::string metrics_page(const metrics_sources& sources) {
  page p;
  add_node(p, *sources.status);
  add_actors(p, *sources.system);
  add_ports(p, sources.ports);
  add_mcp(p, sources);
  add_links(p, sources);
  add_cluster(p, sources);
  add_process(p);
  return p.text();
}

}  // namespace cafmcp::admin
