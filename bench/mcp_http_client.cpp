#include "bench/mcp_http_client.hpp"

#include <algorithm>

namespace cafmcp::bench {

using namespace std::chrono_literals;

namespace {

// The JSON-RPC error of a request that was not handled and may be sent again.
constexpr std::int64_t unavailable_code = -31503;

}  // namespace

void mcp_http_client::give_up() {
  given_up_ = true;
  error_code ignored;
  socket_.close(ignored);
}

// Counts a failure of the connection, unless it was ended for one that is counted already.
bool mcp_http_client::broken(failure kind, const error_code& ec) {
  if (!given_up_)
    worker_.failed(kind, ec.message());
  return false;
}

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

bool mcp_http_client::take_initialize(http_session& session) {
  const mcp_answer answer = response_.read();
  if (response_.status() != 200 || answer.what != mcp_answer::kind::success || answer.id != initialize_id)
    return refused("initialize");
  const auto revision = negotiated_revision(response_.message());
  if (revision.has_error())
    return refused("initialize");
  session = {session_fields(response_.session_id(), *revision), !response_.session_id().empty(), false};
  return true;
}

bool mcp_http_client::take_announce(http_session& session) {
  if (response_.status() >= 300) {
    session = {};
    return refused("notifications/initialized");
  }
  session.announced = true;
  worker_.opened_session();
  return true;
}

task<bool> mcp_http_client::initialize(http_session& session) {
  const bool answered = co_await post({}, the_plan().messages.initialize);
  co_return answered&& take_initialize(session);
}

task<bool> mcp_http_client::announce(http_session& session) {
  const bool answered = co_await post(session.fields, the_plan().messages.initialized);
  co_return answered&& take_announce(session);
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

std::optional<steady_clock::duration> mcp_http_client::busy_for() {
  if (response_.status() == 503 && response_.retry_after())
    return std::clamp<steady_clock::duration>(*response_.retry_after(), 10ms, 1s);
  if (response_.status() < 300 && !response_.message().empty() && response_.read().code == unavailable_code)
    return 100ms;
  return std::nullopt;
}

task<void> mcp_http_client::pause(steady_clock::duration how_long) {
  timer wait{worker_.context(), how_long};
  co_await wait.async_wait(awaiting);
}

}  // namespace cafmcp::bench
