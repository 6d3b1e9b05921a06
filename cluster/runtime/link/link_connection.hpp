#pragma once
// A link on a socket: reads, writes, and heartbeats. Lives on one context, and as long as the link does.

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <functional>
#include <memory>

#include "cluster/runtime/link/channel.hpp"
#include "cluster/runtime/link/node_link.hpp"

namespace cafmcp::cluster {

/// Moves a link's bytes.
class link_connection final : public link_host, public std::enable_shared_from_this<link_connection> {
 public:
  using on_end = std::function<void(const caf::error& why)>;

  /// Puts `link` on `stream`, whose context is `io`; on that context. `ended` is called there, once, when the
  /// link is over.
  static void start(boost::asio::io_context& io, std::unique_ptr<channel> stream,
                    std::shared_ptr<node_link> link, on_end ended);

  void wake() override;
  void went_down(const caf::error& why) override;

 private:
  link_connection(boost::asio::io_context& io, std::unique_ptr<channel> stream,
                  std::shared_ptr<node_link> link, on_end ended);

  void read();
  void write();
  void tick();

  boost::asio::io_context& io_;
  std::unique_ptr<channel> stream_;
  std::shared_ptr<node_link> link_;
  on_end ended_;
  boost::asio::steady_timer timer_;
  std::string flying_;  // being written
  bool writing_ = false;
};

}  // namespace cafmcp::cluster
