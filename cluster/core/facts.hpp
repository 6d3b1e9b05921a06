#pragma once
// The few facts on which all nodes agree, and how they are changed: what etcd guarantees, as values. Keys and
// values are texts; each change has a revision, a number that only grows over all keys. A transaction
// compares and then changes all or nothing, so whoever compares what it has read never overwrites what it
// hasn't. A watch tells of every change after a revision, in order, or says that it has missed some
// (compaction), and then everything is read anew. Leases are no part of it: nodes keep their own, by facts
// (`sure_lease.hpp`).
//
// A request can have three outcomes, not two: `unknown` says that it may or may not have happened, and
// whoever asked finds out by reading. Values; thread-compatible.
// Source: etcd 3.4, "KV API guarantees", https://etcd.io/docs/v3.4/learning/api_guarantees/

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace cafmcp::cluster {

/// Counts changes; 0 is before all of them.
using revision = std::int64_t;

/// Names a lease of a node: the revision at which the fact that shows it was put; 0: none.
using lease_id = revision;

/// A key and what is known of it.
struct fact {
  std::string key;
  std::string value;
  revision created = 0;   ///< the revision of its first put since it didn't exist
  revision modified = 0;  ///< of its last one

  bool operator==(const fact&) const = default;
};

/// A condition of a transaction: the key was last modified at that revision; 0: it does not exist.
struct condition {
  std::string key;
  revision modified = 0;

  bool operator==(const condition&) const = default;
};

/// A change of a transaction.
struct change {
  enum class kind : std::uint8_t { put, erase };
  kind what = kind::put;
  std::string key;
  std::string value = {};

  bool operator==(const change&) const = default;
};

/// All changes, if all conditions hold. At most `max_transaction` of both together.
struct transaction {
  std::vector<condition> when;
  std::vector<change> then;

  bool operator==(const transaction&) const = default;
};

/// What etcd takes in one transaction.
inline constexpr std::size_t max_transaction = 128;

/// Whether `t` is one: small enough, no empty keys, none that is changed twice, which etcd refuses, and
/// something to change, without which etcd would compare with what may be old.
inline bool well_formed(const transaction& t) {
  std::set<std::string_view> changed;
  for (const auto& c : t.then)
    if (c.key.empty() || !changed.insert(c.key).second)
      return false;
  for (const auto& c : t.when)
    if (c.key.empty() || c.modified < 0)
      return false;
  return !t.then.empty() && t.when.size() + t.then.size() <= max_transaction;
}

/// What became of a request.
enum class outcome : std::uint8_t {
  done,         ///< it has happened, at `at`
  refused,      ///< a condition didn't hold; nothing has happened
  unknown,      ///< nobody answered in time: it may have happened, may yet, or not
  unavailable,  ///< it has not happened and won't: nobody was there to ask
};

/// The answer to a transaction.
struct transaction_result {
  outcome what = outcome::unavailable;
  revision at = 0;
};

/// Everything under a prefix, as it was at one moment.
struct snapshot {
  revision at = 0;
  std::vector<fact> facts;  ///< by key
};

/// One change that a watch tells of. Those of one revision come together.
struct fact_event {
  bool erased = false;
  fact what;  ///< of an erased one: key, and `modified`: when
};

/// A mirror of the facts under a prefix, kept up by a snapshot and the events after it.
class fact_mirror {
 public:
  /// Forgets what was known.
  void reset(snapshot s) {
    at_ = s.at;
    facts_.clear();
    for (auto& f : s.facts)
      facts_.emplace(f.key, std::move(f));
  }

  /// Takes the events of one or more revisions, in order; those that it has seen already change nothing.
  void apply(const std::vector<fact_event>& events) {
    const auto before = at_;
    for (const auto& e : events) {
      if (e.what.modified <= before)
        continue;
      at_ = e.what.modified;
      if (e.erased)
        facts_.erase(e.what.key);
      else
        facts_[e.what.key] = e.what;
    }
  }

  /// The last change that it knows of.
  revision at() const noexcept { return at_; }

  const fact* find(std::string_view key) const noexcept {
    const auto i = facts_.find(key);
    return i == facts_.end() ? nullptr : &i->second;
  }

  const std::map<std::string, fact, std::less<>>& all() const noexcept { return facts_; }

 private:
  revision at_ = 0;
  std::map<std::string, fact, std::less<>> facts_;
};

}  // namespace cafmcp::cluster
