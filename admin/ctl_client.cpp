#include "admin/ctl_client.hpp"

#include <boost/asio/connect.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>

namespace cafmcp::admin {

namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = boost::beast::http;

constexpr std::uint64_t largest_answer = 64ull << 20;

// Runs one asynchronous step to its end; the stream's time limit ends it if the node doesn't.
template <class Start>
beast::error_code run_step(asio::io_context& io, Start start) {
  beast::error_code outcome = asio::error::would_block;
  start([&](beast::error_code ec, auto&&...) { outcome = ec; });
  io.restart();
  io.run();
  return outcome;
}

}  // namespace

result<ctl_target> parse_node_url(const std::string& url) {
  constexpr std::string_view scheme = "http://";
  std::string_view rest = url;
  if (!rest.starts_with(scheme))
    return fail(errc::invalid, "'" + url + "' is not a node: write http://HOST:PORT");
  rest.remove_prefix(scheme.size());
  rest = rest.substr(0, rest.find('/'));
  const auto colon = rest.rfind(':');
  if (colon == std::string_view::npos || colon == 0 || colon + 1 == rest.size() ||
      rest.find_first_not_of("0123456789", colon + 1) != std::string_view::npos)
    return fail(errc::invalid, "'" + url + "' has no port: write http://HOST:PORT");
  auto host = rest.substr(0, colon);
  if (host.starts_with('[') && host.ends_with(']'))
    host = host.substr(1, host.size() - 2);
  return ctl_target{std::string{host}, std::string{rest.substr(colon + 1)}, {}};
}

result<ctl_answer> send(const ctl_target& target, const std::string& method, const std::string& path,
                        const std::string& body, std::chrono::milliseconds timeout) {
  const auto where = target.host + ':' + target.port;
  const auto unreachable = [&](const beast::error_code& ec) {
    return fail(errc::unavailable, "cannot reach the node at " + where + ": " +
                                       (ec == beast::error::timeout ? "no answer in time" : ec.message()));
  };
  asio::io_context io;
  beast::error_code ec;
  const auto endpoints = asio::ip::tcp::resolver{io}.resolve(target.host, target.port, ec);
  if (ec)
    return unreachable(ec);
  beast::tcp_stream stream{io};
  stream.expires_after(timeout);
  if ((ec = run_step(io, [&](auto done) { stream.async_connect(endpoints, done); })))
    return unreachable(ec);
  http::request<http::string_body> request{http::string_to_verb(method), path, 11};
  request.set(http::field::host, where);
  request.set(http::field::connection, "close");
  if (!target.token.empty())
    request.set(http::field::authorization, "Bearer " + target.token);
  if (!body.empty())
    request.set(http::field::content_type, "application/json");
  request.body() = body;
  request.prepare_payload();
  if ((ec = run_step(io, [&](auto done) { http::async_write(stream, request, done); })))
    return unreachable(ec);
  beast::flat_buffer buffer;
  http::response_parser<http::string_body> parser;
  parser.body_limit(largest_answer);
  if ((ec = run_step(io, [&](auto done) { http::async_read(stream, buffer, parser, done); })))
    return unreachable(ec);
  auto document = nlohmann::ordered_json::parse(parser.get().body(), nullptr, false);
  if (document.is_discarded())
    return fail(errc::invalid, "what answers at " + where + " is no cafmcp admin listener (HTTP " +
                                   std::to_string(parser.get().result_int()) + ", not JSON)");
  return ctl_answer{parser.get().result_int(), std::move(document)};
}

}  // namespace cafmcp::admin
