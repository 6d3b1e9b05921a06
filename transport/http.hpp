#pragma once
// What a handler sees of HTTP: a request, a response to fill in, and, if it wants more than one answer, the
// connection itself.
//
// A handler is either a plain function (the fast path: it answers at once and must not block) or a coroutine.
// Both fill in a `response` that the connection owns and uses again for its next request, so that an answer
// costs no allocation once the connection's buffers have grown. A handler that wants to stream (SSE) or to
// speak something else (WebSocket) calls `response::take_over`: nothing is written then, and its coroutine
// gets the connection as a `stream`.
//
// Everything here belongs to one connection and is touched on the thread of its context only; handlers run
// there too. A coroutine handler is cancelled (`asio::cancellation_type::terminal`) when its time is up or
// its connection is closed.

#include <boost/asio/awaitable.hpp>
#include <boost/asio/basic_stream_socket.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/field.hpp>
#include <boost/beast/http/message.hpp>
#include <boost/beast/http/verb.hpp>
#include <chrono>
#include <concepts>
#include <cstddef>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace cafmcp::otp {
class timer_service;
}  // namespace cafmcp::otp

namespace cafmcp::transport {

namespace asio = boost::asio;
namespace http = boost::beast::http;

class connection;

/// The socket of a connection: on a known executor, which is cheaper than Asio's default one.
using tcp_socket = asio::basic_stream_socket<asio::ip::tcp, asio::io_context::executor_type>;

/// One header field; the views are into the request.
struct header_field {
  http::field id;  ///< `http::field::unknown` for names that Beast does not know
  std::string_view name;
  std::string_view value;
};

/// A request whose syntax has been checked (RFC 9112). Its views stay good as long as it lives, also when it
/// is moved.
class request {
 public:
  request() = default;
  request(request&&) = default;
  request& operator=(request&&) = default;

  http::verb method = http::verb::unknown;
  unsigned version = 11;    ///< 10 or 11
  std::string_view target;  ///< as sent
  std::string_view path;    ///< begins with '/', not percent-decoded; "*" for OPTIONS of the server
  std::string_view query;   ///< what follows '?', without it
  std::string_view host;    ///< the authority: from an absolute target, else from Host; may be empty
  std::string_view tail;    ///< for a prefix route: the path behind the prefix
  std::string body;         ///< decoded
  asio::ip::tcp::endpoint remote;
  std::size_t context = 0;  ///< the context of the pool that the connection lives on
  bool keep_alive = false;  ///< the client wants to use the connection again

  const std::vector<header_field>& headers() const noexcept { return headers_; }

  /// The first value of a field; empty if there is none.
  std::string_view operator[](http::field id) const noexcept;

  /// The first value of a field by its name (case does not matter); null if there is none.
  const std::string_view* find(std::string_view name) const noexcept;

  /// How often a field occurs.
  std::size_t count(http::field id) const noexcept;

  /// The head as a Beast message, as `websocket::stream::async_accept` wants it. Allocates.
  http::request<http::empty_body> to_beast() const;

 private:
  friend class request_parser;
  friend struct workspace;
  void clear() noexcept;

  std::vector<char> head_;  // the head's bytes, which all views point into
  std::vector<header_field> headers_;
};

/// What to do with a connection when the coroutine that took it over is done.
enum class after : unsigned char {
  close,
  keep_alive,  ///< go on with HTTP: the coroutine has written a complete response and left the unread bytes
               ///< alone
};

/// A connection in the hands of a handler. Good until the handler's coroutine ends.
class stream {
 public:
  explicit stream(connection& owner) noexcept : owner_(owner) {}
  stream(const stream&) = delete;
  stream& operator=(const stream&) = delete;

  tcp_socket& socket() noexcept;
  const asio::ip::tcp::endpoint& remote() const noexcept;

  /// The request; good until `release`.
  request& head() noexcept;

