// The exchange of http-get and http-post: the plan's prebuilt request, over and over on one kept-alive
// connection.

#include "bench/http_parsers.hpp"
#include "bench/worker.hpp"

namespace cafmcp::bench {

namespace {

struct received {
  int status = 0;
  bool keep_alive = false;
  std::size_t bytes = 0;
  failure kind = failure::read;  // with `ec` only
  error_code ec;
};

// Reads one final response. Informational ones (1xx) before it are skipped.
task<received> read_response(tcp_socket& socket, input& in) {
  received out;
  for (;;) {
    response_parser parser;
    for (;;) {
      const std::size_t before = in.data().size();
      parse(parser, in, out.ec);
      out.bytes += before - in.data().size();
      if (out.ec) {
        out.kind = failure::protocol;
        co_return out;
      }
      if (parser.is_done())
        break;
      const auto space = in.space();
      if (space.size() == 0) {
        out.kind = failure::protocol;
        out.ec = make_error_code(http::error::buffer_overflow);
        co_return out;
      }
      auto [ec, bytes] = co_await socket.async_read_some(space, awaiting);
      in.added(bytes);
      if (ec == asio::error::eof && parser.got_some()) {
        parser.put_eof(ec);  // a body may be ended by the end of the connection
        if (!ec)
          break;
      }
      if (ec) {
        out.kind =
            ec == asio::error::eof || ec == http::error::partial_message ? failure::closed : failure::read;
        out.ec = ec;
        co_return out;
      }
    }
    out.status = parser.status();
    out.keep_alive = parser.keep_alive();
    if (out.status >= 200)
      co_return out;
  }
}

}  // namespace

task<bool> exchange_http(worker& w, tcp_socket socket) {
  const std::string_view request = w.the_plan().request;
  input in;
  bool useful = false;
  auto now = steady_clock::now();
  for (;;) {
    const auto sent_at = now;
    error_code ec;
    const std::size_t sent = write_now(socket, request, ec);
    if (!ec && sent < request.size())
      ec = co_await write_rest(socket, request.substr(sent));
    if (ec) {
      w.failed(failure::write, ec.message());
      co_return useful;
    }
    const received answer = co_await read_response(socket, in);
    if (answer.ec) {
      w.failed(answer.kind, answer.ec.message());
      co_return useful;
    }
    useful = true;
    now = steady_clock::now();
    if (answer.status < 300)
      w.answered(sent_at, now, request.size(), answer.bytes);
    else
      w.failed(failure::status, "HTTP " + std::to_string(answer.status), answer.status);
    if (!answer.keep_alive)
      co_return useful;
  }
}

}  // namespace cafmcp::bench
