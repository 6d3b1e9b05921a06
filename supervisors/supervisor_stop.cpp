// Stopping children: one, many in reverse order, and all instances at once.

#include "base/log.hpp"
#include "supervisors/supervisor.hpp"
#include "supervisors/supervisor_sequence.hpp"

namespace cafmcp::otp {

// What children are told that are to end. Below a supervisor that was killed they hear that it is no orderly
// end.
caf::error supervisor::order() const {
  return make_exit(stopping_ && stop_reason_ == exit_code::killed ? exit_code::killed : exit_code::shutdown);
}

// Whether a child that was told to stop has ended as it should. A permanent one may not end by itself.
bool supervisor::as_expected(const child& c, const caf::error& reason, bool killed) const {
  if (reason == exit_code::shutdown || reason == order())
    return true;
  if (killed && reason == caf::exit_reason::kill)
    return shutdown_of(*c.kind).how == shutdown_rule::kind::brutal_kill;
  return c.kind->restart != restart::permanent && is_normal_exit(reason);
}

void supervisor::stop_one(const child_ptr& c, stop_callback then) {
  c->doomed = false;
  if (!c->actor) {
    children_->set_status(*c, child_status::stopped);
    return then();
  }
  if (const auto i = stops_.find(c.get()); i != stops_.end()) {
    i->second.then = [first = std::move(i->second.then), second = std::move(then)] {
      first();
      second();
    };
    return;
  }
  children_->set_status(*c, child_status::stopping);
  auto& wait = stops_[c.get()];
  wait.who = c;
  wait.then = std::move(then);
  const auto rule = shutdown_of(*c->kind);
  if (rule.how == shutdown_rule::kind::brutal_kill)
    return stop_expired(c.get());
  send_exit(c->actor, order());
  if (rule.how == shutdown_rule::kind::timeout)
    wait.timer = start_timer(rule.timeout, [this, key = c.get()] { stop_expired(key); });
}

void supervisor::stop_expired(const child* key) {
  const auto i = stops_.find(key);
  if (i == stops_.end())
    return;
  auto& wait = i->second;
  if (wait.killed) {
    log::get("supervisors")
        .error("a killed child is stuck in a handler; going on without it",
               {{"supervisor", options_.path}, {"child", wait.who->id}, {"pid", wait.who->pid}});
    stop_finished(key, caf::exit_reason::kill);
    return;
  }
  wait.killed = true;
  caf::anon_send_exit(wait.who->actor, caf::exit_reason::kill);
  wait.timer = start_timer(kill_grace, [this, key] { stop_expired(key); });
}

void supervisor::stop_finished(const child* key, const caf::error& reason) {
  const auto i = stops_.find(key);
  if (i == stops_.end())
    return;
  const auto wait = std::move(i->second);
  stops_.erase(i);
  cancel_timer(wait.timer);
  children_->assign(*wait.who, nullptr);
  children_->set_status(*wait.who, child_status::stopped);
  if (!as_expected(*wait.who, reason, wait.killed))
    report("shutdown_error", *wait.who, reason, wait.who->pid);
  wait.then();
}

void supervisor::stop_all(std::vector<child_ptr> list, stop_callback then) {
  for (const auto& c : list)
    c->doomed = true;
  auto s = std::make_shared<sequence>();
  s->list = std::move(list);
  s->next = s->list.size();
  s->epoch = epoch_;
  s->stopped = std::move(then);
  stop_next(s);
}

void supervisor::stop_next(const std::shared_ptr<sequence>& s) {
  while (s->next > 0 && s->epoch == epoch_) {
    const auto c = s->list[--s->next];
    s->inside = s->waiting = true;
    stop_one(c, [this, s] {
      s->waiting = false;
      if (!s->inside && s->epoch == epoch_)
        stop_next(s);
    });
    s->inside = false;
    if (s->waiting)
      return;
  }
  if (s->epoch == epoch_)
    s->stopped();
}

// Instances have no order: all are asked at once, with one timer for all.
void supervisor::stop_crowd(stop_callback then) {
  const auto rule = shutdown_of(template_);
  crowd_.emplace();
  crowd_->then = std::move(then);
  crowd_->killed = rule.how == shutdown_rule::kind::brutal_kill;
  for (auto& c : children_->order()) {
    if (!c.actor) {
      children_->set_status(c, child_status::stopped);
      continue;
    }
    ++crowd_->left;
    children_->set_status(c, child_status::stopping);
    if (stops_.contains(&c))
      continue;  // by request, and on its way
    if (crowd_->killed)
      caf::anon_send_exit(c.actor, caf::exit_reason::kill);
    else
      send_exit(c.actor, order());
  }
  if (crowd_->left == 0)
    return crowd_done();
  if (crowd_->killed)
    crowd_->timer = start_timer(kill_grace, [this] { crowd_expired(); });
  else if (rule.how == shutdown_rule::kind::timeout)
    crowd_->timer = start_timer(rule.timeout, [this] { crowd_expired(); });
}

void supervisor::crowd_expired() {
  if (!crowd_)
    return;
  if (crowd_->killed) {
    log::get("supervisors")
        .error("killed children are stuck in handlers; going on without them",
               {{"supervisor", options_.path}, {"children", crowd_->left}});
    return crowd_done();
  }
  crowd_->killed = true;
  for (auto& c : children_->order())
    if (c.actor)
      caf::anon_send_exit(c.actor, caf::exit_reason::kill);
  crowd_->timer = start_timer(kill_grace, [this] { crowd_expired(); });
}

void supervisor::crowd_member_ended(const child_ptr& c, const caf::error& reason) {
  if (const auto i = stops_.find(c.get()); i != stops_.end()) {
    stop_finished(c.get(), reason);
  } else {
    children_->assign(*c, nullptr);
    children_->set_status(*c, child_status::stopped);
    if (!as_expected(*c, reason, crowd_->killed))
      ++crowd_->faults[describe(reason)];
  }
  if (crowd_ && --crowd_->left == 0)
    crowd_done();
}

// One report for each reason, however many have ended with it.
void supervisor::crowd_done() {
  const auto crowd = std::move(*crowd_);
  crowd_.reset();
  cancel_timer(crowd.timer);
  for (const auto& [reason, count] : crowd.faults)
    log::get("supervisors")
        .error("supervisor report", {{"supervisor", options_.path},
                                     {"context", "shutdown_error"},
                                     {"reason", reason},
                                     {"child", template_.id},
                                     {"module", template_.module},
                                     {"children", count}});
  crowd.then();
}

}  // namespace cafmcp::otp
