// The exchange of `--session open`: one session after the other is opened and left, until there are as many
// as the plan wants. A server that is too busy is asked again; a session that was begun goes on over the next
// connection.

#include "bench/mcp_http_client.hpp"

namespace cafmcp::bench {

using namespace std::chrono_literals;

namespace {

class opener final : mcp_http_client {
 public:
  using mcp_http_client::mcp_http_client;

  task<bool> run();

 private:
  bool initialized();
  bool announced();

  http_session& session_ = sessions_.all.front();
};

bool opener::initialized() {
  if (!take_initialize(session_))
    return false;
  sessions_.id = response_.session_id();
  if (sessions_.id.empty()) {
    session_ = {};
    worker_.failed(failure::session, "initialize was answered without Mcp-Session-Id: nothing to resume");
  }
  return !sessions_.id.empty();
}

bool opener::announced() {
  if (!take_announce(session_))
    return false;
  worker_.answered(sessions_.since, steady_clock::now(), std::exchange(bytes_sent_, 0),
                   std::exchange(bytes_received_, 0));
  worker_.keep_id(sessions_.id);
  session_ = {};
  sessions_.piece.reset();
  worker_.work().done();
  return true;
}

task<bool> opener::run() {
  bool useful = false;
  for (;;) {
    if (!sessions_.piece && !(sessions_.piece = worker_.work().take())) {
      co_await pause(10ms);  // others may still fail, and leave theirs to do
      continue;
    }
    const bool begins = session_.fields.empty();
    const auto sent = steady_clock::now();
    if (begins)
      sessions_.since = sent;
    task<bool> posted = begins ? post({}, the_plan().messages.initialize)
                               : post(session_.fields, the_plan().messages.initialized);
    const bool answered = co_await std::move(posted);
    bool good = answered;
    if (const auto wait = answered ? busy_for() : std::nullopt) {
      worker_.work().again();
      co_await pause(*wait);
    } else if (answered) {
      if (begins)
        worker_.answered_initialize(sent, steady_clock::now());
      good = begins ? initialized() : announced();
    }
    useful = useful || good;
    if (!good && session_.fields.empty() && sessions_.piece) {
      sessions_.piece.reset();
      worker_.work().give_back();
    }
    if (!good || !response_.keep_alive())
      co_return good || (answered && useful);
  }
}

}  // namespace

task<bool> exchange_open(worker& w, tcp_socket socket, http_sessions& sessions) {
  opener client{w, std::move(socket), sessions};
  co_return co_await client.run();
}

}  // namespace cafmcp::bench
