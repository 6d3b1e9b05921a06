#pragma once
// A bucket's row in the assignment table, and which changes of it are legal. Whoever owns a bucket answers
// for its sessions; the in-sync set has everything that was acknowledged, and only its members may become
// owner; learners are on their way into it. The same function judges a change before it is proposed and again
// in every node that sees it: a row that could not have come about stops that node from believing the table.
// Values and pure functions.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "cluster/core/facts.hpp"

namespace cafmcp::cluster {

/// A row.
struct bucket {
  std::string owner;                  ///< the node's id; empty: nobody, the bucket waits
  lease_id lease = 0;                 ///< under which it owns: another lease of the same node doesn't count
  std::uint64_t epoch = 0;            ///< counts owners; 0: there was none yet
  std::vector<std::string> in_sync;   ///< sorted; the owner is one of them
  std::vector<std::string> learners;  ///< sorted
  std::string next;  ///< who is to be owner: asks the owner to hand the bucket over; empty: nobody

  bool operator==(const bucket&) const = default;

  bool holds(std::string_view node) const noexcept;   ///< is in sync
  bool learns(std::string_view node) const noexcept;  ///< is a learner
};

/// The value of a bucket's fact, JSON.
std::string encode(const bucket& b);

/// Nothing if the text is no row.
std::optional<bucket> decode_bucket(std::string_view value);

/// Who proposes a change, and what is known then.
struct proposal {
  std::string by;                  ///< the node's id
  bool old_owner_gone = false;     ///< the transaction has the condition that the owner's lease is over
  bool learner_caught_up = false;  ///< and that whoever joins the in-sync set has caught up
};

/// Why the row may not become `after`; empty if it may. `how` is null for whoever only sees the result: then
/// what can't be seen in the rows is not judged.
std::string illegal(const bucket& before, const bucket& after, const proposal* how);

}  // namespace cafmcp::cluster
