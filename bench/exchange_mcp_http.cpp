// The exchange of mcp-http: sessions over Streamable HTTP, one request in flight on a connection. A session
// that is kept goes on when its connection has ended, as those of clients do, and is opened anew when the
// server says that it is gone.

#include "bench/mcp_http_client.hpp"

namespace cafmcp::bench {

namespace {

class caller final : mcp_http_client {
 public:
  using mcp_http_client::mcp_http_client;

  task<bool> run() { return the_plan().use == session_use::keep ? keep() : live_once(); }

 private:
  task<bool> keep();
  task<bool> live_once();

  bool useful_ = false;
};

task<bool> caller::keep() {
  do {
    http_session& session = sessions_.all[sessions_.next % sessions_.all.size()];
    if (session.fields.empty() || !session.announced) {
      task<bool> step = session.fields.empty() ? initialize(session) : announce(session);
      const bool stepped = co_await std::move(step);
      if (!stepped)
        co_return useful_;
      useful_ = true;
      bytes_sent_ = bytes_received_ = 0;
      continue;
    }
    ++sessions_.next;
    prepare_call(session);
    const auto since = waiting_since_ = steady_clock::now();
    const bool answered = co_await send() && co_await receive();
    if (!answered)
      co_return useful_;
    const auto now = steady_clock::now();
    waiting_since_ = nothing_awaited;
    useful_ = true;
    const std::size_t sent = std::exchange(bytes_sent_, 0);
    const std::size_t received = std::exchange(bytes_received_, 0);
    if (check_call(session))
      worker_.answered(since, now, sent, received);
  } while (response_.keep_alive());
  co_return true;
}

task<bool> caller::live_once() {
  const auto since = steady_clock::now();
  http_session session;
  const bool open = co_await initialize(session) && co_await announce(session);
  if (!open)
    co_return false;
  prepare_call(session);
  waiting_since_ = steady_clock::now();
  const bool sent = co_await send();
  if (!sent)
    co_return false;
  if (the_plan().use == session_use::abandon) {
    drop(socket_, worker_.alternate());
  } else {
    const bool ended = co_await receive() && check_call(session) && co_await end_session(session);
    if (!ended)
      co_return false;
  }
  worker_.answered(since, steady_clock::now(), bytes_sent_, bytes_received_);
  co_return true;
}

}  // namespace

task<bool> exchange_mcp_http(worker& w, tcp_socket socket, http_sessions& sessions) {
  caller client{w, std::move(socket), sessions};
  co_return co_await client.run();
}

}  // namespace cafmcp::bench
