#include "bench/ws_pump.hpp"

namespace cafmcp::bench {

namespace http = beast::http;

task<std::string> open_websocket(const plan& p, ws_stream& ws) {
  ws.set_option(websocket::stream_base::decorator([&p](websocket::request_type& request) {
    request.set(http::field::sec_websocket_protocol, "mcp");
    for (const auto& [name, value] : p.headers)
      request.set(name, value);
  }));
  ws.auto_fragment(false);
  ws.read_message_max(max_body_bytes);
  ws.secure_prng(false);  // masks protect proxies from scripts; there are neither here
  ws.text(true);
  websocket::response_type response;
  auto [ec] = co_await ws.async_handshake(response, p.where.authority(), p.where.path, awaiting);
  if (!ec)
    co_return "";
  co_return ec == websocket::error::upgrade_declined ? "HTTP " + std::to_string(response.result_int())
                                                     : ec.message();
}

failure kind_of(const error_code& ec, failure otherwise) {
  return ec == websocket::error::closed || ec == asio::error::eof ? failure::closed : otherwise;
}

ws_pump::ws_pump(worker& w, ws_stream& ws) : worker_(w), ws_(ws), done_(w.context()) {
  done_.expires_at(steady_clock::time_point::max());
}

task<void> ws_pump::run() {
  write_next();
  read_next();
  co_await done_.async_wait(awaiting);
}

void ws_pump::write_next() {
  if (writing_ || ended_)
    return;
  const std::string_view message = next();
  if (message.empty())
    return;
  writing_ = true;
  ws_.async_write(asio::buffer(message), [this](error_code ec, std::size_t) {
    writing_ = false;
    if (ec || ended_)
      broke(failure::write, ec);
    else
      write_next();
  });
}

void ws_pump::read_next() {
  reading_ = true;
  ws_.async_read(buffer_, [this](error_code ec, std::size_t) {
    reading_ = false;
    if (ec || ended_) {
      broke(kind_of(ec, failure::read), ec);
      return;
    }
    if (!take(buffer_)) {
      end();
      ended();
      return;
    }
    buffer_.clear();
    write_next();
    read_next();
  });
}

// The first failure counts and closes, which ends the other operation; the last to end wakes `run`.
void ws_pump::broke(failure kind, error_code ec) {
  if (!ended_) {
    worker_.failed(kind, ec.message());
    end();
  }
  ended();
}

void ws_pump::end() {
  ended_ = true;
  error_code ignored;
  ws_.next_layer().close(ignored);
}

void ws_pump::ended() {
  if (!writing_ && !reading_)
    done_.cancel();
}

}  // namespace cafmcp::bench
