#pragma once
// Everything under a prefix as it was at one moment, read page by page: the first page says which moment, and
// the others are asked for that one. Should etcd forget it meanwhile, all is read anew. Runs on the client's
// thread.

#include <functional>
#include <memory>
#include <string>

#include "base/result.hpp"
#include "cluster/runtime/coordinator/etcd_client.hpp"

namespace cafmcp::cluster {

/// What was read, and of which etcd.
struct etcd_snapshot {
  snapshot what;
  std::string cluster;
};

/// Reads it until `deadline`. `then` is called later, once. Errors: `denied`, or `unavailable`.
void read_snapshot(const std::shared_ptr<etcd_client>& client, std::string prefix,
                   etcd_client::clock::time_point deadline, std::function<void(result<etcd_snapshot>)> then);

}  // namespace cafmcp::cluster
