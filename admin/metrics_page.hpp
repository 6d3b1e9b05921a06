#pragma once
// What `/metrics` shows: the node, its contexts, its HTTP ports, its process, and everything that other
// folders have put into the registry. Prometheus' text format; names `cafmcp_*`, and `process_*` as
// Prometheus' own clients call them. Thread-safe.

#include <caf/actor_system.hpp>
#include <memory>
#include <string>
#include <vector>

#include "actors/registry_view.hpp"
#include "actors/session_directory.hpp"
#include "admin/node_status.hpp"
#include "cluster/runtime/link/link_directory.hpp"
#include "cluster/runtime/link/tls.hpp"
#include "cluster/runtime/membership/cluster_state.hpp"
#include "persistence/session_store.hpp"
#include "transport/metrics.hpp"

namespace cafmcp::admin {

/// One HTTP port and its label.
struct port_metrics {
  std::string port;  ///< "service", "admin"
  std::shared_ptr<const transport::metrics> counters;
};

/// Where the figures come from.
struct metrics_sources {
  std::shared_ptr<const node_status> status;
  std::vector<port_metrics> ports;
  caf::actor_system* system = nullptr;
  // Null until the node has them: their figures are left out then.
  std::shared_ptr<const actors::session_directory> directory = nullptr;
  std::shared_ptr<const persistence::session_store> store = nullptr;
  std::shared_ptr<const actors::registry_view> registry = nullptr;
  std::shared_ptr<const cluster::link_directory> links = nullptr;   ///< null: a node alone
  std::shared_ptr<const cluster::tls_identity> tls = nullptr;       ///< null: links without TLS
  std::shared_ptr<const cluster::cluster_state> cluster = nullptr;  ///< null: no coordinator
};

/// The page.
std::string metrics_page(const metrics_sources& sources);

}  // namespace cafmcp::admin
