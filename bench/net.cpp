#include "bench/net.hpp"

#include <boost/asio/write.hpp>

namespace cafmcp::bench {

std::size_t write_now(tcp_socket& socket, std::string_view bytes, error_code& ec) {
  const std::size_t sent = socket.write_some(asio::buffer(bytes), ec);
  if (ec == asio::error::would_block)
    ec = {};
  return sent;
}

task<error_code> write_rest(tcp_socket& socket, std::string_view bytes) {
  auto [ec, sent] = co_await asio::async_write(socket, asio::buffer(bytes), awaiting);
  co_return ec;
}

void prepare(tcp_socket& socket, error_code& ec) {
  socket.set_option(tcp::no_delay{true}, ec);
  if (!ec)
    socket.non_blocking(true, ec);
}

}  // namespace cafmcp::bench
