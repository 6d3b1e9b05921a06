#pragma once
// Nodes, an etcd and a network that all fail as a seed says, and what has to hold whatever happens: at most
// one node owns a bucket at any moment; rows change only as they may; nobody gets into the in-sync set who
// lacks something, and nobody owns who isn't in it; and when the last fault is over, everything is owned,
// balanced, and at rest within a minute. Not thread-safe.

#include <array>
#include <deque>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "cluster/core/agent.hpp"
#include "tests/simulation/model_etcd.hpp"
#include "tests/simulation/sim_client.hpp"

namespace cafmcp::simulation {

/// What has happened in a run, by kind.
using counts = std::map<std::string, std::uint64_t>;

/// How a run went.
struct verdict {
  bool ok = true;
  std::string what;  ///< what was broken
  counts happened;
  std::uint64_t events = 0;
};

/// One run.
class world {
 public:
  /// `trace`: keep a trace that can be read.
  world(std::uint64_t seed, std::size_t nodes, bool trace);
  ~world();

  /// Faults for half a minute or so, then peace.
  verdict run();

  /// The last lines of the trace.
  const std::deque<std::string>& trace() const noexcept { return trace_; }

 private:
  struct life;
  struct node;

  void boot(node& n);
  void crash(node& n);
  void hold(node& n, instant how_long);
  void deliver(node& n, std::uint64_t life, std::function<void()> what);
  void tick(node& n, std::uint64_t life);
  void look_for_the_dead(node& dead, std::uint64_t life);

  node& somebody();
  void one_fault();
  void cut_later(node& n);
  void etcd_fault();
  void false_report(node& about);
  void heal();

  void on_change(const cluster::fact* before, const cluster::fact_event& e, const std::string& by);
  void check_owners(const node& n);
  void check_rest();
  void broken(const std::string& what);
  void note(const std::string& what);
  void happened(const char* what) { ++verdict_.happened[what]; }

  scheduler time_;
  model_etcd etcd_;
  std::vector<std::unique_ptr<node>> nodes_;
  std::array<std::set<std::string>, cluster::bucket_count> has_all_;  // who truly has everything
  std::array<std::uint64_t, cluster::bucket_count> epochs_{};
  bool peace_ = false;
  const bool tracing_;
  std::deque<std::string> trace_;
  verdict verdict_;
};

}  // namespace cafmcp::simulation
