#include "node/sessions.hpp"

#include "base/version.hpp"
#include "transport/origin.hpp"

namespace cafmcp::node {

namespace {

// `https://host:1/path` → `host:1`.
std::string authority_of(std::string_view url) {
  const auto begin = url.find("://");
  if (begin == std::string_view::npos)
    return {};
  const auto rest = url.substr(begin + 3);
  return std::string{rest.substr(0, rest.find_first_of("/?#"))};
}

// `http://h/mcp` → `ws://h/mcp?mcp-session-id={id}`.
std::string resume_url_of(const std::string& url) {
  return url.starts_with("http") ? "ws" + url.substr(4) + "?mcp-session-id={id}" : std::string{};
}

}  // namespace

result<std::shared_ptr<persistence::sqlite_store>> open_store(const config::settings& settings) {
  persistence::sqlite_options options;
  options.directory = settings.data_dir + "/sessions";
  options.max_sessions = settings.limits.sessions;
  // Without a cluster there are no replicas to wait for: all but `memory` means the disk.
  options.critical_waits = settings.durability.critical != config::durability::memory;
  options.name_of = actors::handle_of;
  return persistence::sqlite_store::open(options);
}

actors::environment_ptr make_sessions(const config::settings& settings, otp::runtime& runtime,
                                      std::shared_ptr<persistence::session_store> store,
                                      const std::string& url) {
  auto out = std::make_shared<actors::session_environment>();
  out->store = std::move(store);
  out->registry = std::make_shared<actors::registry_view>();
  out->router = std::make_shared<actors::session_router>(
      runtime.pool(), std::make_shared<actors::session_directory>(settings.limits.sessions));
  out->node = std::make_shared<const actors::node_identity>(
      actors::node_identity{settings.name, settings.region, settings.zone});
  out->server.name = "cafmcp";
  out->server.version = version;
  out->limits.ttl = settings.session.ttl;
  out->limits.idle = settings.session.idle;
  out->limits.sessions = settings.limits.sessions;
  out->limits.active_sessions = settings.limits.active_sessions;
  out->limits.running_calls = static_cast<std::uint32_t>(settings.limits.session_calls);
  // What one connection may have waiting: the largest answer and, beside it, what a resumed one missed.
  out->limits.message_bytes = settings.limits.backlog_bytes - (16 << 10);
  out->limits.outbound_messages = static_cast<std::uint32_t>(settings.limits.outbound_messages);
  out->limits.outbound_bytes = settings.limits.outbound_bytes;
  out->resume_url = resume_url_of(url);
  return out;
}

transport::mcp_options make_mcp_options(const config::settings& settings,
                                        std::shared_ptr<transport::metrics> counters) {
  transport::mcp_options out;
  out.message_bytes = settings.limits.body_bytes;
  out.backlog_bytes = settings.limits.backlog_bytes;
  out.write_timeout = settings.limits.write_timeout;
  out.counters = std::move(counters);
  // Who listens everywhere is reached by names that nobody has told us.
  const auto& host = settings.listen.host;
  out.hosts.push_back(host == "0.0.0.0" || host == "::" ? "*" : host);
  if (const auto public_host = transport::host_of(authority_of(settings.public_url)); !public_host.empty())
    out.hosts.push_back(public_host);
  return out;
}

}  // namespace cafmcp::node
