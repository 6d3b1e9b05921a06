#pragma once
// Calls of etcd: who is asked, for how long, and whether again. All calls go to one member at a time, the one
// that has worked last; when it fails the next one's turn comes, and when none can be reached all calls fail
// at once until a pause is over. A few connections are kept; calls beyond them wait in a bounded queue. What
// may be asked again (a read) is asked again within its deadline; what may not is asked again only
// if etcd itself or a connection that never came to be says that nothing has happened.
//
// It lives on one context and its thread. Handlers run there, later, each exactly once; after `close()` none.

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "cluster/runtime/coordinator/etcd_codec.hpp"
#include "cluster/runtime/coordinator/etcd_connection.hpp"
#include "cluster/runtime/link/retry_delay.hpp"

namespace cafmcp::cluster {

/// Of all calls, with paths of the gateway.
class etcd_client : public std::enable_shared_from_this<etcd_client> {
 public:
  using clock = std::chrono::steady_clock;
  using handler = std::function<void(etcd_reply)>;

  /// What may be asked twice, and what may not.
  enum class repeat : bool { no, yes };

  etcd_client(boost::asio::io_context& io, etcd_options options, std::vector<etcd_target> targets);
  etcd_client(const etcd_client&) = delete;
  etcd_client& operator=(const etcd_client&) = delete;

  /// Posts `body` to `path`, and tells what became of it, at `deadline` at the latest.
  void call(const char* path, std::string body, repeat again, clock::time_point deadline, handler then);

  /// Ends everything, without a word.
  void close();

  // For those who keep connections of their own, to a member that has just answered a call.

  /// A new connection to that member.
  std::shared_ptr<etcd_connection> connection_to(std::size_t endpoint);

  /// A request as it goes over a connection to that member.
  std::string message_to(std::size_t endpoint, const char* path, const std::string& body) const;

  /// This member doesn't do what it should: the next one's turn.
  void leave(std::size_t endpoint);

  /// Etcd wants another token.
  void forget_token() { token_.clear(); }

  const etcd_options& options() const noexcept { return options_; }
  boost::asio::io_context& io() noexcept { return io_; }
  const std::string& shown(std::size_t endpoint) const { return shown_[endpoint]; }

 private:
  struct pending;
  using call_ptr = std::shared_ptr<pending>;

  struct line {
    std::shared_ptr<etcd_connection> connection;
    std::size_t endpoint = 0;
    call_ptr busy_with;
  };

  void add(const call_ptr& c);
  void enqueue(const call_ptr& c, bool first);
  void pump();
  call_ptr next_in_queue();
  line* free_line();
  void ask(line& l, const call_ptr& c);
  void on_exchange(const std::shared_ptr<etcd_connection>& connection, const call_ptr& c, etcd_exchange what);
  void on_reply(const call_ptr& c, etcd_reply reply);
  void on_login(etcd_reply reply);
  void login(const call_ptr& because);
  void on_unreachable(const call_ptr& c, const std::string& why);
  void on_time(const call_ptr& c);
  void again(const call_ptr& c, const std::string& why);
  void arm(const call_ptr& c, clock::time_point when);
  void drop(const std::shared_ptr<etcd_connection>& connection);
  void lose(const call_ptr& c, const std::string& why);
  void finish(const call_ptr& c, etcd_reply reply);

  boost::asio::io_context& io_;
  const etcd_options options_;
  const std::vector<etcd_target> targets_;
  std::vector<std::string> shown_;

  std::size_t current_ = 0;
  std::size_t unreachable_ = 0;  // in a row
  clock::time_point closed_until_{};
  std::string last_failure_;
  retry_delay back_off_;

  std::vector<line> lines_;
  std::deque<call_ptr> waiting_;
  std::vector<call_ptr> all_;  // waiting, running, resting
  std::size_t bytes_ = 0;      // of their requests

  std::string token_;
  bool wants_token_;
  bool logging_in_ = false;
  bool over_ = false;
};

}  // namespace cafmcp::cluster
