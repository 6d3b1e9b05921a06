#pragma once
// What a supervision tree looks like from outside: values that supervisors fill in and the console draws.
// Thread-compatible.

#include <caf/actor.hpp>
#include <caf/allowed_unsafe_message_type.hpp>
#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "supervisors/child_table.hpp"

namespace cafmcp::otp {

/// One actor of the tree.
struct tree_node {
  std::string id;      ///< unique among its siblings; "#pid" for simple_one_for_one children
  std::string module;  ///< what it is
  child_type kind = child_type::worker;
  std::string status;  ///< as `child_status`, or "unresponsive"
  otp::restart restart = otp::restart::permanent;
  otp::strategy strategy = otp::strategy::one_for_one;  ///< of a supervisor
  std::uint64_t restarts = 0;                           ///< how often it was started again
  std::uint64_t mailbox = 0;                            ///< messages that wait
  std::uint64_t pid = 0;                                ///< CAF's actor id; 0 if it doesn't run
  std::uint64_t children_total = 0;  ///< `children` may hold fewer, by the limit of the question
  std::vector<tree_node> children;
};

/// Asks a supervisor for its subtree.
struct inspect_tree {
  std::uint32_t depth = 32;                ///< levels below this one
  std::uint32_t limit = 200;               ///< children listed for each supervisor
  std::chrono::milliseconds timeout{500};  ///< for each level; who doesn't answer is "unresponsive"
};

/// The answer.
struct tree_answer {
  tree_node root;
};

}  // namespace cafmcp::otp

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(cafmcp::otp::inspect_tree)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(cafmcp::otp::tree_answer)