  /// The timers of the connection's context.
  otp::timer_service& timers() noexcept;

  /// What was read behind the request: the first bytes of what comes next. Hands it out once, and before
  /// `release`.
  std::string take_leftover();

  /// Gives the request and the buffers back, so that a quiet stream costs little memory. Not with
  /// `after::keep_alive`.
  void release() noexcept;

  /// Closes the connection when `delay` has passed; call it again to move that moment. Zero means never, as
  /// at the start.
  void close_after(std::chrono::milliseconds delay);

  /// Whether the server is going away.
  bool draining() const noexcept;

  /// Is called, on this thread, when the server begins to go away: say good-bye and return. At the end of the
  /// drain the socket is closed in any case.
  void on_drain(std::function<void()> f);

  /// Adds to the server's byte counters.
  void count(std::size_t bytes_in, std::size_t bytes_out) noexcept;

 private:
  connection& owner_;
};

/// What takes a connection over.
using takeover = std::function<asio::awaitable<after>(stream&)>;

/// An answer in the making. Starts as 200 without a body.
class response {
 public:
  unsigned status = 200;     ///< 200 to 599
  std::string content_type;  ///< no such header if empty
  std::string body;
  bool close = false;  ///< close the connection after this answer

  /// Adds a header. Bytes that would end the line become spaces. `Content-Length`, `Content-Type`,
  /// `Connection`, `Date` and `Transfer-Encoding` are the server's business: don't.
  void header(std::string_view name, std::string_view value);

  /// Sets status, content type `application/json` and the body.
  void json(unsigned code, std::string_view document);

  /// Answers with `{"error":{"code":…,"message":…}}`. `message` says what to do; bytes outside ASCII become
  /// '?'.
  void fail(unsigned code, std::string_view error_code, std::string_view message);

  /// Hands the connection to `f` instead of answering.
  void take_over(takeover f) { takeover_ = std::move(f); }

  /// Back to the start; keeps the memory.
  void clear() noexcept;

 private:
  friend class connection;
  friend struct workspace;
  friend bool serialise(const response&, unsigned, bool, bool, std::string&);
  friend void serialise_head(const response&, unsigned, bool, std::string&);

  std::string extra_;  // header lines, ready to be sent
  takeover takeover_;
};

/// Answers at once. Must not block.
using sync_handler = std::function<void(request&, response&)>;

/// Answers later. The arguments stay good until it is done.
using async_handler = std::function<asio::awaitable<void>(request&, response&)>;

/// A handler of either kind: give it any function object, its return type decides.
class handler {
 public:
  handler() = default;

  template <class F>
  requires(!std::same_as<std::remove_cvref_t<F>, handler> && std::invocable<F&, request&, response&>)
      handler(F&& f) {
    if constexpr (std::same_as<std::invoke_result_t<F&, request&, response&>, asio::awaitable<void>>)
      later = std::forward<F>(f);
    else
      now = std::forward<F>(f);
  }

  sync_handler now;
  async_handler later;
};

/// Why a request is refused before a handler sees it. Static data.
struct refusal {
  unsigned status;
  const char* code;
  const char* message;
};

/// The standard reason phrase of a status.
std::string_view reason(unsigned status) noexcept;

/// Replaces `out` by the bytes of an answer. The body is left out (returns false) if it is so big that it
/// should be written from where it is; `head_only` leaves it out for good but keeps its length in the head.
bool serialise(const response& res, unsigned version, bool keep_alive, bool head_only, std::string& out);

/// Replaces `out` by the head of an answer whose body has no known length: chunked, or (HTTP/1.0, where
/// `keep_alive` must be false) ended by the end of the connection.
void serialise_head(const response& res, unsigned version, bool keep_alive, std::string& out);

/// The complete bytes of an error answer that closes the connection; `retry_after` in seconds, 0 for no such
/// header.
std::string closing_answer(const refusal& why, unsigned retry_after);

}  // namespace cafmcp::transport
