#include "cluster/runtime/link/node_link.hpp"

#include "base/assert.hpp"

namespace cafmcp::cluster {

namespace {

// Handles from before a restart never equal those from after it: the incarnation is part of the node's id.
caf::node_id node_id_of(const link_terms& terms) {
  caf::node_id::default_data::host_id_type host{};
  const std::uint64_t parts[] = {std::hash<std::string>{}(terms.peer), terms.incarnation};
  static_assert(sizeof parts <= sizeof host);
  std::memcpy(host.data(), parts, sizeof parts);
  return caf::make_node_id(1, host);
}

}  // namespace

node_link::node_link(caf::actor_system& system, const wire::message_table& types, name_resolver resolve,
                     link_bounds bounds, link_terms terms)
    : system_(system),
      types_(types),
      resolve_(std::move(resolve)),
      bounds_(bounds),
      terms_(std::move(terms)),
      peer_node_(node_id_of(terms_)),
      backlog_(bounds.backlog_bytes),
      lanes_(bounds.fragment_bytes, backlog_),
      in_(bounds.fragment_bytes),
      exports_(bounds.handles),
      calls_(bounds.pending_requests) {
  CAFMCP_ASSERT(bounds_.window_bytes >= 2 * bounds_.message_bytes);
  CAFMCP_ASSERT(bounds_.handles < slot_mask && bounds_.pending_requests < slot_mask);
}

node_link::~node_link() = default;

void node_link::start(std::weak_ptr<link_host> host, clock::time_point now) {
  host_ = std::move(host);
  now_ = now;
  counters_.heard_ns = now.time_since_epoch().count();
  meter_ = std::make_shared<credit_meter>(weak_from_this(), 0, bounds_.window_bytes / 2);
  lanes_.add_credit(static_cast<std::int64_t>(terms_.window_bytes));
  counters_.window_free = lanes_.credit();
}

// Fails what can't be done any more.
void node_link::post(job what) {
  bool over = false;
  bool first = false;
  {
    const std::lock_guard lock{mutex_};
    over = closed_;
    first = jobs_.empty();
    if (!over)
      jobs_.push_back(std::move(what));
  }
  if (over)
    return fail_at_once(what, reason_);
  if (!first)
    return;  // whoever was first has asked for `run` already
  if (const auto host = host_.lock())
    host->wake();
}

void node_link::run() {
  {
    const std::lock_guard lock{mutex_};
    working_.swap(jobs_);
  }
  for (auto& j : working_)
    carry_out(j);
  working_.clear();
}

void node_link::carry_out(job& what) {
  if (is_over())
    return fail_at_once(what, reason_);
  if (auto* m = std::get_if<outgoing>(&what))
    m->mid.is_response() ? respond(m->mid.request_id().integer_value(), m->sender, std::move(m->payload))
                         : send_message(*m);
  else if (auto* n = std::get_if<name_wanted>(&what))
    ask_for_name(*n);
  else if (auto* r = std::get_if<handle_released>(&what))
    on_handle_released(*r);
  else if (auto* e = std::get_if<export_ended>(&what))
    send_down(*e);
  else if (auto* c = std::get_if<credit_due>(&what))
    return_credit(c->id);
  else if (auto* s = std::get_if<stop_wanted>(&what))
    send_stop(*s);
  else
    std::get<std::function<void()>>(what)();
}

// What can't be done any more. From any thread.
void node_link::fail_at_once(job& what, const caf::error& why) {
  if (auto* m = std::get_if<outgoing>(&what)) {
    backlog_.release(m->payload.size() + backlog::message_bytes);
    ++counters_.dropped;
    if (m->sender && m->mid.is_request())
      m->sender->enqueue(caf::make_mailbox_element(m->proxy, m->mid.response_id(), {}, why), nullptr);
  } else if (auto* n = std::get_if<name_wanted>(&what)) {
    n->then({}, why);
  } else if (auto* f = std::get_if<std::function<void()>>(&what)) {
    (*f)();
  }
}

void node_link::ask_to_end(std::uint64_t id, caf::error reason) {
  post(stop_wanted{id, std::move(reason)});
}

void node_link::released(std::uint64_t id, std::uint64_t serial) {
  post(handle_released{id, serial});
}

void node_link::credit_is_worth_a_frame(std::uint64_t id) {
  post(credit_due{id});
}

void node_link::lookup(std::string name, on_lookup then) {
  post(name_wanted{std::move(name), std::move(then)});
}

void node_link::when_room(std::function<void()> f) {
  post(std::function<void()>{[this, f = std::move(f)]() mutable {
    if (is_over())
      f();
    else
      want_room_.push_back(std::move(f));
  }});
}

void node_link::close_soon(caf::error why) {
  post(std::function<void()>{[this, why = std::move(why)] { close(why); }});
}

void node_link::tick(clock::time_point now) {
  if (is_over())
    return;
  now_ = now;
  // Counted in ticks and not in time: if this process was held up itself, the peer's bytes wait unread.
  missed_ = std::exchange(heard_, false) ? 0 : missed_ + 1;
  if (missed_ * bounds_.heartbeat >= bounds_.dead_after)
    return close(make_link_error(link_error::silent));
  std::string body;
  wire::put_varint(body, static_cast<std::uint64_t>(now.time_since_epoch().count()));
  control(frame_kind::ping, body);
  expire_calls();
}

void node_link::expire_calls() {
  while (!calls_by_age_.empty() && now_ - calls_by_age_.front().since >= bounds_.longest_wait)
    fail_call(calls_by_age_.front().id, make_link_error(link_error::expired));
}

void node_link::fail_call(std::uint64_t id, const caf::error& why) {
  auto* entry = calls_.find(id);
  const auto sender = std::move(entry->sender);
  const auto target = std::move(entry->target);
  const auto then = std::move(entry->then);
  const auto mid = entry->mid;
  calls_.erase(id);
  counters_.pending = static_cast<std::uint32_t>(calls_.size());
  if (then)
    then({}, why);
  else if (sender)
    sender->enqueue(caf::make_mailbox_element(target, mid.response_id(), {}, why), nullptr);
}

// The peer broke the rules; not from within a table's loop.
void node_link::fault(std::string what) {
  close(make_link_error(link_error::protocol, std::move(what)));
}

void node_link::close(caf::error why) {
  std::vector<job> left;
  {
    const std::lock_guard lock{mutex_};
    if (closed_)
      return;
    closed_ = true;
    reason_ = why;
    left.swap(jobs_);
  }
  over_.store(true, std::memory_order_release);
  const auto me = shared_from_this();  // whoever hears of the end may let go of it
  // Answers first: when a monitor fires, the requests it is about have failed already.
  for (auto& j : left)
    fail_at_once(j, why);
  while (!calls_by_age_.empty())
    fail_call(calls_by_age_.front().id, why);
  kill_handles(why);
  for (auto& f : std::exchange(want_room_, {}))
    f();
  lanes_.clear();
  in_.drop();
  partial_ = {};
  if (const auto host = host_.lock())
    host->went_down(why);
}

}  // namespace cafmcp::cluster
