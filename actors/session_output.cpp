#include <algorithm>
#include <boost/asio/post.hpp>

#include "actors/session.hpp"
#include "mcp/writer.hpp"

namespace cafmcp::actors {

using persistence::op_kind;
using transport::channel_end;
using transport::outgoing;

// The answer to one request of an exchange; the last one ends a POST.
void session::answer(const exchange_ptr& x, std::string bytes, unsigned status) {
  if (x->socket)
    return send_socket(std::move(bytes));
  if (x->open > 0)
    --x->open;
  if (x->batch)
    x->answers.push_back(std::move(bytes));
  settle(x, std::move(bytes), status);
}

// A request of an exchange will not be answered.
void session::withdraw(const exchange_ptr& x) {
  if (x->socket)
    return;
  if (x->open > 0)
    --x->open;
  settle(x, {}, 200);
}

// Ends an exchange when nothing is open any more.
void session::settle(const exchange_ptr& x, std::string bytes, unsigned status) {
  if (x->open > 0)
    return;
  if (x->batch)
    bytes = mcp::write_batch(std::exchange(x->answers, {}));
  if (bytes.size() > env_->limits.message_bytes)
    bytes = mcp::write_error("null", mcp::internal_error("the answers are too large for one batch"));
  if (x->over_socket)
    return send_socket(std::move(bytes));
  outgoing message;
  if (x->stream != 0) {
    streams_.erase(x->stream);
    if (auto event = bytes.empty() ? std::nullopt : kept(x->stream, std::move(bytes)))
      message = std::move(*event);
  } else {
    message.bytes = std::move(bytes);
  }
  message.http_status = static_cast<std::uint16_t>(status);
  if (!x->channel)
    return;
  if (!message.bytes.empty())
    (void)send(x->channel, std::move(message));
  close(x->channel, channel_end::complete);
  x->channel = nullptr;
}

// A message that belongs to a request and isn't its answer. Empty bytes: a priming event.
void session::event(const exchange_ptr& x, std::string bytes) {
  // Log lines and progress are not worth a connection.
  if (bytes.size() > env_->limits.message_bytes)
    return;
  if (x->socket || x->over_socket)
    return send_socket(std::move(bytes));
  // Nobody could ask for the rest of a stream that has not begun.
  if (!x->channel && x->stream == 0)
    return;
  if (x->stream == 0) {
    x->stream = record_.last_outbound + 1;
    streams_.emplace(x->stream, x);
  }
  auto message = kept(x->stream, std::move(bytes));
  if (message && x->channel)
    (void)send(x->channel, std::move(*message));
}

// A message that belongs to no request.
void session::notify(std::string bytes) {
  if (socket_->channel)
    return send_socket(std::move(bytes));
  // What waits already would tell the client the same.
  const auto same = [&](const persistence::outbound_entry& e) {
    return e.number > delivered_ && e.stream == "0" && e.bytes == bytes;
  };
  if (std::any_of(record_.outbound.begin(), record_.outbound.end(), same))
    return;
  auto message = kept(0, std::move(bytes));
  if (message && general_ && send(general_, std::move(*message)))
    delivered_ = record_.last_outbound;
}

void session::send_socket(std::string bytes) {
  outgoing message{std::move(bytes), {}, 0, 200};
  if (message.bytes.empty())
    return;
  if (!socket_->channel || !send(socket_->channel, std::move(message)))
    (void)kept(0, std::move(message.bytes));
}

// Adds a message to the outbound log, from where a client that comes back gets it, and makes an event of it.
std::optional<outgoing> session::kept(std::uint64_t stream, std::string bytes) {
  if (const auto applied =
          stage(op_kind::outbound, persistence::outbound_bytes(std::to_string(stream), bytes));
      !applied)
    return std::nullopt;
  logged_bytes_ += bytes.size();
  trim_log();
  return outgoing{std::move(bytes), to_string(event_id{record_.epoch, stream, record_.last_outbound}), 0,
                  200};
}

void session::trim_log() {
  const auto& log = record_.outbound;
  const auto& l = env_->limits;
  std::size_t excess = log.size() > l.outbound_messages ? log.size() - l.outbound_messages : 0;
  auto bytes = logged_bytes_;
  for (std::size_t i = 0; i < log.size() - 1 && (i < excess || bytes > l.outbound_bytes); ++i) {
    bytes -= log[i].bytes.size();
    excess = std::max(excess, i + 1);
  }
  if (excess == 0)
    return;
  logged_bytes_ = bytes;
  (void)stage(op_kind::trim, persistence::trim_bytes(log[excess - 1].number));
}

bool session::send(const transport::channel_ptr& to, outgoing&& message) {
  if (here_ == otp::io_pool::none || to->context() == here_)
    return to->send(std::move(message));
  if (remote_.empty() || remote_.back().channel != to)
    remote_.push_back({to, {}, std::nullopt});
  remote_.back().messages.push_back(std::move(message));
  return true;
}

void session::close(const transport::channel_ptr& to, channel_end why) {
  if (here_ == otp::io_pool::none || to->context() == here_)
    return to->close(why);
  if (remote_.empty() || remote_.back().channel != to)
    remote_.push_back({to, {}, std::nullopt});
  if (!remote_.back().end)
    remote_.back().end = why;
}

// The end of a turn: operations go to the store, messages to connections on other contexts.
void session::flush() {
  if (!staged_.empty() && !is_blank())
    commit();
  if (remote_.empty())
    return;
  for (auto& out : std::exchange(remote_, {})) {
    auto& io = env_->router->pool().context(out.channel->context());
    boost::asio::post(io, [out = std::move(out), self = caf::actor_addr{address()}]() mutable {
      session_undelivered missed;
      for (auto& message : out.messages)
        if (!out.channel->send(std::move(message)) && out.channel->is_socket())
          missed.messages.push_back(std::move(message.bytes));
      if (!missed.messages.empty())
        otp::tell(self, std::move(missed));
      if (out.end)
        out.channel->close(*out.end);
    });
  }
}

}  // namespace cafmcp::actors
