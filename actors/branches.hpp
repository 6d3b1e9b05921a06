#pragma once
// The branches of the supervision tree that make the product: child specifications for registry, servers and
// sessions, in the order in which they start. Called once, by the node.

#include <memory>
#include <vector>

#include "actors/session_environment.hpp"
#include "supervisors/child_spec.hpp"
#include "supervisors/runtime.hpp"

namespace cafmcp::actors {

/// `registry`.
otp::child_spec registry_branch(const environment_ptr& environment);

/// `servers` (one_for_one): a worker for each native server.
otp::child_spec servers_branch(const environment_ptr& environment,
                               const std::vector<std::shared_ptr<server>>& native);

/// `sessions` (one_for_one): a shard for each context of `runtime` (which outlives the tree): the supervisor
/// of its sessions, and the actor that starts them.
otp::child_spec sessions_branch(const environment_ptr& environment, otp::runtime& runtime);

}  // namespace cafmcp::actors
