// The exchange of mcp-http: sessions over Streamable HTTP, one request in flight on a connection. A session
// that is kept goes on when its connection has ended, as those of clients do, and is opened anew when the
// server says that it is gone.

#include "bench/mcp_response.hpp"
#include "bench/worker.hpp"

namespace cafmcp::bench {

namespace {

class mcp_http_client final : waiter {
 public:
  mcp_http_client(worker& w, tcp_socket socket, http_sessions& sessions)
      : waiter(w), socket_(std::move(socket)), sessions_(sessions), response_(w.answers()) {}

  task<bool> run() { return worker_.the_plan().use == session_use::keep ? keep() : live_once(); }

 private:
  steady_clock::time_point waiting_since() const override { return waiting_since_; }
  void give_up() override {
    given_up_ = true;
    error_code ignored;
    socket_.close(ignored);
  }

  const plan& the_plan() const { return worker_.the_plan(); }

  // Counts a failure of the connection, unless it was ended for one that is counted already.
  bool broken(failure kind, const error_code& ec) {
    if (!given_up_)
      worker_.failed(kind, ec.message());
    return false;
  }

  task<bool> keep();
  task<bool> live_once();
  task<bool> initialize(http_session& session);
  task<bool> announce(http_session& session);
  task<bool> end_session(const http_session& session);
  task<bool> send();
  task<bool> receive();
  task<bool> post(std::string_view session, std::string_view body);
  void prepare_call(const http_session& session);
  bool check_call(http_session& session);
  bool refused(const char* step);

  tcp_socket socket_;
  http_sessions& sessions_;
  input in_;
  mcp_response response_;
  std::string body_;
  std::string out_;
  std::size_t bytes_sent_ = 0;      // since they were counted last
  std::size_t bytes_received_ = 0;  // likewise
  steady_clock::time_point waiting_since_ = nothing_awaited;
  bool given_up_ = false;
  bool useful_ = false;
};

// The steps below are false when the connection is of no more use; what was wrong is counted.

task<bool> mcp_http_client::send() {
  error_code ec;
  const std::size_t sent = write_now(socket_, out_, ec);
  if (!ec && sent < out_.size())
    ec = co_await write_rest(socket_, std::string_view{out_}.substr(sent));
  bytes_sent_ += out_.size();
  co_return ec ? broken(failure::write, ec) : true;
}

// Reads one final response. Informational ones (1xx) before it are skipped.
task<bool> mcp_http_client::receive() {
  do {
    mcp_response_parser parser{response_};
    for (;;) {
      error_code ec;
      const std::size_t before = in_.data().size();
      parse(parser, in_, ec);
      bytes_received_ += before - in_.data().size();
      if (ec)
        co_return broken(failure::protocol, ec);
      if (parser.is_done())
        break;
      const auto space = in_.space();
      if (space.size() == 0)
        co_return broken(failure::protocol, make_error_code(http::error::buffer_overflow));
      auto [read_ec, bytes] = co_await socket_.async_read_some(space, awaiting);
      in_.added(bytes);
      if (read_ec == asio::error::eof && parser.got_some()) {
        parser.put_eof(read_ec);  // a body may be ended by the end of the connection
        if (!read_ec)
          break;
      }
      if (read_ec)
        co_return broken(read_ec == asio::error::eof || read_ec == http::error::partial_message
                             ? failure::closed
                             : failure::read,
                         read_ec);
    }
    parser.finish();
  } while (response_.status() < 200);
  co_return true;
}

task<bool> mcp_http_client::post(std::string_view session, std::string_view body) {
  out_.clear();
  append_request(the_plan().post_head, session, body, out_);
  waiting_since_ = steady_clock::now();
  const bool done = co_await send() && co_await receive();
  waiting_since_ = nothing_awaited;
  co_return done;
}

bool mcp_http_client::refused(const char* step) {
  worker_.failed(failure::session, std::string{step} + " was answered with HTTP " +
                                       std::to_string(response_.status()) + " " +
                                       excerpt(response_.message()));
  return false;
}

task<bool> mcp_http_client::initialize(http_session& session) {
  const bool answered = co_await post({}, the_plan().messages.initialize);
  if (!answered)
    co_return false;
  const mcp_answer answer = response_.read();
  if (response_.status() != 200 || answer.what != mcp_answer::kind::success || answer.id != initialize_id)
    co_return refused("initialize");
  const auto revision = negotiated_revision(response_.message());
  if (revision.has_error())
    co_return refused("initialize");
  session = {session_fields(response_.session_id(), *revision), !response_.session_id().empty(), false};
  co_return true;
}

task<bool> mcp_http_client::announce(http_session& session) {
  const bool answered = co_await post(session.fields, the_plan().messages.initialized);
  if (!answered)
    co_return false;
  if (response_.status() >= 300) {
    session = {};
    co_return refused("notifications/initialized");
  }
  session.announced = true;
  worker_.opened_session();
  co_return true;
}

// A server need not let clients end sessions: 405 says that it does not.
task<bool> mcp_http_client::end_session(const http_session& session) {
  if (!session.has_id)
    co_return true;
  out_.assign(the_plan().delete_head).append(session.fields).append("\r\n");
  waiting_since_ = steady_clock::now();
  const bool done = co_await send() && co_await receive();
  waiting_since_ = nothing_awaited;
  if (done && response_.status() >= 300 && response_.status() != 405)
    worker_.failed(failure::status, "DELETE: HTTP " + std::to_string(response_.status()), response_.status());
  co_return done && (response_.status() < 300 || response_.status() == 405);
}

void mcp_http_client::prepare_call(const http_session& session) {
  body_.clear();
  append_call(the_plan().messages, ++sessions_.last_id, body_);
  out_.clear();
  append_request(the_plan().post_head, session.fields, body_, out_);
}

// Whether the answer to the last call is a success; what else it is, is counted.
bool mcp_http_client::check_call(http_session& session) {
  if (response_.status() >= 300) {
    worker_.failed(failure::status,
                   "HTTP " + std::to_string(response_.status()) + " " + excerpt(response_.message()),
                   response_.status());
    if (response_.status() == 400 || response_.status() == 404)
      session = {};  // it is gone: another one takes its place
    return false;
  }
  const mcp_answer answer = response_.read();
  const bool ours = answer.id == sessions_.last_id;
  if (ours && answer.what == mcp_answer::kind::success)
    return true;
  if (ours && answer.what == mcp_answer::kind::failure)
    worker_.failed(failure::answer, answer.detail);
  else
    worker_.failed(failure::mismatch, "no answer to call " + std::to_string(sessions_.last_id) + ": " +
                                          excerpt(response_.message()));
  return false;
}

task<bool> mcp_http_client::keep() {
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

task<bool> mcp_http_client::live_once() {
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
  mcp_http_client client{w, std::move(socket), sessions};
  co_return co_await client.run();
}

}  // namespace cafmcp::bench
