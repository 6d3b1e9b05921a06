#pragma once
// The part of the supervision tree that has the links to other nodes.

#include <memory>
#include <vector>

#include "base/listener.hpp"
#include "cluster/runtime/link/link_environment.hpp"
#include "cluster/runtime/link/link_manager.hpp"
#include "supervisors/child_spec.hpp"

namespace cafmcp::cluster {

/// The name under which the link manager is found; ask it `find_remote`.
inline constexpr const char* links_name = "links";

/// `links` (rest_for_one): `peers`, with an actor for each other node, `manager`, and `listener` for
/// `socket`.
otp::child_spec links_branch(const link_environment_ptr& environment,
                             std::shared_ptr<const net::listener> socket, std::vector<config::address> seeds);

}  // namespace cafmcp::cluster
