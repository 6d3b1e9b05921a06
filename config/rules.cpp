#include "config/rules.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace cafmcp::config {

namespace {

using cluster_settings = decltype(settings::cluster);
using conflicts = std::vector<conflict>;

int tls_files_of(const cluster_settings& c) {
  const std::array<const std::string*, 3> files{&c.tls.ca, &c.tls.cert, &c.tls.key};
  return static_cast<int>(
      std::count_if(files.begin(), files.end(), [](const auto* f) { return !f->empty(); }));
}

/// What the ways out are for links that others could read and join.
constexpr const char* ways_out =
    "but links would have no TLS; make certificates with scripts/certs and give cluster.tls.ca, cert and "
    "key, "
    "use addresses of 127.0.0.1, or set cluster.insecure to true";

/// Links beyond this machine are encrypted, or somebody has said that they need not be. One complaint is
/// enough: what repairs one repairs all.
void check_links(const cluster_settings& c, conflicts& out) {
  if (!c.listen || c.insecure || tls_files_of(c) != 0) {
    return;
  }
  if (!is_loopback(*c.listen)) {
    out.push_back({"cluster.listen",
                   fmt::format("{} can be reached from other machines, {}", to_string(*c.listen), ways_out)});
    return;
  }
  if (c.advertise && !is_loopback(*c.advertise)) {
    out.push_back({"cluster.advertise",
                   fmt::format("{} is for other machines, {}", to_string(*c.advertise), ways_out)});
    return;
  }
  const auto far = std::find_if_not(c.seeds.begin(), c.seeds.end(), is_loopback);
  if (far != c.seeds.end()) {
    out.push_back({"cluster.seeds", fmt::format("{} is another machine, {}", to_string(*far), ways_out)});
  }
}

/// Other nodes can connect to what they are told.
void check_addresses(const cluster_settings& c, conflicts& out) {
  if (!c.listen && !c.seeds.empty()) {
    out.push_back(
        {"cluster.seeds",
         "needs cluster.listen, where the other nodes connect to this one; give it, or remove the seeds"});
  }
  if (c.advertise && is_wildcard(*c.advertise)) {
    out.push_back(
        {"cluster.advertise", fmt::format("{} is no address that other nodes could connect to; give this "
                                          "node's own, for instance 10.0.0.1:{}",
                                          to_string(*c.advertise), c.advertise->port)});
  }
  if (c.listen && is_wildcard(*c.listen) && !c.advertise) {
    out.push_back(
        {"cluster.listen",
         fmt::format("{} is all addresses and none that other nodes could connect to; give this node's own "
                     "as cluster.advertise, for instance 10.0.0.1:{}",
                     to_string(*c.listen), c.listen->port == 0 ? 7000 : c.listen->port)});
  }
}

}  // namespace

std::vector<conflict> check_rules(const settings& s) {
  conflicts out;
  const auto given = tls_files_of(s.cluster);
  if (given != 0 && given != 3) {
    out.push_back({"cluster.tls", "is incomplete; give ca, cert and key, or none of them"});
  }
  check_links(s.cluster, out);
  if (!s.cluster.coordinator.endpoints.empty() && !s.cluster.listen)
    out.push_back(
        {"cluster.coordinator.endpoints",
         "needs cluster.listen, where the other nodes connect to this one; give it, or remove them"});
  if (s.cluster.coordinator.tls.cert.empty() != s.cluster.coordinator.tls.key.empty())
    out.push_back({"cluster.coordinator.tls", "is incomplete; give cert and key, or none of them"});
  check_addresses(s.cluster, out);
  if (s.limits.outbound_bytes > s.limits.backlog_bytes / 2) {
    out.push_back({"limits.outbound_bytes",
                   "is more than half of limits.backlog_bytes: a client that resumes could not take it"});
  }
  return out;
}

}  // namespace cafmcp::config
