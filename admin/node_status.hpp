#pragma once
// What a node knows of itself at any moment, readable from every thread without a message: who it is, whether
// it wants traffic, and when each context last showed a sign of life. Thread-safe.

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace cafmcp::admin {

/// Where the node is in its life.
enum class node_phase : std::uint8_t { starting, serving, draining };

/// The answer of a health check.
struct verdict {
  bool ok;
  const char* status;  ///< "ok", "starting", "draining", "isolated", "unhealthy"
  std::string reason;  ///< for a person; empty if ok
};

/// The status.
class node_status {
 public:
  using clock = std::chrono::steady_clock;

  /// How long a context may be silent before the node is unhealthy, and before it is better restarted.
  static constexpr std::chrono::milliseconds ready_silence{5'000};
  static constexpr std::chrono::milliseconds live_silence{30'000};

  node_status(std::string node, std::string node_region, std::string node_zone, std::size_t contexts);

  const std::string name;
  const std::string region;
  const std::string zone;

  node_phase phase() const noexcept { return phase_.load(std::memory_order_acquire); }
  void set_phase(node_phase p) noexcept { phase_.store(p, std::memory_order_release); }

  /// What else keeps the node from working, asked at each check: a reason, or an empty text. Before it
  /// serves.
  void watch(std::function<std::string()> trouble) { trouble_ = std::move(trouble); }

  /// Why the node is cut off from its cluster, or an empty text; asked at each check. Before it serves.
  void watch_cluster(std::function<std::string()> isolation) { isolation_ = std::move(isolation); }

  /// A sign of life of context number `index`; `late` is by how much it came late.
  void beat(std::size_t index, clock::time_point now, std::chrono::nanoseconds late) noexcept;

  /// How late the last sign of life of a context was.
  std::chrono::nanoseconds lag(std::size_t index) const noexcept;

  std::size_t contexts() const noexcept { return beats_.size(); }
  std::chrono::nanoseconds uptime(clock::time_point now) const noexcept { return now - started_; }

  /// Whether this node should get traffic.
  verdict ready(clock::time_point now) const;

  /// Whether this process works; a supervisor of processes restarts it if not.
  verdict live(clock::time_point now) const;

 private:
  struct sign {
    std::atomic<std::int64_t> at_ns;
    std::atomic<std::int64_t> late_ns{0};
  };
  verdict silence(clock::time_point now, std::chrono::milliseconds limit) const;

  const clock::time_point started_;
  std::atomic<node_phase> phase_{node_phase::starting};
  std::vector<sign> beats_;
  std::function<std::string()> trouble_;
  std::function<std::string()> isolation_;
};

}  // namespace cafmcp::admin
