#include <algorithm>

#include "actors/session.hpp"
#include "mcp/message.hpp"

namespace cafmcp::actors {

using persistence::op_kind;
using transport::channel_end;
using transport::channel_ptr;

void session::on_attach(session_input in) {
  touch();
  if (in.channel->is_socket()) {
    link_ = in.link;
    attach_socket(std::move(in.channel));
  } else if (const auto seen = parse_event_id(in.last_event_id); seen.stream != 0) {
    resume_stream(std::move(in.channel), seen);
  } else {
    attach_stream(std::move(in.channel), seen);
  }
  connection_changed();
}

// One live WebSocket a session: the newest.
void session::attach_socket(channel_ptr channel) {
  if (socket_->channel == channel)
    return;
  if (socket_->channel)
    close(socket_->channel, channel_end::replaced);
  socket_->channel = std::move(channel);
  ++attachment_;
  may_greet_again_ = record_.protocol.phase != mcp::session_phase::fresh;
  if (may_greet_again_)
    entry_->remember(env_->now_ms(), "resumed over a WebSocket");
  const auto waits = [](const persistence::outbound_entry& e) { return e.stream == "0"; };
  if (std::any_of(record_.outbound.begin(), record_.outbound.end(), waits))
    replay_soon();
}

void session::replay_soon() {
  if (replay_waits_)
    return;
  // A client that counts its requests from 0 again must not take an old answer for a new one. Ids that it
  // uses now are taken off the log (`drop_answer`), for which it gets a moment.
  replay_waits_ = true;
  start_timer(env_->limits.replay_delay, [this] {
    replay_to_socket();
    flush();
  });
}

void session::replay_to_socket() {
  replay_waits_ = false;
  const auto dropped = std::exchange(dropped_, {});
  if (!socket_->channel)
    return;
  bool others = false;
  std::uint64_t sent = 0;
  for (const auto& e : record_.outbound) {
    others = others || e.stream != "0";
    const bool due = e.stream == "0" && e.number > delivered_ && !dropped.contains(e.number);
    if (due && !send(socket_->channel, {e.bytes, {}, 0, 200}))
      break;
    sent = e.number;
  }
  delivered_ = std::max(delivered_, sent);
  // Streams of POSTs, if the client uses those as well, may still be asked for.
  if (sent == 0 || others)
    return;
  (void)stage(op_kind::trim, persistence::trim_bytes(sent));
  logged_bytes_ = 0;
  for (const auto& e : record_.outbound)
    logged_bytes_ += e.bytes.size();
}

// The client uses the id of an answer that it never got.
void session::drop_answer(std::string_view raw_id) {
  const auto id = mcp::canonical_id(raw_id);
  for (auto& e : record_.outbound) {
    if (e.stream != "0" || e.number <= delivered_)
      continue;
    const auto m = mcp::parse(e.bytes);
    const bool is_answer =
        m && (m->kind() == mcp::message_kind::response || m->kind() == mcp::message_kind::error);
    if (is_answer && mcp::canonical_id(m->id()) == id)
      dropped_.insert(e.number);
  }
}

// The stream of a GET. A second one replaces the first, which is stale as a rule.
void session::attach_stream(channel_ptr channel, const event_id& seen) {
  if (general_ && general_ != channel)
    close(general_, channel_end::replaced);
  general_ = std::move(channel);
  replay(general_, 0, seen.number != 0 ? seen.number : delivered_);
  delivered_ = record_.last_outbound;
}

// A GET that goes on with the stream of a POST.
void session::resume_stream(channel_ptr channel, const event_id& seen) {
  entry_->remember(env_->now_ms(), "resumed the stream of a request");
  replay(channel, seen.stream, seen.number);
  const auto i = streams_.find(seen.stream);
  if (i == streams_.end())
    return close(channel, channel_end::complete);
  if (i->second->channel && i->second->channel != channel)
    close(i->second->channel, channel_end::replaced);
  i->second->channel = std::move(channel);
}

void session::replay(const channel_ptr& to, std::uint64_t stream, std::uint64_t after) {
  const auto name = std::to_string(stream);
  for (const auto& e : record_.outbound)
    if (e.stream == name && e.number > after && !e.bytes.empty())
      (void)send(to, {e.bytes, to_string(event_id{record_.epoch, stream, e.number}), 0, 200});
}

// The connection is gone; nothing is cancelled by that.
void session::on_detach(const channel_ptr& channel, std::vector<std::string> unsent) {
  if (socket_->channel == channel)
    socket_->channel = nullptr;
  if (general_ == channel)
    general_ = nullptr;
  for (auto& [serial, r] : running_)
    if (!r.where->socket && r.where->channel == channel)
      r.where->channel = nullptr;
  for (auto& [number, x] : streams_)
    if (x->channel == channel)
      x->channel = nullptr;
  missed(std::move(unsent));
  touch(true);
  connection_changed();
}

// Messages that a WebSocket took and could not send: for the next one, which may be there already.
void session::missed(std::vector<std::string> messages) {
  for (auto& bytes : messages)
    (void)kept(0, std::move(bytes));
  if (socket_->channel && !messages.empty())
    replay_soon();
}

void session::close_all(channel_end why) {
  for (auto* channel : {&socket_->channel, &general_})
    if (*channel)
      close(std::exchange(*channel, nullptr), why);
  for (auto& [number, x] : std::exchange(streams_, {}))
    if (x->channel)
      close(std::exchange(x->channel, nullptr), why);
}

void session::connection_changed() {
  entry_->connected.store(socket_->channel != nullptr || general_ != nullptr, std::memory_order_relaxed);
  entry_->bytes.store(persistence::bytes_of(record_), std::memory_order_relaxed);
}

}  // namespace cafmcp::actors
