#pragma once
// The facts, kept by etcd (3.4 or newer), over its JSON gateway: so one library, Beast, speaks all that the
// node speaks. See `etcd_client` for who is asked, and `etcd_watch` for how nothing is missed.
//
// It lives on one context and its thread: calls and callbacks are there. Whoever destroys it hears nothing
// more. The context must outlive it and its watches.

#include <boost/asio/io_context.hpp>
#include <memory>
#include <string>
#include <vector>

#include "cluster/core/coordinator.hpp"
#include "cluster/runtime/coordinator/etcd_options.hpp"

namespace cafmcp::cluster {

class etcd_client;
class etcd_watch;

/// A `coordinator` that asks etcd.
class etcd_coordinator final : public coordinator {
 public:
  /// Errors (`invalid`): no endpoints, or such as are none; `https` without `options.tls`.
  static result<std::unique_ptr<etcd_coordinator>> make(boost::asio::io_context& io, etcd_options options);

  etcd_coordinator(const etcd_coordinator&) = delete;
  etcd_coordinator& operator=(const etcd_coordinator&) = delete;
  ~etcd_coordinator() override;

  void read(std::string prefix, milliseconds deadline, std::function<void(result<snapshot>)> then) override;
  void commit(transaction what, milliseconds deadline, std::function<void(transaction_result)> then) override;
  std::shared_ptr<void> watch(std::string prefix, watch_handler handler) override;

 private:
  explicit etcd_coordinator(std::shared_ptr<etcd_client> client) : client_(std::move(client)) {}

  const std::shared_ptr<etcd_client> client_;
  std::vector<std::weak_ptr<etcd_watch>> watches_;
};

}  // namespace cafmcp::cluster
