#pragma once
// Keeps connections that have not proven who they are within bounds. When there are too many, the oldest one
// from the address that has most of them makes room, so whoever floods the port is in nobody's way but its
// own. Thread-safe.

#include <list>
#include <map>
#include <memory>
#include <mutex>
#include <string>

#include "cluster/runtime/link/candidate.hpp"
#include "cluster/runtime/link/link_directory.hpp"

namespace cafmcp::cluster {

/// The gate.
class stranger_gate : public std::enable_shared_from_this<stranger_gate> {
 public:
  stranger_gate(std::size_t limit, stranger_counters& counters) : limit_(limit), counters_(counters) {}

  /// A connection from `host`; whoever has to go is dropped.
  void enter(const std::shared_ptr<candidate>& c, const std::string& host);

  /// It is over, or has proven who it is. May be said again.
  void leave(const candidate& c);

  std::size_t size() const;

 private:
  struct stranger {
    std::weak_ptr<candidate> who;
    const candidate* key;
    std::string host;
  };

  std::shared_ptr<candidate> evict();

  const std::size_t limit_;
  stranger_counters& counters_;
  mutable std::mutex mutex_;
  std::list<stranger> waiting_;  // oldest first
  std::map<const candidate*, std::list<stranger>::iterator> places_;
  std::map<std::string, std::size_t> by_host_;
};

}  // namespace cafmcp::cluster
