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

void child_table::add(const child_ptr& c, bool indexed) {
  CAFMCP_ASSERT(!c->listed);
  if (indexed)
    CAFMCP_ASSERT(by_id_.emplace(c->spec->id, c.get()).second);
  c->listed = true;
  order_.push_back(*c);
  intrusive_ptr_add_ref(c.get());
}

void child_table::remove(child& c) {
  CAFMCP_ASSERT(c.listed);
  assign(c, nullptr);
  c.listed = false;
  if (const auto i = by_id_.find(c.spec->id); i != by_id_.end() && i->second == &c)
    by_id_.erase(i);
  order_.erase(order_.iterator_to(c));
  intrusive_ptr_release(&c);
}

void child_table::assign(child& c, const caf::actor& actor) {
  if (c.actor)
    by_pid_.erase(c.actor.id());
  c.actor = actor;
  if (actor)
    by_pid_[actor.id()] = &c;
}

child_ptr child_table::find(std::string_view id) const {
  const auto i = by_id_.find(id);
  return i == by_id_.end() ? child_ptr{} : child_ptr{i->second};
}

child_ptr child_table::find(caf::actor_id pid) const {
  const auto i = by_pid_.find(pid);
  return i == by_pid_.end() ? child_ptr{} : child_ptr{i->second};
}

std::vector<child_ptr> child_table::snapshot(const child* first) const {
  std::vector<child_ptr> all;
  auto i = first == nullptr ? order_.begin() : order_.iterator_to(*first);
  for (; i != order_.end(); ++i)
    all.emplace_back(const_cast<child*>(&*i));
  return all;
}

}  // namespace cafmcp::otp
