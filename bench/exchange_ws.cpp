// The exchange of ws-echo: up to `pipeline` messages in flight on one WebSocket, each compared with what
// comes back.

#include <cstring>
#include <vector>

#include "bench/ws_pump.hpp"

namespace cafmcp::bench {

namespace {

class echo_loop final : public ws_pump {
 public:
  echo_loop(worker& w, ws_stream& ws)
      : ws_pump(w, ws), body_(w.the_plan().body), sent_at_(w.the_plan().pipeline) {}

  bool answered() const { return answered_ > 0; }

 private:
  std::string_view next() override {
    if (sent_ - answered_ == sent_at_.size())
      return {};
    sent_at_[sent_++ % sent_at_.size()] = steady_clock::now();
    return body_;
  }

  bool take(beast::flat_buffer& message) override {
    const auto now = steady_clock::now();
    if (message.size() == body_.size() && std::memcmp(message.data().data(), body_.data(), body_.size()) == 0)
      worker_.answered(sent_at_[answered_ % sent_at_.size()], now, body_.size(), message.size());
    else
      worker_.failed(failure::mismatch, "an echo differs from what was sent");
    ++answered_;
    return true;
  }

  const std::string& body_;
  std::vector<steady_clock::time_point> sent_at_;  // a ring: the peer answers in order
  std::uint64_t sent_ = 0;
  std::uint64_t answered_ = 0;
};

}  // namespace

task<bool> exchange_ws_echo(worker& w, tcp_socket socket) {
  ws_stream ws{std::move(socket)};
  const std::string refusal = co_await open_websocket(w.the_plan(), ws);
  if (!refusal.empty()) {
    w.failed(failure::handshake, refusal);
    co_return false;
  }
  echo_loop loop{w, ws};
  co_await loop.run();
  co_return loop.answered();
}

}  // namespace cafmcp::bench
