#pragma once
// The facts, read: members, who has a lease, the assignment table, who is controller. It is kept up by
// snapshots and events; a fact that can't be read is as none. Not thread-safe.

#include <array>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "cluster/core/bucket.hpp"
#include "cluster/core/facts.hpp"
#include "cluster/core/member.hpp"
#include "cluster/core/names.hpp"

namespace cafmcp::cluster {

/// A row, and when it was changed last.
struct row {
  bucket is;
  revision modified = 0;  ///< 0: there is none yet
};

/// A lease that somebody has shown.
struct holder {
  std::string node;
  lease_id lease = 0;
  revision modified = 0;
};

/// What is said of a learner that has everything: of which owner, in which epoch.
std::string caught_up_value(const bucket& b);

/// The view.
class cluster_view {
 public:
  /// Everything anew. Returns the rows that can't have come about (see `illegal`), as far as that can be
  /// seen.
  std::vector<std::size_t> reset(snapshot s);

  /// What has changed; the same.
  std::vector<std::size_t> apply(const std::vector<fact_event>& events);

  /// Up to which change it knows, and when something else than a beat has changed last.
  revision at() const noexcept { return facts_.at(); }
  revision changed_at() const noexcept { return changed_at_; }

  const std::map<std::string, member, std::less<>>& members() const noexcept { return members_; }
  const row& bucket_row(std::size_t b) const noexcept { return rows_[b]; }
  const fact_mirror& facts() const noexcept { return facts_; }

  /// The lease of a node; one without an id if it has none now.
  holder lease_of(std::string_view node) const;
  bool alive(std::string_view node) const { return lease_of(node).lease != 0; }

  /// Who changes the table now; without an id if nobody does.
  holder controller() const;

  /// Whether the owner of a row is over: it has no lease, or another one.
  bool owner_over(const bucket& b) const;

  /// When a learner was said to have everything, at the row's present epoch, by its present owner; 0: it
  /// wasn't.
  revision caught_up(std::size_t b, std::string_view learner) const;

  /// Who has said that the process with that lease of `node` is gone, of those that are alive.
  std::size_t reporters(std::string_view node, lease_id lease) const;

 private:
  bool take(const fact& f);
  void drop(std::string_view key);

  fact_mirror facts_;
  revision changed_at_ = 0;
  std::map<std::string, member, std::less<>> members_;
  std::array<row, bucket_count> rows_;
};

}  // namespace cafmcp::cluster
