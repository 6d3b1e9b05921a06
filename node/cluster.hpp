#pragma once
// From the configuration to the part of a node that talks to other nodes.

#include <memory>
#include <string>
#include <vector>

#include "base/listener.hpp"
#include "cluster/runtime/link/link_directory.hpp"
#include "cluster/runtime/link/link_environment.hpp"
#include "cluster/runtime/link/link_manager.hpp"
#include "cluster/runtime/membership/cluster_agent.hpp"
#include "config/settings.hpp"
#include "supervisors/child_spec.hpp"
#include "supervisors/name_table.hpp"
#include "supervisors/runtime.hpp"

namespace cafmcp::node {

/// What a node needs to be part of a cluster.
class cluster_part {
 public:
  /// Opens the port and loads identity and certificates. The error is one line for the user.
  static result<std::unique_ptr<cluster_part>> open(const config::settings& settings);

  /// The branch `cluster` of the tree. `names`: actors called `cluster/NAME` are shown to other nodes as
  /// `NAME`.
  otp::child_spec branch(otp::runtime& runtime, std::shared_ptr<otp::name_table> names);

  /// Takes certificates that have changed on disk; a line for the log about each.
  std::vector<std::string> reload();

  std::shared_ptr<cluster::link_directory> directory() const noexcept { return directory_; }

  /// What is known of the cluster; null without a coordinator.
  std::shared_ptr<const cluster::cluster_state> state() const noexcept {
    return agent_ ? agent_->state : nullptr;
  }
  std::shared_ptr<const cluster::tls_identity> tls() const noexcept { return tls_; }

  /// Where others connect to, HOST:PORT.
  const std::string& address() const noexcept { return self_.address; }

 private:
  cluster_part() = default;

  std::shared_ptr<const net::listener> socket_;
  std::shared_ptr<cluster::tls_identity> tls_;
  std::shared_ptr<cluster::link_directory> directory_ = std::make_shared<cluster::link_directory>();
  cluster::hello self_;
  std::string secret_;
  std::vector<config::address> seeds_;
  std::shared_ptr<cluster::membership> agent_;  // null: no coordinator
};

}  // namespace cafmcp::node
