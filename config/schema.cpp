#include "config/schema.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <numeric>

#include "config/scalar.hpp"
#include "config/show.hpp"

namespace cafmcp::config {

namespace {

constexpr std::uint64_t kib = 1ULL << 10U;
constexpr std::uint64_t gib = 1ULL << 30U;
constexpr std::uint64_t second = 1'000;
constexpr std::uint64_t hour = 3'600'000;

constexpr range any_text{0, 4096};
constexpr range short_label{0, 63};
constexpr range to_bind{0, 65535};     // port 0: the system chooses
constexpr range to_connect{1, 65535};  // port 0 cannot be connected to
constexpr range no_range{0, 0};
constexpr range io_time{100, hour};

#define CAFMCP_AT(member) [](auto& s) -> slot { return &s.member; }

constexpr std::array<key<settings>, 51> rows{{
    {"name", kind::label, short_label, plain, "The node's name in the cluster; empty: the host's.",
     CAFMCP_AT(name)},
    {"region", kind::label, short_label, plain, "Where the node stands, for placement.", CAFMCP_AT(region)},
    {"zone", kind::label, short_label, plain, "The part of the region that may fail as one.",
     CAFMCP_AT(zone)},
    {"weight", kind::count, range{1, 10'000}, plain, "Share of the sessions, relative to other nodes.",
     CAFMCP_AT(weight)},
    {"data_dir", kind::text, range{1, 4096}, plain, "Directory for all that must last.", CAFMCP_AT(data_dir)},
    {"listen", kind::address, to_bind, plain, "Where MCP, /health and /metrics are served.",
     CAFMCP_AT(listen)},
    {"public_url", kind::url, range{0, 2048}, plain, "The URL that clients use, if not that of `listen`.",
     CAFMCP_AT(public_url)},
    {"admin.listen", kind::address, to_bind, plain, "Where console and admin API are served, or off.",
     CAFMCP_AT(admin.listen)},
    {"admin.test_hooks", kind::boolean, no_range, plain, "Lets tests break things through the admin API.",
     CAFMCP_AT(admin.test_hooks)},

    {"cluster.listen", kind::address, to_bind, plain, "Where other nodes connect; off: no cluster.",
     CAFMCP_AT(cluster.listen)},
    {"cluster.advertise", kind::address, to_connect, plain,
     "What other nodes connect to, if not `cluster.listen`.", CAFMCP_AT(cluster.advertise)},
    {"cluster.bootstrap_expect", kind::count, range{1, 9}, pending,
     "Nodes that must have met before a cluster is born.", CAFMCP_AT(cluster.bootstrap_expect)},
    {"cluster.seeds", kind::addresses, to_connect, plain, "Nodes to ask first.", CAFMCP_AT(cluster.seeds)},
    {"cluster.secret", kind::text, any_text, secret, "What all nodes of the cluster know.",
     CAFMCP_AT(cluster.secret)},
    {"cluster.insecure", kind::boolean, no_range, plain, "Allows links without TLS beyond loopback.",
     CAFMCP_AT(cluster.insecure)},
    {"cluster.tls.ca", kind::text, any_text, plain, "PEM file: who signs the nodes' certificates.",
     CAFMCP_AT(cluster.tls.ca)},
    {"cluster.tls.cert", kind::text, any_text, plain, "PEM file: this node's certificate.",
     CAFMCP_AT(cluster.tls.cert)},
    {"cluster.tls.key", kind::text, any_text, plain, "PEM file: the key of that certificate.",
     CAFMCP_AT(cluster.tls.key)},

    {"cluster.coordinator.endpoints", kind::urls, no_range, plain,
     "URLs of the etcd by which the nodes agree, the same for all of them.",
     CAFMCP_AT(cluster.coordinator.endpoints)},
    {"cluster.coordinator.user", kind::text, any_text, plain,
     "Who this cluster is to etcd; empty: nobody asks.", CAFMCP_AT(cluster.coordinator.user)},
    {"cluster.coordinator.password", kind::text, any_text, secret, "The password of that user.",
     CAFMCP_AT(cluster.coordinator.password)},
    {"cluster.coordinator.tls.ca", kind::text, any_text, plain,
     "PEM file: who signs etcd's certificates; empty: the system's authorities.",
     CAFMCP_AT(cluster.coordinator.tls.ca)},
    {"cluster.coordinator.tls.cert", kind::text, any_text, plain, "PEM file: what this node shows to etcd.",
     CAFMCP_AT(cluster.coordinator.tls.cert)},
    {"cluster.coordinator.tls.key", kind::text, any_text, plain, "PEM file: the key of that certificate.",
     CAFMCP_AT(cluster.coordinator.tls.key)},

    {"session.ttl", kind::duration, range{second, 720 * hour}, plain, "Sessions unused for so long end.",
     CAFMCP_AT(session.ttl)},
    {"session.idle", kind::duration, range{second, 24 * hour}, plain,
     "Sessions unused for so long leave memory.", CAFMCP_AT(session.idle)},
    {"durability.critical", kind::choice, no_range, plain,
     "What an acknowledgement waits for; auto: disk alone, replica in a cluster.",
     CAFMCP_AT(durability.critical)},
    {"builtin.demo", kind::boolean, no_range, plain, "The server with example tools.",
     CAFMCP_AT(builtin.demo)},
    {"builtin.conformance", kind::boolean, no_range, pending,
     "The server that MCP's conformance suite expects.", CAFMCP_AT(builtin.conformance)},
    {"builtin.admin", kind::boolean, no_range, pending, "The server with tools to operate the cluster.",
     CAFMCP_AT(builtin.admin)},
    {"servers", kind::servers, no_range, pending, "MCP servers behind this node: command or url, and more.",
     CAFMCP_AT(servers)},

    {"runtime.threads", kind::count, range{0, 256}, plain, "Threads that serve; 0: one per core.",
     CAFMCP_AT(runtime.threads)},
    {"runtime.blocking_threads", kind::count, range{1, 1024}, plain, "Threads for tools that block.",
     CAFMCP_AT(runtime.blocking_threads)},
    {"log.level", kind::choice, no_range, reloadable, "The least grave lines that are written.",
     CAFMCP_AT(log.level)},
    {"log.format", kind::choice, no_range, reloadable, "How a line looks.", CAFMCP_AT(log.format)},
    {"log.file", kind::text, any_text, reloadable, "Appended to, reopened on SIGHUP; empty: standard error.",
     CAFMCP_AT(log.file)},
    {"shutdown.timeout", kind::duration, range{100, hour}, reloadable,
     "Longest wait for work under way at SIGTERM.", CAFMCP_AT(shutdown.timeout)},

    {"limits.connections", kind::count, range{1, 1'000'000}, reloadable, "Connections at a time.",
     CAFMCP_AT(limits.connections)},
    {"limits.connections_per_ip", kind::count, range{0, 1'000'000}, reloadable,
     "Connections at a time from one address; 0: only `limits.connections` holds.",
     CAFMCP_AT(limits.connections_per_ip)},
    {"limits.header_bytes", kind::size, range{kib, 1024 * kib}, reloadable, "Largest HTTP header.",
     CAFMCP_AT(limits.header_bytes)},
    {"limits.body_bytes", kind::size, range{kib, gib}, reloadable, "Largest HTTP body or WebSocket message.",
     CAFMCP_AT(limits.body_bytes)},
    {"limits.backlog_bytes", kind::size, range{64 * kib, gib}, plain,
     "What may wait for a client that does not read.", CAFMCP_AT(limits.backlog_bytes)},
    {"limits.sessions", kind::count, range{1, 100'000'000}, plain, "Sessions at a time.",
     CAFMCP_AT(limits.sessions)},
    {"limits.active_sessions", kind::count, range{1, 10'000'000}, plain,
     "Sessions in memory; over it those unused longest leave it before session.idle.",
     CAFMCP_AT(limits.active_sessions)},
    {"limits.session_calls", kind::count, range{1, 65536}, plain, "Calls at a time in one session.",
     CAFMCP_AT(limits.session_calls)},
    {"limits.outbound_messages", kind::count, range{1, 65536}, plain,
     "Messages that a session keeps for a client that resumes.", CAFMCP_AT(limits.outbound_messages)},
    {"limits.outbound_bytes", kind::size, range{kib, gib}, plain, "The same in bytes.",
     CAFMCP_AT(limits.outbound_bytes)},
    {"limits.header_timeout", kind::duration, io_time, reloadable, "Longest wait for a whole header.",
     CAFMCP_AT(limits.header_timeout)},
    {"limits.idle_timeout", kind::duration, io_time, reloadable, "Longest silence between two requests.",
     CAFMCP_AT(limits.idle_timeout)},
    {"limits.write_timeout", kind::duration, io_time, reloadable,
     "Longest wait for a client that does not read.", CAFMCP_AT(limits.write_timeout)},
    {"limits.request_timeout", kind::duration, io_time, reloadable, "Longest a request may take.",
     CAFMCP_AT(limits.request_timeout)},
}};

constexpr std::array<key<server>, 8> server_rows{{
    {"name", kind::label, range{1, 63}, plain, "What the server is called here.", CAFMCP_AT(name)},
    {"command", kind::words, no_range, plain, "Program and arguments of a server that speaks stdio.",
     CAFMCP_AT(command)},
    {"url", kind::url, range{0, 2048}, plain, "Where a server speaks Streamable HTTP.", CAFMCP_AT(url)},
    {"scope", kind::choice, no_range, plain, "Whether sessions share an instance.", CAFMCP_AT(scope)},
    {"instances", kind::count, range{1, 256}, plain, "How many run for all sessions.", CAFMCP_AT(instances)},
    {"env", kind::map, no_range, secret, "Environment of the program, besides the node's own.",
     CAFMCP_AT(env)},
    {"restart.intensity", kind::count, range{0, 1000}, plain,
     "Restarts within the period before it is given up.", CAFMCP_AT(restart.intensity)},
    {"restart.period", kind::duration, range{second, 24 * hour}, plain, "The period for restart.intensity.",
     CAFMCP_AT(restart.period)},
}};

#undef CAFMCP_AT

constexpr std::array<std::string_view, 6> level_names{"trace", "debug", "info", "warn", "error", "critical"};
constexpr std::array<std::string_view, 2> format_names{"text", "json"};
constexpr std::array<std::string_view, 2> scope_names{"shared", "session"};
constexpr std::array<std::string_view, 5> durability_names{"auto", "memory", "disk", "replica",
                                                           "replica+disk"};

/// Levenshtein's distance.
std::size_t distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 0; i < a.size(); ++i) {
    auto diagonal = row[0]++;
    for (std::size_t j = 0; j < b.size(); ++j) {
      const auto above = row[j + 1];
      row[j + 1] = std::min({above + 1, row[j] + 1, diagonal + (a[i] == b[j] ? 0 : 1)});
      diagonal = above;
    }
  }
  return row[b.size()];
}

}  // namespace

