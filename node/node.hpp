#pragma once
// One node: sockets, runtime and supervision tree, put together from a configuration. It starts, is reloaded,
// and stops, all on the thread that made it; what runs in between runs on the runtime's contexts.

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "admin/api.hpp"
#include "base/result.hpp"
#include "config/loader.hpp"
#include "node/cluster.hpp"
#include "node/sessions.hpp"
#include "sdk/server.hpp"
#include "supervisors/runtime.hpp"
#include "supervisors/supervisor.hpp"
#include "transport/http_worker.hpp"

namespace cafmcp::node {

/// The node.
class node {
 public:
  /// `servers`: native ones, besides those of the configuration.
  explicit node(config::settings settings, std::vector<sdk::server> servers = {});
  node(const node&) = delete;
  node& operator=(const node&) = delete;

  /// Stops as `stop` does.
  ~node();

  /// Opens data directory and ports, starts the tree. `on_death` is called, on any thread, if the tree dies
  /// by itself later. The error is one line for the user.
  result<void> start(std::function<void(std::string)> on_death);

  /// Says goodbye: drains the ports, stops the tree in reverse order of its start. Returns false if something
  /// had to be left behind when `shutdown.timeout` had passed: the process should end then.
  bool stop();

  /// Takes over what can be changed while running; the lines say what was changed and what can't be.
  std::vector<std::string> reload(const config::settings& next);

  /// `http://HOST:PORT/mcp`, as clients see it.
  std::string service_url() const;

  /// `http://HOST:PORT/admin/`; empty if the admin listener is off.
  std::string console_url() const;

 private:
  struct port;

  result<void> open_data_dir() const;
  result<void> open_ports();
  result<void> start_tree(std::function<void(std::string)> on_death);
  std::vector<otp::child_spec> watch_children();
  result<void> open_servers();
  std::vector<otp::child_spec> branches();
  std::shared_ptr<const admin::api_context> make_api(std::string token) const;
  otp::child_spec port_spec(const std::string& id, const port& p) const;
  transport::limits limits() const;

  config::settings settings_;
  std::vector<sdk::server> native_;
  std::shared_ptr<admin::node_status> status_;
  std::shared_ptr<transport::drain_plan> drains_;
  std::shared_ptr<admin::root_handle> root_;
  std::unique_ptr<otp::runtime> runtime_;
  std::shared_ptr<sdk::blocking_pool> blocking_;
  std::vector<std::shared_ptr<actors::server>> servers_;
  std::shared_ptr<persistence::sqlite_store> store_;
  actors::environment_ptr sessions_;
  std::shared_ptr<transport::gateway> gateway_;
  std::unique_ptr<cluster_part> cluster_;  // null: a node alone
  std::shared_ptr<otp::name_table> names_ = std::make_shared<otp::name_table>();
  std::unique_ptr<port> service_;
  std::unique_ptr<port> admin_;
};

}  // namespace cafmcp::node
