#pragma once
// A stream of bytes to a peer: TCP, or TLS over TCP. It wants a handshake first, also without TLS, where that
// does nothing; then one read and one write at a time. What it is for is the same code above either.
//
// With TLS 1.3 the one that dialled is done before the other has looked at its certificate: that it was
// refused, it learns by its first read. Handlers never run within the call that takes them; after `close()`
// they run with an error, whatever has arrived. The channel must live until they have run, so they should
// hold whoever owns it, and it must not be moved meanwhile. Not thread-safe: one thread, the one that runs
// the socket's context.

#include <boost/asio/append.hpp>
#include <boost/asio/associator.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/write.hpp>
#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

namespace cafmcp::cluster {

namespace detail {

/// Runs `handler` with what happened; or, if the channel has been closed meanwhile, with an error.
template <class Handler>
struct unless_closed {
  const bool* closed;
  Handler handler;

  void operator()(boost::system::error_code failed) {
    if (*closed && !failed)
      failed = boost::asio::error::operation_aborted;
    std::move(handler)(failed);
  }

  void operator()(boost::system::error_code failed, std::size_t bytes) {
    if (*closed && !failed)
      failed = boost::asio::error::operation_aborted;
    std::move(handler)(failed, failed == boost::asio::error::operation_aborted ? 0 : bytes);
  }
};

}  // namespace detail

/// The stream.
class channel {
 public:
  using tcp = boost::asio::ip::tcp;
  using error_code = boost::system::error_code;

  /// Over a connected socket: as it is, or with TLS by `context`.
  explicit channel(tcp::socket socket);
  channel(tcp::socket socket, std::shared_ptr<boost::asio::ssl::context> context);
  channel(channel&&) = default;
  channel& operator=(channel&&) = delete;
  ~channel() = default;

  /// Agrees on keys and checks certificates; `dialer`: whether this side has connected to the other. Takes as
  /// long as the peer likes: close the channel to end it.
  template <class Handler>  // void(error_code)
  void handshake(bool dialer, Handler handler) {
    auto done = guarded(std::move(handler));
    if (auto* secured = std::get_if<tls_stream>(&stream_))
      secured->async_handshake(dialer ? tls_stream::client : tls_stream::server, std::move(done));
    else
      boost::asio::post(socket().get_executor(), boost::asio::append(std::move(done), error_code{}));
  }

  /// Reads what there is, at least one byte.
  template <class Handler>  // void(error_code, size_t)
  void read_some(boost::asio::mutable_buffer into, Handler handler) {
    std::visit([&](auto& stream) { stream.async_read_some(into, guarded(std::move(handler))); }, stream_);
  }

  /// Writes all of `bytes`, which must stay where they are until the handler runs.
  template <class Handler>  // void(error_code, size_t)
  void write(boost::asio::const_buffer bytes, Handler handler) {
    // All at once, as far as the kernel takes it; Asio's own condition asks for 64 KiB at a time.
    const auto rest = [](const error_code& failed, std::size_t) -> std::size_t {
      return failed ? 0 : 1 << 20;
    };
    std::visit(
        [&](auto& stream) { boost::asio::async_write(stream, bytes, rest, guarded(std::move(handler))); },
        stream_);
  }

  /// Whether it is TLS.
  bool secure() const noexcept { return std::holds_alternative<tls_stream>(stream_); }

  /// Before the handshake of whoever dials: the certificate must be for `host`, a DNS name or an address, and
  /// the peer is told that it is asked for it. Nothing without TLS. Not for nodes, whose names have rules of
  /// their own: for them there is `certified_for`.
  void expect_host(const std::string& host);

  /// Whether the peer has shown a certificate for the node `name`. True without TLS.
  bool certified_for(std::string_view name);

  /// Whom the peer's certificate is for, for messages.
  std::string certified_names();

  /// Ends it at once, in both directions. May be called again, and at any time.
  void close() noexcept;

  /// The socket below.
  tcp::socket& socket() noexcept;

  /// Where the peer is, `10.0.0.1:7000`; also after `close()`.
  const std::string& remote() const noexcept { return remote_; }

 private:
  using tls_stream = boost::asio::ssl::stream<tcp::socket>;

  template <class Handler>
  detail::unless_closed<Handler> guarded(Handler handler) {
    return {&closed_, std::move(handler)};
  }

  void tune();

  std::shared_ptr<boost::asio::ssl::context> context_;  // before the stream, which uses it to its end
  std::variant<tcp::socket, tls_stream> stream_;
  std::string remote_;
  bool closed_ = false;
};

}  // namespace cafmcp::cluster

/// A guarded handler runs where, and is stored how, the handler itself wants.
template <template <class, class> class Associator, class Handler, class Default>
struct boost::asio::associator<Associator, cafmcp::cluster::detail::unless_closed<Handler>, Default>
    : Associator<Handler, Default> {
  static auto get(const cafmcp::cluster::detail::unless_closed<Handler>& h) noexcept {
    return Associator<Handler, Default>::get(h.handler);
  }
  static auto get(const cafmcp::cluster::detail::unless_closed<Handler>& h, const Default& d) noexcept
      -> decltype(Associator<Handler, Default>::get(h.handler, d)) {
    return Associator<Handler, Default>::get(h.handler, d);
  }
};
