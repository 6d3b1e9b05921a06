// Starting and stopping, one child and many. A step may end at once or much later (an acknowledgement, a DOWN
// message, a timer), so each takes a callback; sequences loop while steps end at once, so that many children
// need no deep stack.

#include "base/log.hpp"
#include "supervisors/supervisor.hpp"

namespace cafmcp::otp {

struct supervisor::sequence {
  std::vector<child_ptr> list;
  std::size_t next = 0;
  std::uint64_t epoch = 0;
  bool inside = false;   // the loop is on the stack
  bool waiting = false;  // the current step has not ended
  outcome last;
  std::function<void(const child_ptr&, const caf::error&)> started;
  stop_callback stopped;
};

void supervisor::start_one(const child_ptr& c, start_callback then) {
  const auto path = path_of(*c);
  start_result started_or_not;
  try {
    started_or_not = c->spec->start(start_context{this, c->where, c->arguments, path, options_.names});
  } catch (const std::exception& e) {
    started_or_not = make_exit(exit_code::crashed, e.what());
  } catch (...) {
    started_or_not = make_exit(exit_code::crashed, "an exception of unknown type");
  }
  if (std::holds_alternative<ignored>(started_or_not)) {
    c->status = child_status::stopped;
    return then(outcome{{}, true});
  }
  if (const auto* why = std::get_if<caf::error>(&started_or_not))
    return fail_start(c, *why, then);
  const auto& s = std::get<started>(started_or_not);
  if (!s.actor)
    return fail_start(c, make_exit(exit_code::noproc, "the start function returned no actor"), then);
  children_.assign(*c, s.actor);
  monitor(s.actor);
  if (!s.acknowledges)
    return finish_start(c, then);
  c->status = child_status::starting;
  starting_ = start_wait{c, std::move(then)};
}

void supervisor::finish_start(const child_ptr& c, const start_callback& then) {
  if (options_.names && !c->spec->name.empty() && !options_.names->bind(c->spec->name, c->actor)) {
    const auto actor = c->actor;
    demonitor(actor.address());
    children_.assign(*c, nullptr);
    caf::anon_send_exit(actor, caf::exit_reason::kill);
    return fail_start(c, make_exit(exit_code::already_started, "the name " + c->spec->name + " is taken"),
                      then);
  }
  c->status = child_status::running;
  log::get("supervisors")
      .debug("progress report",
             {{"supervisor", options_.path}, {"child", c->spec->id}, {"pid", c->actor.id()}});
  then(outcome{});
}

void supervisor::fail_start(const child_ptr& c, const caf::error& why, const start_callback& then) {
  c->status = child_status::stopped;
  report("start_error", *c, why);
  then(outcome{why ? why : make_exit(exit_code::start_failed), false});
}

void supervisor::on_init_ack() {
  if (!starting_ || current_sender() == nullptr || starting_->who->actor.address() != current_sender())
    return;  // of a start that was given up
  const auto wait = std::move(*starting_);
  starting_.reset();
  finish_start(wait.who, wait.then);
}

void supervisor::stop_one(const child_ptr& c, stop_callback then) {
  if (!c->actor) {
    c->status = child_status::stopped;
    return then();
  }
  if (const auto i = stops_.find(c.get()); i != stops_.end()) {
    i->second.then = [first = std::move(i->second.then), second = std::move(then)] {
      first();
      second();
    };
    return;
  }
  c->status = child_status::stopping;
  auto& wait = stops_[c.get()];
  wait.who = c;
  wait.then = std::move(then);
  const auto& rule = c->spec->shutdown;
  if (rule.how == shutdown_rule::kind::brutal_kill) {
    stop_expired(c.get());
    return;
  }
  send_exit(c->actor, make_exit(exit_code::shutdown));
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
               {{"supervisor", options_.path}, {"child", wait.who->spec->id}, {"pid", wait.who->actor.id()}});
    demonitor(wait.who->actor.address());
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
  children_.assign(*wait.who, nullptr);
  wait.who->status = child_status::stopped;
  const bool expected =
      is_normal_exit(reason) || (wait.killed && reason == caf::exit_reason::kill &&
                                 wait.who->spec->shutdown.how == shutdown_rule::kind::brutal_kill);
  if (!expected)
    report("shutdown_error", *wait.who, reason);
  wait.then();
}

void supervisor::start_all(std::vector<child_ptr> list,
                           std::function<void(const child_ptr&, const caf::error&)> then) {
  auto s = std::make_shared<sequence>();
  s->list = std::move(list);
  s->epoch = epoch_;
  s->started = std::move(then);
  start_next(s);
}

void supervisor::start_next(const std::shared_ptr<sequence>& s) {
  while (s->next < s->list.size() && s->epoch == epoch_) {
    const auto c = s->list[s->next++];
    s->inside = s->waiting = true;
    start_one(c, [this, s, c](const outcome& o) {
      if (s->epoch != epoch_)
        return;  // a stop has overtaken this
      s->waiting = false;
      s->last = o;
      if (o.ignored)
        child_over(c);
      if (s->inside)
        return;
      if (o.failure)
        s->started(c, o.failure);
      else
        start_next(s);
    });
    s->inside = false;
    if (s->waiting)
      return;
    if (s->last.failure)
      return s->started(c, s->last.failure);
  }
  if (s->epoch == epoch_)
    s->started(nullptr, {});
}

void supervisor::stop_all(std::vector<child_ptr> list, stop_callback then) {
  auto s = std::make_shared<sequence>();
  s->list = std::move(list);
  s->next = s->list.size();
  s->epoch = epoch_;
  s->stopped = std::move(then);
  if (!simple())
    return stop_next(s);
  // Instances have no order: all at once.
  const auto left = std::make_shared<std::size_t>(s->list.size() + 1);
  const auto one_less = [this, s, left] {
    if (--*left == 0 && s->epoch == epoch_)
      s->stopped();
  };
  for (const auto& c : s->list)
    stop_one(c, one_less);
  one_less();
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

}  // namespace cafmcp::otp
