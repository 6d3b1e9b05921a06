// One connection of the bare server: HTTP messages read, answered and written with buffers that are reused,
// then, if the peer upgrades, WebSocket messages.

#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/websocket/stream.hpp>
#include <charconv>

#include "bench/answer.hpp"
#include "bench/canned.hpp"
#include "bench/echo_server.hpp"
#include "bench/http_parsers.hpp"

namespace cafmcp::bench {

namespace websocket = beast::websocket;

namespace {

// What the connection keeps from message to message.
struct buffers {
  input in;
  std::string path;
  std::string body;
  std::string answer;
  std::string out;
  canned_answers canned;
};

// `fields` end with \r\n.
void append_response(std::string_view status, std::string_view fields, std::string_view body, bool keep_alive,
                     std::string& out) {
  std::array<char, 20> length{};
  const auto end = std::to_chars(length.data(), length.data() + length.size(), body.size()).ptr;
  out += "HTTP/1.1 ";
  out += status;
  out += keep_alive ? "\r\n" : "\r\nConnection: close\r\n";
  if (!body.empty())
    out += "Content-Type: application/json\r\n";
  out += fields;
  out += "Content-Length: ";
  out.append(length.data(), end);
  out += "\r\n\r\n";
  out += body;
}

// The answer to the message in `b.body`, or what else its path and method deserve.
void respond(const request_parser& request, answering how, buffers& b) {
  b.answer.clear();
  std::string_view status = "200 OK";
  std::string_view fields;
  if (request.method() == http::verb::get && b.path == "/health") {
    b.answer = R"({"status":"ok"})";
  } else if (b.path != "/mcp") {
    status = "404 Not Found";
  } else if (request.method() == http::verb::delete_ && how == answering::mcp) {
    status = "204 No Content";
  } else if (request.method() != http::verb::post) {
    status = "405 Method Not Allowed";
  } else if (how == answering::mcp) {
    const auto asked = b.canned.append(b.body, b.answer);
    if (asked == canned_answers::kind::nothing)
      status = "202 Accepted";
    else if (asked == canned_answers::kind::initialize)
      fields = "Mcp-Session-Id: ceiling\r\n";
  } else if (!append_answer(b.body, b.answer)) {
    status = "202 Accepted";
  }
  append_response(status, fields, b.answer, request.keep_alive(), b.out);
}

// WebSocket from the upgrade on; `handshake` are the request's bytes.
task<void> serve_websocket(tcp_socket socket, std::string_view handshake, bool offers_mcp, answering how) {
  websocket::stream<tcp_socket> ws{std::move(socket)};
  if (offers_mcp)
    ws.set_option(websocket::stream_base::decorator([](websocket::response_type& response) {
      response.set(http::field::sec_websocket_protocol, "mcp");
    }));
  ws.auto_fragment(false);
  ws.read_message_max(max_body_bytes);
  auto [ec] = co_await ws.async_accept(asio::buffer(handshake), awaiting);
  beast::flat_buffer message;
  std::string answer;
  canned_answers canned;
  while (!ec) {
    auto [read_ec, bytes] = co_await ws.async_read(message, awaiting);
    if (read_ec)
      co_return;
    std::string_view out{static_cast<const char*>(message.data().data()), message.size()};
    bool answered = true;
    if (how != answering::raw) {
      answer.clear();
      answered = how == answering::mcp ? canned.append(out, answer) != canned_answers::kind::nothing
                                       : append_answer(out, answer);
      out = answer;
    }
    ws.text(how != answering::raw || ws.got_text());
    if (answered)
      std::tie(ec, bytes) = co_await ws.async_write(asio::buffer(out), awaiting);
    message.clear();
  }
}

}  // namespace

task<void> serve(tcp_socket socket, answering how) {
  buffers b;
  for (;;) {
    request_parser request{b.path, b.body};
    std::size_t seen =
        0;  // of the data, already with the parser; kept until the header is whole, for an upgrade
    for (;;) {
      error_code ec;
      const std::string_view data = b.in.data().substr(seen);
      if (!data.empty())
        seen += request.put(asio::buffer(data), ec);
      if (ec && ec != http::error::need_more) {
        b.out.clear();
        append_response("400 Bad Request", {}, {}, false, b.out);
        write_now(socket, b.out, ec);
        co_return;
      }
      if (request.is_header_done()) {
        if (request.upgrade())
          co_return co_await serve_websocket(std::move(socket), b.in.data(), request.offers_mcp(), how);
        b.in.drop(std::exchange(seen, 0));
      }
      if (request.is_done())
        break;
      auto [read_ec, bytes] = co_await socket.async_read_some(b.in.space(), awaiting);
      if (read_ec)
        co_return;
      b.in.added(bytes);
    }
    b.out.clear();
    respond(request, how, b);
    error_code ec;
    const std::size_t sent = write_now(socket, b.out, ec);
    if (!ec && sent < b.out.size())
      ec = co_await write_rest(socket, std::string_view{b.out}.substr(sent));
    if (ec || !request.keep_alive())
      co_return;
  }
}

}  // namespace cafmcp::bench
