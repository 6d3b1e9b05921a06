#pragma once
// The actor that stands for an HTTP port in the supervision tree. It accepts while it lives; the listening
// socket belongs to `main()` and the connections to their set, so its death costs clients nothing: they wait
// in the backlog for its successor. Asked to stop, it drains: new connections get 503, requests under way get
// their answers, idle ones are closed.

#include <algorithm>
#include <atomic>
#include <chrono>
#include <memory>

#include "base/listener.hpp"
#include "supervisors/base_actor.hpp"
#include "transport/http_server.hpp"

namespace cafmcp::transport {

/// How long drains may take: each for itself, and all of them together once the node is going away.
/// Thread-safe.
class drain_plan {
 public:
  using clock = std::chrono::steady_clock;

  explicit drain_plan(std::chrono::milliseconds limit) : limit_(limit) {}

  /// For each drain that begins from now on.
  void set_limit(std::chrono::milliseconds limit) noexcept { limit_.store(limit); }

  /// The node is going away: everything must be over then.
  void set_end(clock::time_point end) noexcept { end_.store(end); }

  /// What a drain that begins at `now` may take.
  std::chrono::milliseconds time_left(clock::time_point now) const noexcept {
    const auto end = end_.load();
    if (end == clock::time_point::max())
      return limit_.load();
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(end - now);
    return std::max(std::chrono::milliseconds{0}, std::min(limit_.load(), left));
  }

 private:
  std::atomic<std::chrono::milliseconds> limit_;
  std::atomic<clock::time_point> end_{clock::time_point::max()};
};

/// What an `http_worker` works with; shared with its successors.
struct http_port {
  otp::io_pool* pool = nullptr;
  std::shared_ptr<const net::listener> socket;
  std::shared_ptr<connection_set> connections;
  std::shared_ptr<const drain_plan> drains;
};

/// The actor.
class http_worker final : public otp::base_actor {
 public:
  http_worker(caf::actor_config& config, http_port port);

  const char* name() const override { return "http_worker"; }
  caf::behavior make_behavior() override;

 protected:
  void handle_exit(const caf::actor_addr& source, const caf::error& reason) override;

 private:
  void start();

  http_port port_;
  std::unique_ptr<http_server> server_;
};

}  // namespace cafmcp::transport
