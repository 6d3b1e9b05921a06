// The exchange of ws-echo: up to `pipeline` messages in flight on one WebSocket, each compared with what
// comes back. Sending and receiving go on side by side, since a peer that waits for us to read would
// otherwise wait for ever.

#include <boost/asio/co_spawn.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/websocket/stream.hpp>
#include <cstring>
#include <vector>

#include "bench/worker.hpp"

namespace cafmcp::bench {

namespace websocket = beast::websocket;
namespace http = beast::http;

namespace {

using ws_stream = websocket::stream<tcp_socket>;

// Lives in the coroutine that awaits `run`, which returns only when neither operation is pending.
class echo_loop {
 public:
  echo_loop(worker& w, ws_stream& ws)
      : worker_(w), ws_(ws), body_(w.the_plan().body), sent_at_(w.the_plan().pipeline), done_(w.context()) {
    done_.expires_at(steady_clock::time_point::max());
  }

  task<bool> run() {
    write_next();
    read_next();
    co_await done_.async_wait(awaiting);
    co_return answered_ > 0;
  }

 private:
  void write_next() {
    sent_at_[sent_++ % sent_at_.size()] = steady_clock::now();
    writing_ = true;
    ws_.async_write(asio::buffer(body_), [this](error_code ec, std::size_t) {
      writing_ = false;
      if (ec || broken_)
        broke(failure::write, ec);
      else if (sent_ - answered_ < sent_at_.size())
        write_next();
    });
  }

  void read_next() {
    reading_ = true;
    ws_.async_read(buffer_, [this](error_code ec, std::size_t) {
      reading_ = false;
      if (ec || broken_) {
        const bool closed = ec == websocket::error::closed || ec == asio::error::eof;
        broke(closed ? failure::closed : failure::read, ec);
        return;
      }
      take();
      if (!writing_)
        write_next();
      read_next();
    });
  }

  void take() {
    const auto now = steady_clock::now();
    if (buffer_.size() == body_.size() && std::memcmp(buffer_.data().data(), body_.data(), body_.size()) == 0)
      worker_.answered(sent_at_[answered_ % sent_at_.size()], now, body_.size(), buffer_.size());
    else
      worker_.failed(failure::mismatch, "an echo differs from what was sent");
    ++answered_;
    buffer_.clear();
  }

  // The first failure counts and closes, which ends the other operation; the last to end wakes `run`.
  void broke(failure kind, error_code ec) {
    if (!std::exchange(broken_, true)) {
      worker_.failed(kind, ec.message());
      error_code ignored;
      ws_.next_layer().close(ignored);
    }
    if (!writing_ && !reading_)
      done_.cancel();
  }

  worker& worker_;
  ws_stream& ws_;
  const std::string& body_;
  std::vector<steady_clock::time_point> sent_at_;  // a ring: the peer answers in order
  timer done_;
  beast::flat_buffer buffer_;
  std::uint64_t sent_ = 0;
  std::uint64_t answered_ = 0;
  bool writing_ = false;
  bool reading_ = false;
  bool broken_ = false;
};

}  // namespace

task<bool> exchange_ws_echo(worker& w, tcp_socket socket) {
  const plan& p = w.the_plan();
  ws_stream ws{std::move(socket)};
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
  if (ec) {
    const bool declined = ec == websocket::error::upgrade_declined;
    w.failed(failure::handshake, declined ? "HTTP " + std::to_string(response.result_int()) : ec.message());
    co_return false;
  }
  echo_loop loop{w, ws};
  co_return co_await loop.run();
}

}  // namespace cafmcp::bench
