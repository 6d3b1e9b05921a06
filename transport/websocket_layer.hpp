#pragma once
// What Beast's WebSocket stream takes for its socket. Reading goes to the connection's socket, after what was
// read behind the upgrade request; what Beast writes (the answer to the upgrade, pongs, the good-bye) joins
// the channel's queue, between whole frames, and is done at once as far as Beast is concerned: the channel
// bounds the queue. Ending the TCP connection is left to the channel too. Context thread only.

#include <boost/asio/async_result.hpp>
#include <boost/asio/post.hpp>
#include <boost/beast/core/bind_handler.hpp>
#include <boost/beast/core/buffers_to_string.hpp>
#include <boost/beast/websocket/teardown.hpp>
#include <string>
#include <utility>

#include "transport/websocket.hpp"

namespace cafmcp::transport {

/// The layer. Good as long as the channel's coroutine runs.
class websocket_layer {
 public:
  using executor_type = tcp_socket::executor_type;

  websocket_layer(tcp_socket& socket, websocket_channel& channel, std::string leftover)
      : socket_(&socket), channel_(&channel), leftover_(std::move(leftover)) {}

  executor_type get_executor() noexcept { return socket_->get_executor(); }
  tcp_socket& socket() noexcept { return *socket_; }

  template <class Buffers, class Token>
  auto async_read_some(const Buffers& buffers, Token&& token) {
    return asio::async_initiate<Token, void(boost::system::error_code, std::size_t)>(
        [this](auto handler, const Buffers& to) {
          channel_->reads_next();
          if (leftover_.empty())
            return socket_->async_read_some(to, std::move(handler));
          const auto n = asio::buffer_copy(to, asio::buffer(leftover_));
          leftover_.erase(0, n);
          complete(std::move(handler), n);
        },
        token, buffers);
  }

  template <class Buffers, class Token>
  auto async_write_some(const Buffers& buffers, Token&& token) {
    return asio::async_initiate<Token, void(boost::system::error_code, std::size_t)>(
        [this](auto handler, std::string bytes) {
          const auto n = bytes.size();
          channel_->write_frame(std::move(bytes));
          complete(std::move(handler), n);
        },
        token, boost::beast::buffers_to_string(buffers));
  }

 private:
  template <class Handler>
  void complete(Handler handler, std::size_t n) {
    asio::post(get_executor(),
               boost::beast::bind_front_handler(std::move(handler), boost::system::error_code{}, n));
  }

  tcp_socket* socket_;
  websocket_channel* channel_;
  std::string leftover_;
};

/// For Beast: nothing to do, see above.
inline void beast_close_socket(websocket_layer&) {}

/// For Beast: as above.
template <class Handler>
void async_teardown(boost::beast::role_type, websocket_layer& layer, Handler&& handler) {
  asio::post(layer.get_executor(),
             boost::beast::bind_front_handler(std::forward<Handler>(handler), boost::system::error_code{}));
}

}  // namespace cafmcp::transport
