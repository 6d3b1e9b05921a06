#pragma once
// The steps of a client of Streamable HTTP on one connection, one request in flight: to open a session, to
// call a tool in it, to end it. An exchange derives from it and puts the steps together. A step that is a
// coroutine is false when the connection is of no more use; what was wrong is counted then. Lives in the
// coroutine of its connection, on the worker's thread.

#include <optional>
#include <string>
#include <string_view>

#include "bench/mcp_response.hpp"
#include "bench/worker.hpp"

namespace cafmcp::bench {

class mcp_http_client : public waiter {
 public:
  mcp_http_client(worker& w, tcp_socket socket, http_sessions& sessions)
      : waiter(w), socket_(std::move(socket)), sessions_(sessions), response_(w.answers()) {}

 protected:
  ~mcp_http_client() = default;

  const plan& the_plan() const { return worker_.the_plan(); }

  /// Opens a session; tells the server that it is open; ends it.
  task<bool> initialize(http_session& session);
  task<bool> announce(http_session& session);
  task<bool> end_session(const http_session& session);

  /// Sends a message and receives the answer, which is not looked at.
  task<bool> post(std::string_view session, std::string_view body);

  /// Takes the answer to `initialize`, or to the notification that follows, into `session`. False when it is
  /// none; that is counted.
  bool take_initialize(http_session& session);
  bool take_announce(http_session& session);

  /// Makes the next call, for `send`. Whether the answer that was received is a success; what else it is, is
  /// counted.
  void prepare_call(const http_session& session);
  bool check_call(http_session& session);
  task<bool> send();
  task<bool> receive();

  /// How long to wait before the request is sent again, when the server was too busy for it: 503 with
  /// Retry-After, or the JSON-RPC error that says so. At most a second.
  std::optional<steady_clock::duration> busy_for();

  /// A pause in which nothing is waited for, before the next step.
  task<void> pause(steady_clock::duration how_long);

  /// No session was opened, as the answer to `step` says. Counts it; false.
  bool refused(const char* step);

  tcp_socket socket_;
  http_sessions& sessions_;
  mcp_response response_;
  std::size_t bytes_sent_ = 0;      ///< since they were counted last
  std::size_t bytes_received_ = 0;  ///< likewise
  steady_clock::time_point waiting_since_ = nothing_awaited;

 private:
  steady_clock::time_point waiting_since() const final { return waiting_since_; }
  void give_up() final;
  bool broken(failure kind, const error_code& ec);

  input in_;
  std::string body_;
  std::string out_;
  bool given_up_ = false;
};

}  // namespace cafmcp::bench
