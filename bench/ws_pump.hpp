#pragma once
// The open end of a WebSocket for the exchanges: sends messages as long as there are any to send, and
// receives side by side with that, since a peer that waits for us to read would otherwise wait for ever. What
// is sent, and what becomes of what comes, is the exchange's. Of the worker's thread.

#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/websocket/stream.hpp>
#include <string>
#include <string_view>

#include "bench/worker.hpp"

namespace cafmcp::bench {

namespace websocket = beast::websocket;

using ws_stream = websocket::stream<tcp_socket>;

/// Makes `ws` a WebSocket of the plan's. Empty, or why that failed, for a person.
task<std::string> open_websocket(const plan& p, ws_stream& ws);

/// How a broken connection counts.
failure kind_of(const error_code& ec, failure otherwise);

/// Lives in the coroutine that awaits `run`, which returns only when neither operation is pending.
class ws_pump {
 public:
  ws_pump(worker& w, ws_stream& ws);
  ws_pump(const ws_pump&) = delete;
  ws_pump& operator=(const ws_pump&) = delete;

  /// Until the connection breaks.
  task<void> run();

 protected:
  ~ws_pump() = default;

  /// The next message, valid until it is asked for again; empty when nothing is to be sent before something
  /// has come.
  virtual std::string_view next() = 0;

  /// A message has come. False: the connection is of no more use, and why is counted.
  virtual bool take(beast::flat_buffer& message) = 0;

  /// Ends the connection; the failure is counted already.
  void end();

  worker& worker_;

 private:
  void write_next();
  void read_next();
  void broke(failure kind, error_code ec);
  void ended();

  ws_stream& ws_;
  timer done_;
  beast::flat_buffer buffer_;
  bool writing_ = false;
  bool reading_ = false;
  bool ended_ = false;
};

}  // namespace cafmcp::bench
