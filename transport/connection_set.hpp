#pragma once
// All connections of one port, whoever accepted them. The accepting part (`http_server`) may die and be
// replaced: this object stays, its connections go on, and limits keep counting them. It is shared: every
// connection holds it, so it lives as long as the last of them. Each connection belongs to one context of the
// pool and is touched on that context's thread only; the set has a shard for each context with that context's
// list of connections, its copy of the limits, and its spare buffers. Thread-safe, save where it says
// otherwise. The pool may be stopped and destroyed before or after the set.

#include <array>
#include <atomic>
#include <boost/asio/ip/tcp.hpp>
#include <boost/intrusive/list.hpp>
#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/listener.hpp"
#include "supervisors/io_pool.hpp"
#include "transport/limits.hpp"
#include "transport/metrics.hpp"
#include "transport/router.hpp"

namespace cafmcp::transport {

class connection_set;
struct workspace;

/// Something that a log should tell.
struct event {
  enum class kind : unsigned char {
    handler_failed,  ///< a handler threw; `detail` is what
    accept_failed,   ///< accept(2) failed; `detail` says why
  };
  kind what;
  std::string detail;
};

/// Called on the thread where it happened; must not block.
using event_handler = std::function<void(const event&)>;

/// The right to be open: counts a connection while it lives.
class ticket {
 public:
  ticket(std::shared_ptr<connection_set> set, std::size_t shard, std::string address) noexcept
      : set_(std::move(set)), shard_(shard), address_(std::move(address)) {}
  ticket(ticket&&) = default;
  ticket& operator=(ticket&&) = delete;
  ~ticket();

  const std::shared_ptr<connection_set>& set() const noexcept { return set_; }
  std::size_t shard() const noexcept { return shard_; }

 private:
  std::shared_ptr<connection_set> set_;
  std::size_t shard_;
  std::string address_;  // empty if it is not counted by address
};

/// How a connection hangs in its shard's list.
using list_hook =
    boost::intrusive::list_base_hook<boost::intrusive::link_mode<boost::intrusive::auto_unlink>>;

/// The part of the set that belongs to one context. For connections; not thread-safe.
struct shard {
  shard(boost::asio::io_context& context, otp::timer_service& wheel, const limits& start);
  ~shard();

  std::unique_ptr<workspace> take_workspace();
  void give_back(std::unique_ptr<workspace> work) noexcept;

  boost::asio::io_context& io;
  otp::timer_service& timers;
  limits bounds;
  boost::intrusive::list<connection, boost::intrusive::base_hook<list_hook>,
                         boost::intrusive::constant_time_size<false>>
      connections;
  std::vector<std::unique_ptr<workspace>> spare;
  std::atomic<std::size_t> size{0};  // connections of this shard, also those on their way to it
};

/// The connections of a port and what they have in common.
class connection_set : public std::enable_shared_from_this<connection_set> {
 public:
  /// An empty set whose connections will live on the contexts of `pool`.
  static std::shared_ptr<connection_set> make(otp::io_pool& pool, std::shared_ptr<const router> routes,
                                              const limits& bounds, std::shared_ptr<metrics> counters,
                                              event_handler on_event = {});

  /// New limits, for everything that begins from now on. Needs a living pool.
  void set_limits(const limits& bounds);

  /// Goes away: new connections are refused, idle ones closed, requests under way get their answer with
  /// `Connection: close`, taken-over connections are told. After `deadline` the rest is closed. `on_gone` is
  /// called once, on any thread, when no connection is left, at once if there is none now. Needs a living
  /// pool.
  void drain(std::chrono::milliseconds deadline, std::function<void()> on_gone = {});

  /// Closes all connections now, and new ones as they come. As `drain` with a deadline of zero.
  void close_all(std::function<void()> on_gone = {});

  /// Ends a drain that was not followed by the end.
  void resume();

  /// How many connections there are.
  std::size_t size() const noexcept { return size_.load(std::memory_order_acquire); }

  /// Whether a drain has begun.
  bool draining() const noexcept { return mode_.load(std::memory_order_acquire) != mode::serving; }

  metrics& counters() noexcept { return *counters_; }
  const router& routes() const noexcept { return *routes_; }
  void report(event::kind what, std::string detail) const;

  /// Takes a new connection, or answers 503 and closes it. For `http_server`.
  void adopt(net::unique_fd fd, const boost::asio::ip::tcp::endpoint& remote);

  /// Answers 503 with `why` and closes, without reading.
  void refuse(net::unique_fd fd, const refusal& why, counter& reason);

  /// The shard of a context. For connections.
  shard& at(std::size_t index) noexcept { return *shards_[index]; }

 private:
  friend class ticket;
  enum class mode : unsigned char { serving, draining, closing };

  connection_set(std::shared_ptr<const router> routes, const limits& bounds,
                 std::shared_ptr<metrics> counters, event_handler on_event);
  void go_away(mode to, std::function<void()> on_gone);
  bool count_address(const std::string& address, std::size_t bound);
  void leave(std::size_t shard, const std::string& address) noexcept;
  void tell_if_gone();
  std::size_t emptiest() noexcept;

  std::shared_ptr<const router> routes_;
  std::shared_ptr<metrics> counters_;
  event_handler on_event_;
  std::vector<std::unique_ptr<shard>> shards_;
  std::atomic<mode> mode_{mode::serving};
  std::atomic<std::size_t> size_{0};
  std::atomic<std::size_t> max_connections_;
  std::atomic<std::size_t> max_per_address_;
  std::atomic<std::size_t> turn_{0};
  std::atomic<std::uint64_t> drains_{0};  // so that the deadline of an ended drain does nothing
  std::mutex mutex_;                      // guards what follows
  std::unordered_map<std::string, std::size_t> by_address_;
  std::vector<std::function<void()>> on_gone_;
};

}  // namespace cafmcp::transport
