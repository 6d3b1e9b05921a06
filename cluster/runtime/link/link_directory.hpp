#pragma once
// The other nodes that this one knows of and the links to them, readable from every thread without a message.
// It outlives the actors that fill it in, so that a peer's actor that is started anew knows what the one
// before it knew. Thread-safe.

#include <atomic>
#include <caf/actor.hpp>
#include <caf/allowed_unsafe_message_type.hpp>
#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "cluster/runtime/link/handshake.hpp"
#include "cluster/runtime/link/node_link.hpp"

namespace cafmcp::cluster {

/// What is known of another node.
struct peer_view {
  using clock = std::chrono::steady_clock;

  hello about;                      ///< what it said last; without a nonce
  std::shared_ptr<node_link> link;  ///< null: there is none now
  bool secure = false;              ///< the link has TLS
  clock::time_point since{};        ///< when the link came, or went; zero: there was none yet
  std::uint64_t links = 0;          ///< how many there were
  std::uint64_t dials = 0;          ///< attempts that failed since the last link
  bool nobody_listens = false;      ///< the last attempt was refused by the host: no process is there
  std::string trouble;              ///< why there is no link; empty if there is one
  link_totals totals;               ///< of all links; kept by the directory

  /// Links after the first one.
  std::uint64_t reconnects() const noexcept { return links > 0 ? links - 1 : 0; }
};

/// A link has come or gone, for whoever has subscribed.
struct link_event {
  std::string node;
  std::uint64_t incarnation = 0;
  bool up = false;
  caf::error why;  ///< if it has gone
};

/// What happened to connections from strangers.
struct stranger_counters {
  std::atomic<std::uint64_t> accepted{0};  ///< connections
  std::atomic<std::uint64_t> refused{0};   ///< of these, that could not prove to be a node of this cluster
  std::atomic<std::uint64_t> evicted{0};   ///< that had to make room for others
  std::atomic<std::uint32_t> waiting{0};   ///< that have not proven anything yet
};

/// The directory.
class link_directory {
 public:
  /// The link to a node; null if there is none now.
  std::shared_ptr<node_link> find(std::string_view node) const;

  /// All peers by name.
  std::vector<std::pair<std::string, peer_view>> list() const;

  /// One of them; a default one if it isn't known.
  peer_view get(std::string_view node) const;
  bool knows(std::string_view node) const;
  std::size_t size() const;

  /// Changes what is known of a peer, which is new if it wasn't known. When a link is taken out, what it has
  /// counted stays in the totals, which so never go back.
  void change(const std::string& node, const std::function<void(peer_view&)>& how);
  void forget(const std::string& node);

  /// Counts these, so that whoever looks often needs to read only what is new.
  std::uint64_t changes() const noexcept { return changes_.load(std::memory_order_acquire); }

  /// `whom` gets a `link_event` for each link that comes or goes from now on, and for those that are there.
  /// Until it ends.
  void subscribe(const caf::actor& whom);
  void publish(const link_event& event);

  stranger_counters& strangers() noexcept { return strangers_; }
  const stranger_counters& strangers() const noexcept { return strangers_; }

 private:
  mutable std::mutex mutex_;
  std::map<std::string, peer_view, std::less<>> peers_;
  std::vector<caf::actor_addr> subscribers_;
  std::atomic<std::uint64_t> changes_{0};
  stranger_counters strangers_;
};

}  // namespace cafmcp::cluster

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(cafmcp::cluster::link_event)
