#include "bench/net.hpp"

#include <algorithm>
#include <boost/asio/write.hpp>
#include <charconv>

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

void drop(tcp_socket& socket, bool reset) {
  error_code ignored;
  if (reset)
    socket.set_option(asio::socket_base::linger{true, 0}, ignored);
  socket.close(ignored);
}

result<tcp::endpoint> parse_address(const std::string& text) {
  const auto colon = std::min(text.rfind(':'), text.size());
  error_code ec;
  const auto ip = asio::ip::make_address(text.substr(0, colon), ec);
  unsigned short port = 0;
  const char* end = text.data() + text.size();
  const auto parsed = std::from_chars(std::min(text.data() + colon + 1, end), end, port);
  if (ec || parsed.ec != std::errc{} || parsed.ptr != end)
    return fail(errc::invalid, "--listen '" + text + "': must be ADDRESS:PORT, such as 127.0.0.1:0");
  return tcp::endpoint{ip, port};
}

result<void> listen_on(tcp_acceptor& acceptor, const tcp::endpoint& address) {
  error_code ec;
  acceptor.open(address.protocol(), ec);
  if (!ec)
    acceptor.set_option(tcp::acceptor::reuse_address{true}, ec);
  if (!ec)
    acceptor.bind(address, ec);
  if (!ec)
    acceptor.listen(asio::socket_base::max_listen_connections, ec);
  if (!ec)
    return {};
  return fail(errc::io, "cannot listen on " + address.address().to_string() + ":" +
                            std::to_string(address.port()) + ": " + ec.message());
}

}  // namespace cafmcp::bench
