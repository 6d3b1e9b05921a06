#pragma once
// A server for tests of the load generator that says what a test wants: each HTTP request, or WebSocket
// message, is given to a function of the test, whose answer goes out as it is. One thread; the functions are
// called there, and what they have written may be read after `stop`.

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/buffers_to_string.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/string_body.hpp>
#include <boost/beast/websocket/rfc6455.hpp>
#include <boost/beast/websocket/stream.hpp>
#include <functional>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "bench/net.hpp"

namespace cafmcp::bench {

class scripted_server {
 public:
  using request = beast::http::request<beast::http::string_body>;

  /// The bytes of the answer; nothing: close the connection without one.
  using http_script = std::function<std::optional<std::string>(const request&)>;

  /// The messages to send now; nothing: close likewise.
  using ws_script = std::function<std::optional<std::vector<std::string>>(const std::string& message)>;

  explicit scripted_server(http_script http, ws_script ws = {}) : http_(std::move(http)), ws_(std::move(ws)) {
    if (listen_on(acceptor_, {asio::ip::address_v4::loopback(), 0}).has_error())
      throw std::runtime_error{"cannot listen"};
    port_ = acceptor_.local_endpoint().port();
    asio::co_spawn(context_.get_executor(), accept(), asio::detached);
    thread_ = std::jthread{[this] { context_.run(); }};
  }
  ~scripted_server() { stop(); }

  unsigned short port() const { return port_; }

  void stop() {
    context_.stop();
    if (thread_.joinable())
      thread_.join();
  }

  // After `stop`.
  unsigned connections = 0;
  unsigned normal_closes = 0;  ///< WebSockets that the peer closed with 1000
  bool offered_mcp = true;     ///< all of them were asked for with the subprotocol

 private:
  task<void> accept() {
    for (;;) {
      tcp_socket socket{context_};
      auto [ec] = co_await acceptor_.async_accept(socket, awaiting);
      if (ec)
        co_return;
      ++connections;
      asio::co_spawn(context_.get_executor(), serve(std::move(socket)), asio::detached);
    }
  }

  task<void> serve(tcp_socket socket) {
    beast::flat_buffer buffer;
    for (;;) {
      request message;
      auto [ec, bytes] = co_await beast::http::async_read(socket, buffer, message, awaiting);
      if (ec)
        co_return;
      if (beast::websocket::is_upgrade(message))
        co_return co_await serve_websocket(std::move(socket), std::move(message));
      const std::optional<std::string> answer = http_(message);
      if (!answer)
        co_return;
      auto [write_ec, written] = co_await asio::async_write(socket, asio::buffer(*answer), awaiting);
      if (write_ec || !message.keep_alive() || answer->find("Connection: close") != std::string::npos)
        co_return;
    }
  }

  task<void> serve_websocket(tcp_socket socket, request upgrade) {
    beast::websocket::stream<tcp_socket> ws{std::move(socket)};
    offered_mcp = offered_mcp && upgrade[beast::http::field::sec_websocket_protocol] == "mcp";
    ws.set_option(beast::websocket::stream_base::decorator([](beast::websocket::response_type& response) {
      response.set(beast::http::field::sec_websocket_protocol, "mcp");
    }));
    auto [ec] = co_await ws.async_accept(upgrade, awaiting);
    beast::flat_buffer buffer;
    while (!ec) {
      auto [read_ec, bytes] = co_await ws.async_read(buffer, awaiting);
      if (read_ec == beast::websocket::error::closed &&
          ws.reason().code == beast::websocket::close_code::normal)
        ++normal_closes;
      if (read_ec)
        co_return;
      const auto answers = ws_(beast::buffers_to_string(buffer.data()));
      buffer.clear();
      if (!answers)
        co_return;
      for (const std::string& answer : *answers)
        std::tie(ec, bytes) = co_await ws.async_write(asio::buffer(answer), awaiting);
    }
  }

  http_script http_;
  ws_script ws_;
  asio::io_context context_{1};
  tcp_acceptor acceptor_{context_};
  unsigned short port_ = 0;
  std::jthread thread_;
};

}  // namespace cafmcp::bench
