#pragma once
// What etcd guarantees, and no more: one order of all changes, transactions that happen whole or not at all,
// watches in order, history that is forgotten. Not thread-safe.
// Source: https://etcd.io/docs/v3.4/learning/api_guarantees/

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "cluster/core/facts.hpp"

namespace cafmcp::simulation {

/// The facts, and what is checked of them as they change.
class model_etcd {
 public:
  /// Called for each change as it happens, with the fact before it (null: none), and who has made it.
  using observer = std::function<void(const cluster::fact* before, const cluster::fact_event& change,
                                      const std::string& by)>;

  explicit model_etcd(observer watch_all) : observer_(std::move(watch_all)) {}

  // What clients ask, at the moment in which the leader takes it.
  cluster::transaction_result commit(const cluster::transaction& t, const std::string& by);
  cluster::snapshot read(const std::string& prefix) const;

  /// All changes after `since`; null if some of them are forgotten.
  const std::vector<cluster::fact_event>* history() const noexcept { return &history_; }
  cluster::revision forgotten() const noexcept { return forgotten_; }
  cluster::revision at() const noexcept { return revision_; }

  /// Whether a leader answers.
  bool up() const noexcept { return up_; }
  void lose_leader() { up_ = false; }

  /// Another leader.
  void gain_leader();

  /// Forgets what was before this moment.
  void compact();

  /// Calls `f` at each change from now on.
  void on_change(std::function<void()> f) { listeners_.push_back(std::move(f)); }

 private:
  void put(const cluster::change& c, const std::string& by);
  void erase(const std::string& key, const std::string& by);
  void tell();

  const observer observer_;
  std::map<std::string, cluster::fact, std::less<>> facts_;
  std::vector<cluster::fact_event> history_;
  std::vector<std::function<void()>> listeners_;
  cluster::revision revision_ = 1;
  cluster::revision forgotten_ = 0;
  bool up_ = true;
};

}  // namespace cafmcp::simulation