std::span<const key<settings>> schema() {
  return rows;
}

std::span<const key<server>> server_schema() {
  return server_rows;
}

const key<settings>* find_key(std::string_view path) {
  const auto* i = std::find_if(rows.begin(), rows.end(), [&](const auto& k) { return k.path == path; });
  return i == rows.end() ? nullptr : i;
}

std::string environment_name(std::string_view path) {
  std::string name = "CAFMCP_";
  for (const char c : path) {
    name += c == '.' ? '_' : static_cast<char>(c >= 'a' && c <= 'z' ? c - 'a' + 'A' : c);
  }
  return name;
}

std::span<const std::string_view> choices(const slot& s) {
  if (std::holds_alternative<log::level*>(s)) {
    return level_names;
  }
  if (std::holds_alternative<log::format*>(s)) {
    return format_names;
  }
  if (std::holds_alternative<server::scope_type*>(s)) {
    return scope_names;
  }
  if (std::holds_alternative<config::durability*>(s)) {
    return durability_names;
  }
  return {};
}

std::string nearest(std::string_view word, const std::vector<std::string>& candidates) {
  constexpr std::size_t longest = 64;  // bounds the work for hostile words
  if (word.empty() || word.size() > longest) {
    return {};
  }
  const auto far = std::clamp<std::size_t>(word.size() / 3, 1, 3) + 1;
  const std::string* best = nullptr;
  auto best_distance = far;
  for (const auto& c : candidates) {
    const auto d = distance(word, c);
    const bool section_missing =
        c.size() > word.size() && c.ends_with(word) && c[c.size() - word.size() - 1] == '.';
    if (d < best_distance || (section_missing && best == nullptr)) {
      best = &c;
      best_distance = std::min(d, best_distance);
    }
  }
  return best == nullptr ? std::string{} : *best;
}

std::string describe_keys() {
  settings defaults;
  std::string out;
  for (const auto& k : rows) {
    const auto value = shown(k, defaults);
    out += fmt::format("  {}: {}{}{}{}\n      {}\n", k.path, expectation(k.type, k.bounds, k.at(defaults)),
                       value.empty() ? "" : "; default " + value, k.has(reloadable) ? "; reloadable" : "",
                       k.has(pending) ? "; not in effect yet" : "", k.about);
  }
  return out;
}

}  // namespace cafmcp::config
