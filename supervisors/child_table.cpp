#include "supervisors/child_table.hpp"

#include "base/assert.hpp"

namespace cafmcp::otp {

const char* to_string(child_status s) noexcept {
  switch (s) {
    case child_status::stopped:
      return "stopped";
    case child_status::starting:
      return "starting";
    case child_status::running:
      return "running";
    case child_status::stopping:
      return "stopping";
    case child_status::restarting:
      break;
  }
  return "restarting";
}

child_table::~child_table() {
  while (!order_.empty())
    remove(order_.front());
}

child_ptr child_table::make(const child_spec& spec) {
  if (!last_kind_ || static_cast<const child_kind&>(*last_kind_) != spec)
    last_kind_ = new shared_kind{spec};
  child_ptr c{new child};
  c->kind = last_kind_;
  if (!instances_)
    c->id = spec.id;
  return c;
}

void child_table::count_kind(const child_kind& kind, std::uint64_t by) noexcept {
  (kind.type == child_type::supervisor ? counts_.supervisors : counts_.workers) += by;
}

// One that is being restarted is as good as alive.
void child_table::count_significant(child& c) noexcept {
  const bool counts = c.listed && c.kind->significant && c.status != child_status::stopped;
  if (counts != c.counted)
    significant_ += counts ? 1 : static_cast<std::size_t>(-1);
  c.counted = counts;
}

void child_table::add(const child_ptr& c) {
  CAFMCP_ASSERT(!c->listed);
  if (!instances_)
    CAFMCP_ASSERT(ids_.insert(c.get()).second);
  if (free_.empty()) {
    c->slot = static_cast<std::uint32_t>(slots_.size());
    slots_.push_back(c.get());
  } else {
    c->slot = free_.back();
    free_.pop_back();
    slots_[c->slot] = c.get();
  }
  c->listed = true;
  order_.push_back(*c);
  intrusive_ptr_add_ref(c.get());
  counts_.specs += instances_ ? 0 : 1;
  count_kind(*c->kind, 1);
  count_significant(*c);
}

void child_table::remove(child& c) {
  CAFMCP_ASSERT(c.listed);
  assign(c, nullptr);
  if (!instances_)
    ids_.erase(&c);
  else if (const auto i = pids_.find(c.pid); i != pids_.end() && *i == &c)
    pids_.erase(i);
  c.listed = false;
  count_significant(c);
  slots_[c.slot] = nullptr;
  free_.push_back(c.slot);
  counts_.specs -= instances_ ? 0 : 1;
  count_kind(*c.kind, static_cast<std::uint64_t>(-1));
  order_.erase(order_.iterator_to(c));
  intrusive_ptr_release(&c);
}

void child_table::assign(child& c, const caf::actor& actor) {
  counts_.active += (actor ? 1 : 0) - (c.actor ? 1 : 0);
  c.generation = ++last_generation_;
  c.actor = actor;
  if (actor)
    set_pid(c, actor.id());
}

void child_table::set_pid(child& c, caf::actor_id pid) {
  if (instances_) {
    if (const auto i = pids_.find(c.pid); i != pids_.end() && *i == &c)
      pids_.erase(i);
    c.pid = pid;
    pids_.insert(&c);
  }
  c.pid = pid;
}

void child_table::set_status(child& c, child_status status) {
  c.status = status;
  count_significant(c);
}

void child_table::set_kind(child& c, kind_ptr kind) {
  count_kind(*c.kind, static_cast<std::uint64_t>(-1));
  c.kind = std::move(kind);
  count_kind(*c.kind, 1);
  count_significant(c);
}

void child_table::forget_start(child& c) {
  child_kind bare = *c.kind;
  bare.start = {};
  if (!last_bare_ || static_cast<const child_kind&>(*last_bare_) != bare)
    last_bare_ = new shared_kind{std::move(bare)};
  c.kind = last_bare_;
}

void child_table::put_first(const std::vector<child_ptr>& some) {
  for (auto i = some.rbegin(); i != some.rend(); ++i) {
    order_.erase(order_.iterator_to(**i));
    order_.push_front(**i);
  }
}

child_ptr child_table::find(std::string_view id) const {
  const auto i = ids_.find(id);
  return i == ids_.end() ? child_ptr{} : child_ptr{*i};
}

child_ptr child_table::find(caf::actor_id pid) const {
  const auto i = pids_.find(pid);
  return i == pids_.end() ? child_ptr{} : child_ptr{*i};
}

child_ptr child_table::find(child_ticket ticket) const {
  auto* c = ticket.slot < slots_.size() ? slots_[ticket.slot] : nullptr;
  return c != nullptr && c->generation == ticket.generation ? child_ptr{c} : child_ptr{};
}

std::vector<child_ptr> child_table::snapshot(const child* first) const {
  std::vector<child_ptr> all;
  auto i = first == nullptr ? order_.begin() : order_.iterator_to(*first);
  for (; i != order_.end(); ++i)
    all.emplace_back(const_cast<child*>(&*i));
  return all;
}

}  // namespace cafmcp::otp
