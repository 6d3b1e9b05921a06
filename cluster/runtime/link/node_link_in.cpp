// The half of a link that receives. Every byte may be anything: what can't be is a fault of the peer and ends
// the link; what may be meant well by a newer or older node is refused by an error.

#include "cluster/runtime/link/node_link.hpp"
#include "supervisors/exit_reason.hpp"
#include "supervisors/stop_request.hpp"

namespace cafmcp::cluster {

namespace {

// Ids and type before a message.
constexpr std::size_t most_head_bytes = 64;

// More than a peer ever gives.
constexpr std::uint64_t most_credit = std::uint64_t{1} << 40U;

}  // namespace

void node_link::filled(std::size_t bytes, clock::time_point now) {
  if (is_over())
    return;
  now_ = now;
  heard_ = true;
  counters_.heard_ns.store(now.time_since_epoch().count(), std::memory_order_relaxed);
  counters_.bytes_in.fetch_add(bytes, std::memory_order_relaxed);
  in_.filled(bytes);
  frame f;
  for (auto outcome = in_.next(f); outcome != frame_reader::outcome::incomplete; outcome = in_.next(f)) {
    if (outcome == frame_reader::outcome::broken || !handle(f))
      return fault(outcome == frame_reader::outcome::broken ? "a frame that is none"
                                                            : "a frame that can't be");
    if (is_over())
      return;
  }
}

bool node_link::handle(const frame& f) {
  if (is_control(f.kind))
    return !f.more && handle_control(f.kind, f.body);
  return take_data(f);
}

bool node_link::take_data(const frame& f) {
  const auto cost = f.body.size() + frame_header_bytes;
  received_bytes_ += static_cast<std::int64_t>(cost);
  if (received_bytes_ > static_cast<std::int64_t>(bounds_.window_bytes))
    return false;  // more than we have granted
  cost_ += cost;
  const bool first = partial_.empty();
  if (!first && f.kind != partial_kind_)
    return false;
  if (f.more || !first) {
    if (f.body.empty() || partial_.size() + f.body.size() > bounds_.message_bytes + most_head_bytes)
      return false;
    partial_kind_ = f.kind;
    partial_.append(f.body);
  }
  if (f.more)
    return true;
  const bool ok = handle_data(f.kind, first ? f.body : std::string_view{partial_});
  if (!first)
    partial_ = {};
  consumed(std::exchange(cost_, 0));  // what no actor holds comes back at once
  return ok;
}

void node_link::consumed(std::size_t bytes) {
  if (bytes > 0 && meter_->give_back_here(bytes))
    return_credit(0);
}

bool node_link::handle_control(frame_kind kind, std::string_view body) {
  wire::reader in{body};
  switch (kind) {
    case frame_kind::ping:
      if (body.size() > 10)
        return false;
      control(frame_kind::pong, body);
      return true;
    case frame_kind::pong: {
      const auto sent = in.varint();
      return in.ok() && on_pong(sent);
    }
    case frame_kind::credit: {
      const auto bytes = in.varint();
      if (!in.ok() || bytes > most_credit || lanes_.credit() > static_cast<std::int64_t>(most_credit))
        return false;
      lanes_.add_credit(static_cast<std::int64_t>(bytes));
      return true;
    }
    case frame_kind::actor_credit: {
      const auto id = in.varint();
      const auto bytes = in.varint();
      return in.ok() && bytes <= most_credit && on_actor_credit(id, bytes);
    }
    default:
      return true;  // of a newer peer, which says nothing that must be understood
  }
}

bool node_link::on_pong(std::uint64_t sent) {
  const auto rtt = now_.time_since_epoch().count() - static_cast<std::int64_t>(sent);
  if (rtt < 0)
    return true;  // not ours; it harms nobody
  counters_.beats.fetch_add(1, std::memory_order_relaxed);
  counters_.rtt_ns.store(rtt, std::memory_order_relaxed);
  if (rtt > counters_.slowest_ns.load(std::memory_order_relaxed))
    counters_.slowest_ns.store(rtt, std::memory_order_relaxed);
  return true;
}

bool node_link::on_actor_credit(std::uint64_t id, std::uint64_t bytes) {
  auto* to = find_import(id);
  if (to == nullptr)
    return true;  // let go of meanwhile
  to->room =
      std::min(to->room + static_cast<std::int64_t>(bytes), static_cast<std::int64_t>(terms_.actor_bytes));
  while (to->room > 0 && !to->queue.empty()) {
    auto next = std::move(to->queue.front());
    to->queue.pop_front();
    to->room -= static_cast<std::int64_t>(next.size());
    lanes_.data(next.kind, next.head, std::move(next.payload));
  }
  if (to->unheld && to->queue.empty())
    send_release(*to);
  return true;
}

bool node_link::handle_data(frame_kind kind, std::string_view body) {
  switch (kind) {
    case frame_kind::release:
      return on_release(body);
    case frame_kind::lookup:
      return on_lookup_request(body);
    case frame_kind::message:
      return on_message(body, false);
    case frame_kind::request:
      return on_message(body, true);
    case frame_kind::response:
      return on_response(body);
    case frame_kind::down:
      return on_down(body);
    case frame_kind::stop:
      return on_stop(body);
    default:
      return false;
  }
}

bool node_link::on_release(std::string_view body) {
  wire::reader in{body};
  const auto id = in.varint();
  const auto count = in.varint();
  if (!in.ok())
    return false;
  auto* entry = exports_.find(id);
  if (entry == nullptr)
    return true;
  entry->sent -= std::min(entry->sent, count);
  if (entry->sent == 0) {
    forget_export(id);
    return true;
  }
  // It was sent again meanwhile. The peer has begun a new account for it, and so do we.
  entry->outstanding = 0;
  entry->meter = std::make_shared<credit_meter>(weak_from_this(), id, bounds_.actor_bytes);
  return true;
}

bool node_link::on_lookup_request(std::string_view body) {
  wire::reader in{body};
  const auto call_id = in.varint();
  if (!in.ok() || in.rest().size() > 255)
    return false;
  std::string payload;
  caf::strong_actor_ptr found;
  if (const auto actor = resolve_(in.rest())) {
    found = caf::actor_cast<caf::strong_actor_ptr>(*actor);
    wire::put_varint(payload, answer_empty);
  } else {
    const auto code = retryable(actor.error()) ? link_error::overloaded : link_error::no_such_actor;
    payload = error_answer(make_link_error(code, actor.error().message));
  }
  if (!backlog_.force(payload.size() + backlog::message_bytes))
    close_soon(make_link_error(link_error::overloaded));
  respond(call_id, found, std::move(payload));
  return true;
}

// Nothing is built before type and size are known to be allowed.
bool node_link::decode_request(wire::reader& in, caf::message& out, link_error& why) const {
  why = link_error::refused_type;
  const auto* type = types_.find(in.varint());
  if (!in.ok() || type == nullptr)
    return false;
  if (in.rest().size() > type->max_bytes)
    return why = link_error::too_large, false;
  return type->decode(in.rest(), out);
}

bool node_link::on_message(std::string_view body, bool is_request) {
  wire::reader in{body};
  const auto to = in.varint();
  const auto from = in.varint();
  const auto call_id = is_request ? in.varint() : 0;
  if (!in.ok() || call_id > caf::message_id::request_id_mask || (is_request && call_id == 0))
    return false;
  counters_.messages_in.fetch_add(1, std::memory_order_relaxed);
  const auto refuse = [&](link_error why) {
    ++counters_.refused;
    auto payload = error_answer(make_link_error(why));
    if (is_request && !backlog_.force(payload.size() + backlog::message_bytes))
      close_soon(make_link_error(link_error::overloaded));
    if (is_request)
      respond(call_id, nullptr, std::move(payload));
    return true;
  };
  auto* entry = exports_.find(to);
  if (entry == nullptr)
    return refuse(link_error::no_such_actor);
  // Twice, because an account that was begun anew overlaps with the one before.
  if (entry->outstanding >= 2 * static_cast<std::int64_t>(bounds_.actor_bytes))
    return false;
  caf::message content;
  link_error why{};
  entry->outstanding += static_cast<std::int64_t>(body.size());
  message_cost cost{meter_, entry->meter, 0, body.size()};
  if (!decode_request(in, content, why)) {
    if (cost.actor->give_back_here(body.size()))
      return_credit(to);
    return refuse(why);
  }
  const auto actor = entry->actor;
  auto sender = from != 0 ? import_actor(from) : nullptr;
  if (from != 0 && !sender)
    return false;
  cost.link_bytes = std::exchange(cost_, 0);
  const auto mid = is_request ? caf::make_message_id(call_id) : caf::make_message_id();
  actor->enqueue(caf::mailbox_element_ptr{new credited_element(std::move(sender), mid, std::move(content),
                                                               std::move(cost))},
                 nullptr);
  return true;
}

caf::message node_link::decode_response(wire::reader& in) const {
  const auto refused = [](link_error why) { return caf::make_message(make_link_error(why)); };
  const auto number = in.varint();
  if (!in.ok())
    return refused(link_error::refused_type);
  if (number == answer_empty)
    return caf::message{};
  if (number == answer_error) {
    caf::error why;
    const bool some = decode_error(in.rest(), why) && why;
    return some ? caf::make_message(std::move(why)) : refused(link_error::refused_type);
  }
  const auto* type = types_.find(number);
  caf::message out;
  if (type == nullptr || in.rest().size() > type->max_bytes || !type->decode(in.rest(), out))
    return refused(link_error::refused_type);
  return out;
}

bool node_link::on_response(std::string_view body) {
  wire::reader in{body};
  const auto id = in.varint();
  const auto from = in.varint();
  if (!in.ok())
    return false;
  counters_.messages_in.fetch_add(1, std::memory_order_relaxed);
  auto answered_by = from != 0 ? import_actor(from) : nullptr;
  if (from != 0 && !answered_by)
    return false;
  auto* entry = calls_.find(id);
  if (entry == nullptr)
    return true;  // late, or never asked
  auto content = decode_response(in);
  const auto sender = std::move(entry->sender);
  const auto then = std::move(entry->then);
  const auto mid = entry->mid;
  if (!answered_by)
    answered_by = std::move(entry->target);
  calls_.erase(id);
  counters_.pending.store(static_cast<std::uint32_t>(calls_.size()), std::memory_order_relaxed);
  if (!then) {
    sender->enqueue(
        caf::make_mailbox_element(std::move(answered_by), mid.response_id(), {}, std::move(content)),
        nullptr);
  } else if (content.size() == 0 && answered_by) {
    then(caf::actor_cast<caf::actor>(answered_by), {});
  } else {
    then({}, content.size() == 1 && content.match_element<caf::error>(0)
                 ? content.get_as<caf::error>(0)
                 : make_link_error(link_error::protocol));
  }
  return true;
}

// Never CAF's own exit: who is asked decides, and ends in order. Twice is enough (to end, and for good): it
// spends no credit of the actor.
bool node_link::on_stop(std::string_view body) {
  constexpr unsigned enough = 2;
  wire::reader in{body};
  const auto id = in.varint();
  caf::error reason;
  if (!in.ok() || !decode_error(in.rest(), reason))
    return false;
  auto* entry = exports_.find(id);
  if (entry == nullptr || entry->stops == enough)
    return true;
  ++entry->stops;
  if (reason == caf::exit_reason::kill)
    reason = caf::make_error(otp::exit_code::killed);
  entry->actor->enqueue(
      caf::make_mailbox_element(nullptr, caf::make_message_id(), {}, otp::stop_request{std::move(reason)}),
      nullptr);
  return true;
}

bool node_link::on_down(std::string_view body) {
  wire::reader in{body};
  const auto id = in.varint();
  caf::error reason;
  if (!in.ok() || !decode_error(in.rest(), reason))
    return false;
  run();  // what was sent before anybody could know fails before monitors fire, too
  auto* entry = is_over() ? nullptr : find_import(id);
  if (entry == nullptr)
    return true;
  // Taken by the actor, but never answered. A handle that we hold keeps the entry's memory meanwhile.
  const auto proxy = caf::actor_cast<caf::strong_actor_ptr>(entry->proxy);
  const auto why = reason ? reason : make_link_error(link_error::no_such_actor);
  while (!entry->calls.empty())
    fail_call(entry->calls.front().id, why);
  forget_import(*entry);
  if (proxy)
    static_cast<caf::actor_proxy*>(proxy->get())->kill_proxy(nullptr, reason);
  return true;
}

}  // namespace cafmcp::cluster
