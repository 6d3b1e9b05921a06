// The half of a link that sends.

#include "cluster/runtime/link/node_link.hpp"

namespace cafmcp::cluster {

// Type and value of a message, or of an answer that may be an error or empty. From any thread.
bool node_link::encode(const caf::mailbox_element& what, std::string& payload, link_error& why) const {
  const auto& content = what.content();
  if (!what.stages.empty())  // a composed actor: the rest of the pipeline can't travel
    return why = link_error::refused_type, false;
  if (const auto* type = types_.find(content)) {
    wire::put_varint(payload, type->number);
    type->encode(payload, content.get(0));
    why = link_error::too_large;
    return payload.size() <= std::min({type->max_bytes, bounds_.message_bytes, terms_.message_bytes});
  }
  why = link_error::refused_type;
  if (!what.mid.is_response())
    return false;
  if (content.size() == 0)
    wire::put_varint(payload, answer_empty);
  else if (content.size() == 1 && content.match_element<caf::error>(0))
    payload = error_answer(content.get_as<caf::error>(0));
  else
    return false;
  return true;
}

void node_link::bounce(const caf::strong_actor_ptr& proxy, const caf::mailbox_element& what,
                       const caf::error& why) {
  if (what.sender && what.mid.is_request())
    what.sender->enqueue(caf::make_mailbox_element(proxy, what.mid.response_id(), {}, why), nullptr);
}

void node_link::send(caf::strong_actor_ptr proxy, caf::mailbox_element_ptr what) {
  std::string payload;
  link_error why{};
  if (!encode(*what, payload, why)) {
    ++counters_.refused;
    if (!what->mid.is_response())
      return bounce(proxy, *what, make_link_error(why));
    payload = error_answer(make_link_error(why));
  }
  if (!backlog_.reserve(payload.size() + backlog::message_bytes)) {
    if (!what->mid.is_response()) {
      ++counters_.dropped;
      return bounce(proxy, *what, make_link_error(link_error::overloaded));
    }
    payload = error_answer(make_link_error(link_error::overloaded));
    if (!backlog_.force(payload.size() + backlog::message_bytes))
      close_soon(make_link_error(link_error::overloaded));
  }
  post(outgoing{std::move(proxy), std::move(what->sender), what->mid, std::move(payload)});
}

void node_link::send_message(outgoing& m) {
  const bool is_request = m.mid.is_request() && m.sender;
  auto* to = find_import(m.proxy->id());
  std::uint64_t call_id = 0;
  if (is_request && to != nullptr)
    call_id = calls_.insert({m.sender, m.proxy, m.mid, {}, now_, 0, {}, {}});
  if (to == nullptr || (is_request && call_id == 0)) {
    job failed{std::move(m)};
    return fail_at_once(failed,
                        make_link_error(to == nullptr ? link_error::no_such_actor : link_error::overloaded));
  }
  message_head head;
  head.put(to->id).put(m.sender ? export_actor(m.sender) : 0);
  if (call_id != 0) {
    auto& entry = *calls_.find(call_id);
    entry.id = call_id;
    calls_by_age_.push_back(entry);
    to->calls.push_back(entry);
    head.put(call_id);
    counters_.pending.store(static_cast<std::uint32_t>(calls_.size()), std::memory_order_relaxed);
  }
  counters_.messages_out.fetch_add(1, std::memory_order_relaxed);
  backlog_.force(head.size);  // its payload is counted already
  const auto kind = is_request ? frame_kind::request : frame_kind::message;
  if (to->room > 0 && to->queue.empty()) {
    to->room -= static_cast<std::int64_t>(head.size + m.payload.size());
    lanes_.data(kind, head, std::move(m.payload));
    return;
  }
  to->queue.push_back({kind, head, std::move(m.payload)});
}

void node_link::respond(std::uint64_t call_id, const caf::strong_actor_ptr& from, std::string payload) {
  message_head head;
  head.put(call_id).put(from ? export_actor(from) : 0);
  backlog_.force(head.size);
  counters_.messages_out.fetch_add(1, std::memory_order_relaxed);
  lanes_.data(frame_kind::response, head, std::move(payload));
}

void node_link::ask_for_name(name_wanted& wanted) {
  constexpr std::size_t longest_name = 255;
  if (wanted.name.empty() || wanted.name.size() > longest_name)
    return wanted.then({}, make_link_error(link_error::no_such_actor));
  const auto id = calls_.insert({nullptr, nullptr, {}, wanted.then, now_, 0, {}, {}});
  if (id == 0)
    return wanted.then({}, make_link_error(link_error::overloaded));
  auto& entry = *calls_.find(id);
  entry.id = id;
  calls_by_age_.push_back(entry);
  std::string body;
  wire::put_varint(body, id);
  send_short(frame_kind::lookup, body + wanted.name);
}

// Frames whose number is bounded elsewhere: they go into the lane whatever waits there.
void node_link::send_short(frame_kind kind, std::string body) {
  if (!backlog_.force(body.size() + backlog::message_bytes))
    close_soon(make_link_error(link_error::overloaded));
  lanes_.data(kind, {}, std::move(body));
}

void node_link::control(frame_kind kind, std::string_view body) {
  if (!lanes_.control(kind, body))
    close_soon(make_link_error(link_error::overloaded, "the peer asks and does not read the answers"));
}

// In the data lane: an end must not overtake the answers that came before it.
void node_link::send_down(const export_ended& what) {
  const auto* entry = exports_.find(what.id);
  if (entry == nullptr)
    return;
  std::string body;
  wire::put_varint(body, what.id);
  encode_error(body, what.reason);
  forget_export(what.id);
  send_short(frame_kind::down, std::move(body));
}

void node_link::send_stop(const stop_wanted& what) {
  if (find_import(what.id) == nullptr)
    return;
  std::string body;
  wire::put_varint(body, what.id);
  encode_error(body, what.reason);
  send_short(frame_kind::stop, std::move(body));
}

void node_link::send_release(import_entry& entry) {
  std::string body;
  wire::put_varint(body, entry.id);
  wire::put_varint(body, entry.received);
  forget_import(entry);
  send_short(frame_kind::release, std::move(body));
}

void node_link::return_credit(std::uint64_t id) {
  auto* entry = id == 0 ? nullptr : exports_.find(id);
  if (id != 0 && entry == nullptr)
    return;
  const auto bytes = (id == 0 ? meter_ : entry->meter)->collect();
  if (bytes <= 0)
    return;
  (id == 0 ? received_bytes_ : entry->outstanding) -= bytes;
  std::string body;
  if (id != 0)
    wire::put_varint(body, id);
  wire::put_varint(body, static_cast<std::uint64_t>(bytes));
  control(id == 0 ? frame_kind::credit : frame_kind::actor_credit, body);
}

void node_link::call_those_with_room() {
  if (want_room_.empty() || backlog_.bytes() > backlog_.limit() / 8)
    return;
  for (auto& f : std::exchange(want_room_, {}))
    f();
}

bool node_link::take(std::string& out) {
  if (is_over())
    return false;
  const bool some = lanes_.take(out);
  call_those_with_room();
  counters_.bytes_out.fetch_add(out.size(), std::memory_order_relaxed);
  counters_.window_free.store(lanes_.credit(), std::memory_order_relaxed);
  return some;
}

}  // namespace cafmcp::cluster
