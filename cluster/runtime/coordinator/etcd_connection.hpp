#pragma once
// One connection to one member of etcd: dialled with its first request, then one request at a time, or one
// whose answer is a stream of lines. It never asks twice: what became of a request it says once, and with it
// whether anything of the request may have left. It reads all the time, so that a connection that etcd has
// closed is known to be closed before the next request is trusted to it.
//
// It lives on one context and its thread; handlers run there, never within a call. After `close()` none do.

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "cluster/runtime/coordinator/etcd_options.hpp"
#include "cluster/runtime/link/channel.hpp"

namespace cafmcp::cluster {

/// What became of a request.
struct etcd_exchange {
  bool answered = false;  ///< wholly
  bool sent = false;      ///< it may have arrived, in part or as a whole
  unsigned status = 0;    ///< of HTTP
  std::string text;       ///< the body of the answer, or why there is none
};

/// The connection.
class etcd_connection : public std::enable_shared_from_this<etcd_connection> {
 public:
  using handler = std::function<void(etcd_exchange)>;
  using line_handler = std::function<void(std::string_view)>;

  /// To `target`, within `options.connect` once there is a request.
  etcd_connection(boost::asio::io_context& io, etcd_target target, const etcd_options& options);
  etcd_connection(const etcd_connection&) = delete;
  etcd_connection& operator=(const etcd_connection&) = delete;

  /// Asks; only while nothing else is asked and it is not over. For a stream, `on_line` gets each line of an
  /// answer with status 200, and `then` the end.
  void exchange(std::string request, handler then, line_handler on_line = {});

  /// Whether something of the present request may have left.
  bool sent() const noexcept { return sent_; }

  /// Whether it can't be used any more.
  bool over() const noexcept { return over_; }

  /// Ends it, without a word to anybody.
  void close();

 private:
  using tcp = boost::asio::ip::tcp;
  using parser = boost::beast::http::response_parser<boost::beast::http::string_body>;

  void resolve();
  void connect(const tcp::resolver::results_type& where);
  void secure();
  void send();
  void read();
  void on_bytes(std::size_t n);
  void on_end(const boost::system::error_code& why);
  bool take_lines();
  void complete();
  void fail(const std::string& why);

  boost::asio::io_context& io_;
  const etcd_target target_;
  const std::chrono::milliseconds patience_;
  const std::size_t answer_bytes_;
  const std::shared_ptr<boost::asio::ssl::context> tls_;
  boost::asio::steady_timer limit_;
  tcp::resolver resolver_;
  std::optional<tcp::socket> socket_;  // until it is connected
  std::unique_ptr<channel> channel_;
  bool ready_ = false;
  bool over_ = false;

  std::string out_;
  bool writing_ = false;
  bool sent_ = false;
  boost::beast::flat_buffer in_;
  std::optional<parser> parser_;
  std::string pending_;  // the beginning of a line
  handler then_;
  line_handler on_line_;
};

}  // namespace cafmcp::cluster
