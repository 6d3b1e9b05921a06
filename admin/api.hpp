#pragma once
// The routes of the admin listener (everything behind the token) and of the service listener's own paths
// (`/health…`,
// `/metrics`). The admin API is JSON; errors are `{"error":{"code","message"}}`. Routes are filled in once
// and then shared by all contexts; what they use is thread-safe.

#include <caf/actor.hpp>
#include <memory>
#include <string>

#include "actors/registry_view.hpp"
#include "actors/session_directory.hpp"
#include "admin/metrics_page.hpp"
#include "admin/node_status.hpp"
#include "cluster/runtime/link/link_directory.hpp"
#include "cluster/runtime/membership/cluster_state.hpp"
#include "persistence/session_store.hpp"
#include "supervisors/name_table.hpp"
#include "supervisors/runtime.hpp"
#include "transport/gateway.hpp"
#include "transport/router.hpp"

namespace cafmcp::admin {

/// The root of the supervision tree, known once it has started and forgotten before the runtime ends.
/// Thread-safe.
class root_handle {
 public:
  caf::actor get() const {
    const std::lock_guard lock{mutex_};
    return root_;
  }
  void set(caf::actor root) {
    const std::lock_guard lock{mutex_};
    root_.swap(root);
  }

 private:
  mutable std::mutex mutex_;
  caf::actor root_;
};

/// What the routes work with.
struct api_context {
  otp::runtime* runtime = nullptr;
  std::shared_ptr<root_handle> root;
  std::shared_ptr<node_status> status;
  metrics_sources metrics;
  // Null until the node has them: their routes then answer 503.
  std::shared_ptr<actors::session_directory> directory;
  std::shared_ptr<persistence::session_store> store;
  std::shared_ptr<actors::registry_view> registry;
  std::shared_ptr<cluster::link_directory> links;         ///< null: a node alone
  std::shared_ptr<const cluster::cluster_state> cluster;  ///< null: no coordinator
  std::shared_ptr<const otp::name_table> names;
  std::string cluster_address;  ///< where other nodes connect to, HOST:PORT
  std::shared_ptr<transport::gateway> gateway;
  std::string token;
  bool test_hooks = false;  ///< `admin.test_hooks`: actors may be killed by request
};

/// Adds `/health`, `/health/live`, `/health/ready` and `/metrics`.
void add_service_routes(transport::router& routes, const std::shared_ptr<const api_context>& context);

/// Adds `/admin/` and `/admin/api/v1/…`.
void add_admin_routes(transport::router& routes, const std::shared_ptr<const api_context>& context);

}  // namespace cafmcp::admin
