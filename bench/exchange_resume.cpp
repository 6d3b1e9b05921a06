// The exchange of `--session resume`: one call in each of the sessions that the plan names, as a client makes
// that comes back. A call that the server was too busy for, or not ready, is sent again for as long as the
// plan's timeout; whatever else goes wrong with it is an error, and the session's turn is over.

#include "bench/mcp_http_client.hpp"

namespace cafmcp::bench {

using namespace std::chrono_literals;

namespace {

class resumer final : mcp_http_client {
 public:
  using mcp_http_client::mcp_http_client;

  task<bool> run();

 private:
  bool take();
  void judge(steady_clock::time_point now, bool busy);
  void finish();

  http_session& session_ = sessions_.all.front();
};

// Begins with the next session; false when all are taken.
bool resumer::take() {
  sessions_.piece = worker_.work().take();
  if (!sessions_.piece)
    return false;
  session_ = {session_fields(the_plan().ids[*sessions_.piece], session_revision), true, true};
  sessions_.since = steady_clock::now();
  bytes_sent_ = bytes_received_ = 0;
  return true;
}

void resumer::judge(steady_clock::time_point now, bool busy) {
  if (busy)
    worker_.failed(failure::timeout, "refused for as long as the timeout; the last answer was HTTP " +
                                         std::to_string(response_.status()) + " " +
                                         excerpt(response_.message()));
  else if (response_.status() == 404)
    worker_.failed(failure::lost, "HTTP 404 " + excerpt(response_.message()));
  else if (check_call(session_))
    worker_.answered(sessions_.since, now, bytes_sent_, bytes_received_);
}

void resumer::finish() {
  sessions_.piece.reset();
  worker_.work().done();
}

task<bool> resumer::run() {
  bool useful = false;
  for (;;) {
    if (!sessions_.piece && !take()) {
      co_await pause(10ms);  // until others have done theirs, and the run ends
      continue;
    }
    prepare_call(session_);
    waiting_since_ = steady_clock::now();
    const bool answered = co_await send() && co_await receive();
    waiting_since_ = nothing_awaited;
    if (!answered) {
      finish();
      co_return useful;
    }
    useful = true;
    const auto now = steady_clock::now();
    const auto wait = busy_for();
    if (wait && now + *wait - sessions_.since <= the_plan().timeout) {
      worker_.work().again();
      co_await pause(*wait);
    } else {
      judge(now, wait.has_value());
      finish();
    }
    if (!response_.keep_alive())
      co_return true;
  }
}

}  // namespace

task<bool> exchange_resume(worker& w, tcp_socket socket, http_sessions& sessions) {
  resumer client{w, std::move(socket), sessions};
  co_return co_await client.run();
}

}  // namespace cafmcp::bench
