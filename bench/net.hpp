#pragma once
// The Asio types that load generator and ceiling share, with the executor named instead of type-erased: on a
// path of some ten microseconds the indirection of `any_io_executor` can be seen. One `io_context` and thread
// a core; whatever belongs to a connection stays on its context's thread.

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/basic_socket_acceptor.hpp>
#include <boost/asio/basic_stream_socket.hpp>
#include <boost/asio/basic_waitable_timer.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core/error.hpp>
#include <chrono>
#include <string>
#include <string_view>

#include "base/result.hpp"

namespace cafmcp::bench {

namespace asio = boost::asio;
namespace beast = boost::beast;

using steady_clock = std::chrono::steady_clock;
using tcp = asio::ip::tcp;
using boost::system::error_code;
using executor = asio::io_context::executor_type;
using tcp_socket = asio::basic_stream_socket<tcp, executor>;
using tcp_acceptor = asio::basic_socket_acceptor<tcp, executor>;
using timer = asio::basic_waitable_timer<steady_clock, asio::wait_traits<steady_clock>, executor>;

/// A coroutine on one context.
template <class T>
using task = asio::awaitable<T, executor>;

/// The completion token of every awaited operation: errors come as values.
inline constexpr asio::as_tuple_t<asio::use_awaitable_t<executor>> awaiting{};

/// The longest body that is sent or taken, in bytes, and the size of a connection's HTTP input buffer.
inline constexpr std::size_t max_body_bytes = 64 << 20;
inline constexpr std::size_t input_bytes = 64 << 10;

/// Sends what fits into the kernel's buffer at once, which nearly always is all of it: one system call, no
/// suspension. Returns the number of bytes taken. `socket` is prepared.
std::size_t write_now(tcp_socket& socket, std::string_view bytes, error_code& ec);

/// Sends `bytes`, the rest that `write_now` left.
task<error_code> write_rest(tcp_socket& socket, std::string_view bytes);

/// What every socket of a benchmark has: no Nagle, non-blocking.
void prepare(tcp_socket& socket, error_code& ec);

/// Ends a connection as if its process had died: with a reset, or with what the kernel does for open sockets.
void drop(tcp_socket& socket, bool reset);

/// Reads `ADDRESS:PORT` of a `--listen` flag; port 0 means a free one. Error `invalid` for anything else.
result<tcp::endpoint> parse_address(const std::string& text);

/// Opens, binds and listens. Error `io` with a line for the user.
result<void> listen_on(tcp_acceptor& acceptor, const tcp::endpoint& address);

}  // namespace cafmcp::bench
