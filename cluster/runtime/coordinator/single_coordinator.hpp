#pragma once
// The facts of a node that is alone: the same rules as etcd's, in memory, gone with the process. So whatever
// is built on facts has one way to work, and a node that gets company changes nothing but who keeps them.
//
// It lives on one context and its thread: calls and callbacks are there, and answers are posted. Whoever
// destroys it hears nothing more. The context must outlive it and its watches.

#include <boost/asio/io_context.hpp>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "cluster/core/coordinator.hpp"

namespace cafmcp::cluster {

/// A `coordinator` without anybody else.
class single_coordinator final : public coordinator {
 public:
  explicit single_coordinator(boost::asio::io_context& io);
  single_coordinator(const single_coordinator&) = delete;
  single_coordinator& operator=(const single_coordinator&) = delete;
  ~single_coordinator() override;

  void read(std::string prefix, milliseconds deadline, std::function<void(result<snapshot>)> then) override;
  void commit(transaction what, milliseconds deadline, std::function<void(transaction_result)> then) override;
  std::shared_ptr<void> watch(std::string prefix, watch_handler handler) override;

 private:
  struct watcher {
    std::string prefix;
    watch_handler handler;
    bool over = false;
  };

  template <class F>
  void later(F f);
  snapshot everything_under(const std::string& prefix) const;
  transaction_result carry_out(transaction what);
  void put(change c, std::vector<fact_event>& events);
  void erase(const std::string& key, std::vector<fact_event>& events);
  void tell(const std::vector<fact_event>& events);

  boost::asio::io_context& io_;
  const std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
  revision at_ = 1;  // as etcd's before the first change
  std::map<std::string, fact> facts_;
  std::vector<std::weak_ptr<watcher>> watchers_;
};

}  // namespace cafmcp::cluster
