#pragma once
// The actor that stands for an HTTP port in the supervision tree. It accepts while it lives; the listening
// socket belongs to `main()` and the connections to their set, so its death costs clients nothing: they wait
// in the backlog for its successor. Asked to stop, it drains: no new connections, requests under way get
// their answers, idle ones are closed.

#include <chrono>
#include <memory>

#include "supervisors/base_actor.hpp"
#include "transport/http_server.hpp"

namespace cafmcp::transport {

/// What an `http_worker` works with; shared with its successors.
struct http_port {
  otp::io_pool* pool = nullptr;
  std::shared_ptr<const listener> socket;
  std::shared_ptr<connection_set> connections;
  std::shared_ptr<std::atomic<std::chrono::milliseconds>> drain_limit;  ///< how long a drain may take
};

/// The actor.
class http_worker final : public otp::base_actor {
 public:
  http_worker(caf::actor_config& config, http_port port);

  const char* name() const override { return "http_worker"; }
  caf::behavior make_behavior() override;

 protected:
  void handle_exit(const caf::error& reason) override;

 private:
  void start();

  http_port port_;
  std::unique_ptr<http_server> server_;
};

}  // namespace cafmcp::transport
