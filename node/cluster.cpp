#include "node/cluster.hpp"

#include <algorithm>

#include "base/log.hpp"
#include "base/version.hpp"
#include "cluster/runtime/coordinator/etcd_coordinator.hpp"
#include "cluster/runtime/link/links_branch.hpp"
#include "node/identity.hpp"
#include "supervisors/supervisor.hpp"

namespace cafmcp::node {

namespace {

log::logger& logger() {
  static auto& instance = log::get("cluster");
  return instance;
}

// What may travel between nodes.
const wire::message_table& message_types() {
  static const wire::message_table table;
  return table;
}

// With the port that was picked, if it was 0.
std::string address_of(const config::settings& s, std::uint16_t port) {
  auto where = s.cluster.advertise ? *s.cluster.advertise : *s.cluster.listen;
  if (!s.cluster.advertise)
    where.port = port;
  return to_string(where);
}

result<std::shared_ptr<cluster::tls_identity>> load_tls(const config::settings& s) {
  const auto& files = s.cluster.tls;
  if (files.cert.empty())
    return std::shared_ptr<cluster::tls_identity>{};
  auto loaded = cluster::tls_identity::load({files.ca, files.cert, files.key}, s.name);
  if (!loaded)
    return loaded.error();
  for (const auto& line : (*loaded)->warnings())
    logger().warn("certificate", {{"detail", line}});
  return loaded;
}

// How the nodes agree; null if no coordinator is given.
result<std::shared_ptr<cluster::membership>> make_membership(const config::settings& s,
                                                             const cluster::hello& self) {
  const auto& c = s.cluster.coordinator;
  if (c.endpoints.empty())
    return std::shared_ptr<cluster::membership>{};
  cluster::etcd_options options;
  for (const auto& url : c.endpoints) {
    options.endpoints.push_back({url, {}});
    if (const auto possible = cluster::parse_endpoint(options.endpoints.back()); !possible)
      return fail(possible.error().code, "cluster.coordinator.endpoints: " + possible.error().message);
  }
  options.user = c.user;
  options.password = c.password;
  const bool secure = std::any_of(c.endpoints.begin(), c.endpoints.end(),
                                  [](const auto& url) { return url.starts_with("https://"); });
  if (secure) {
    auto tls = cluster::etcd_tls({c.tls.ca, c.tls.cert, c.tls.key});
    if (!tls)
      return fail(tls.error().code, "cluster.coordinator.tls: " + tls.error().message);
    options.tls = std::move(*tls);
  }
  auto out = std::make_shared<cluster::membership>();
  auto& me = out->options.self;
  me.id = self.id;
  me.name = self.node;
  me.region = self.region;
  me.zone = self.zone;
  me.weight = static_cast<std::uint32_t>(s.weight);
  me.address = self.address;
  out->options.incarnation = self.incarnation;
  out->state = std::make_shared<cluster::cluster_state>();
  out->make_coordinator =
      [options](boost::asio::io_context& io) -> result<std::unique_ptr<cluster::coordinator>> {
    auto made = cluster::etcd_coordinator::make(io, options);
    if (!made)
      return made.error();
    return std::unique_ptr<cluster::coordinator>{std::move(*made)};
  };
  return out;
}

// What somebody has asked for, and should be reminded of.
void warn_about_links(const config::settings& s, const std::string& address, bool tls) {
  const bool outside = !config::is_loopback(*s.cluster.listen) ||
                       (s.cluster.advertise && !config::is_loopback(*s.cluster.advertise));
  if (tls || !outside)
    return;
  logger().warn(
      "links to other nodes are not encrypted (cluster.insecure): whoever can listen reads all sessions",
      {{"address", address}});
  if (s.cluster.secret.empty())
    logger().warn("whoever reaches the cluster port can join; set cluster.secret", {{"address", address}});
}

}  // namespace

result<std::unique_ptr<cluster_part>> cluster_part::open(const config::settings& settings) {
  std::unique_ptr<cluster_part> part{new cluster_part};
  const auto& c = settings.cluster;
  auto id = load_or_create_node_id(settings.data_dir);
  if (!id)
    return id.error();
  auto tls = load_tls(settings);
  if (!tls)
    return tls.error();
  auto socket = net::listen(c.listen->host, c.listen->port);
  if (!socket)
    return socket.error();
  part->tls_ = std::move(*tls);
  part->socket_ = std::make_shared<const net::listener>(std::move(*socket));
  part->secret_ = c.secret;
  part->seeds_ = c.seeds;
  auto& self = part->self_;
  self.node = settings.name;
  self.id = std::move(*id);
  self.incarnation = draw_incarnation();
  self.version = 1;
  self.min_version = 1;
  self.address = address_of(settings, part->socket_->endpoint().port());
  self.region = settings.region;
  self.zone = settings.zone;
  self.software = version;
  auto agent = make_membership(settings, self);
  if (!agent)
    return agent.error();
  part->agent_ = std::move(*agent);
  if (part->agent_)
    part->agent_->links = part->directory_;
  warn_about_links(settings, self.address, part->tls_ != nullptr);
  logger().info("waiting for other nodes",
                {{"address", self.address}, {"tls", part->tls_ != nullptr}, {"seeds", part->seeds_.size()}});
  return part;
}

otp::child_spec cluster_part::branch(otp::runtime& runtime, std::shared_ptr<otp::name_table> names) {
  auto environment = std::make_shared<cluster::link_environment>();
  environment->pool = &runtime.pool();
  environment->system = &runtime.system();
  environment->types = &message_types();
  environment->resolve = [names = std::move(names)](std::string_view name) {
    return names->lookup("cluster/" + std::string{name});
  };
  environment->self = self_;
  environment->secret = secret_;
  environment->tls = tls_;
  environment->directory = directory_;
  std::vector<otp::child_spec> children{cluster::links_branch(environment, socket_, seeds_)};
  if (agent_) {
    auto agent = otp::worker<cluster::cluster_agent>("agent", "cluster_agent",
                                                     std::shared_ptr<const cluster::membership>{agent_});
    agent.name = cluster::agent_name;
    children.push_back(std::move(agent));
  }
  return otp::supervisor_spec("cluster", {otp::strategy::rest_for_one, 10, std::chrono::seconds{10}},
                              std::move(children));
}

std::vector<std::string> cluster_part::reload() {
  if (!tls_)
    return {};
  const auto before = tls_->expires();
  if (const auto done = tls_->reload(); !done)
    return {"the old certificate stays: " + done.error().message};
  for (const auto& line : tls_->warnings())
    logger().warn("certificate", {{"detail", line}});
  if (tls_->expires() == before)
    return {};
  return {"changed cluster.tls: new links have the new certificate"};
}

}  // namespace cafmcp::node
