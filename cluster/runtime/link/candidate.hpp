#pragma once
// A connection on its way to be a link: TLS, handshake, and the wait for the arbiter's word, within one
// deadline. Whoever owns it is told three things at most: that both sides have proven who they are, that it
// was taken, or that it has failed. A connection that nobody wants is dropped by letting go of it.
//
// It lives on one context, on which its handler is called; `take`, `refuse` and letting go are for any
// thread.

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <functional>
#include <memory>
#include <optional>

#include "cluster/runtime/link/channel.hpp"
#include "cluster/runtime/link/link_environment.hpp"

namespace cafmcp::cluster {

/// The connection.
class candidate : public std::enable_shared_from_this<candidate> {
 public:
  enum class event : std::uint8_t {
    proven,  ///< the arbiter decides now: if it is us, by `take` or `refuse`
    taken,   ///< it is a link from now on: `release()` it
    failed,  ///< it is over; `failure()` says why
  };
  using handler = std::function<void(const std::shared_ptr<candidate>&, event)>;

  /// A connection that somebody has made to us.
  static std::shared_ptr<candidate> accepted(link_environment_ptr environment, boost::asio::io_context& io,
                                             boost::asio::ip::tcp::socket socket);

  /// One that we make, to `host` and `port`, where `expected` should answer; empty: anybody.
  static std::shared_ptr<candidate> dial(link_environment_ptr environment, boost::asio::io_context& io,
                                         std::string host, std::uint16_t port, std::string expected);

  candidate(const candidate&) = delete;
  candidate& operator=(const candidate&) = delete;
  ~candidate();

  /// Begins. Everything happens later.
  void start(handler on_event);

  /// The arbiter's word: this becomes the link. (any thread)
  void take();

  /// It doesn't; the peer is told why. (any thread)
  void refuse(std::string why);

  /// Ends it without a word. (any thread)
  void drop();

  /// The peer, once proven. (any thread, then)
  const hello& peer() const noexcept { return talk_.peer(); }
  bool arbiter() const noexcept { return talk_.arbiter(); }
  bool dialled() const noexcept { return dialer_; }

  /// Whether it was ourselves who answered; once failed.
  bool met_self() const noexcept { return talk_.met_self(); }

  /// Why it has failed. `conflict`: the peer doesn't want it.
  const error& failure() const noexcept { return failure_; }

  /// Whether nobody listens there; once failed.
  bool refused_by_host() const noexcept { return refused_by_host_; }

  /// The other end, HOST:PORT.
  const std::string& remote() const noexcept { return remote_; }
  boost::asio::io_context& io() const noexcept { return io_; }

  /// What was agreed, and the connection; once taken, on its context.
  link_terms terms() const;
  std::unique_ptr<channel> release() { return std::move(channel_); }

 private:
  candidate(link_environment_ptr environment, boost::asio::io_context& io, bool dialer, std::string expected);

  void use(boost::asio::ip::tcp::socket socket);
  void resolve();
  void connect(const boost::asio::ip::tcp::resolver::results_type& where);
  void secure();
  void on_no_tls();
  void read_header();
  void read(std::size_t bytes, std::function<void()> then);
  void on_frame(handshake_frame kind);
  std::optional<error> objection();
  void write(std::string bytes, std::function<void()> then);
  void say_and_fail(const error& why);
  void fail(error why);
  void become(event what);

  const link_environment_ptr environment_;
  boost::asio::io_context& io_;
  const bool dialer_;
  std::string host_;
  std::uint16_t port_ = 0;
  std::string remote_;
  handshake talk_;
  handler on_event_;
  boost::asio::steady_timer deadline_;
  boost::asio::ip::tcp::resolver resolver_;
  std::optional<boost::asio::ip::tcp::socket> socket_;  // until it is connected
  std::unique_ptr<channel> channel_;
  std::string in_;
  std::size_t have_ = 0;
  std::string out_;
  bool over_ = false;
  bool refused_by_host_ = false;
  error failure_;
};

}  // namespace cafmcp::cluster
