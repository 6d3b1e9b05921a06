#pragma once
// A node that is nothing but its links: contexts, actors, a port on loopback, the branch of links, and what
// is shown to others. Made and destroyed by the main thread; what it hands out is thread-safe as said there.

#include <map>
#include <memory>
#include <mutex>
#include <string>

#include "bench/link_actors.hpp"
#include "cluster/runtime/link/links_branch.hpp"
#include "supervisors/runtime.hpp"

namespace cafmcp::bench {

/// What a node is started with.
struct link_node_options {
  std::string name;
  std::size_t threads = 1;
  std::vector<config::address> seeds = {};
  std::string certs = {};  ///< a folder with `ca.pem`, `NAME.pem`, `NAME.key`; empty: no TLS
  cluster::link_bounds bounds = {};
};

/// An actor of another node.
struct remote_actor {
  caf::actor actor;
  std::size_t context;  ///< of the link
};

/// The node.
class link_node {
 public:
  explicit link_node(link_node_options options);
  link_node(const link_node&) = delete;
  link_node& operator=(const link_node&) = delete;
  ~link_node();

  std::uint16_t port() const { return socket_->endpoint().port(); }

  /// An actor with that part, on context number `context`.
  template <class Part, class... Ts>
  caf::actor spawn(std::size_t context, Ts&&... xs) {
    return otp::spawn_on<playing<otp::base_actor, Part>>(runtime_->system(), runtime_->unit(context),
                                                         std::forward<Ts>(xs)...);
  }

  /// Others find it under that name.
  void show(const std::string& name, caf::actor actor);

  /// The link to that node, when it is up.
  std::shared_ptr<cluster::node_link> link_to(const std::string& node);

  /// The actor that the other node shows under a name.
  remote_actor find(cluster::node_link& link, const std::string& name);

 private:
  cluster::link_environment_ptr environment(const link_node_options& o);
  result<caf::actor> resolve(std::string_view name);

  std::unique_ptr<otp::runtime> runtime_;
  const std::shared_ptr<cluster::link_directory> directory_;
  std::shared_ptr<const net::listener> socket_;
  caf::actor root_;
  std::mutex mutex_;
  std::map<std::string, caf::actor, std::less<>> shown_;
};

}  // namespace cafmcp::bench
