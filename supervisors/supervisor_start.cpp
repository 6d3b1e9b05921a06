// Starting children, one and many. A start may end at once or much later (an acknowledgement, the child's
// end, a timer), so each takes a callback; sequences loop while starts end at once, so that many children
// need no deep stack.

#include "base/log.hpp"
#include "supervisors/supervisor.hpp"
#include "supervisors/supervisor_sequence.hpp"

namespace cafmcp::otp {

namespace {

log::logger& logger() {
  static auto& instance = log::get("supervisors");
  return instance;
}

start_result call(const child_kind& kind, const start_context& context) {
  try {
    return kind.start(context);
  } catch (const std::exception& e) {
    return make_exit(exit_code::crashed, e.what());
  } catch (...) {
    return make_exit(exit_code::crashed, "an exception of unknown type");
  }
}

}  // namespace

void supervisor::start_one(const child_ptr& c, start_callback then) {
  const auto& kind = *c->kind;
  const auto path = path_of(*c);
  if (options_.names && !kind.name.empty())
    if (const auto other = options_.names->take(kind.name, c.get(), path))
      return fail_start(c, make_already_started("the name " + kind.name + " is taken", *other), then);
  const auto given = call(kind, start_context{this, c->where, c->arguments, path, options_.names});
  if (std::holds_alternative<ignored>(given)) {
    children_->set_status(*c, child_status::stopped);
    return then(outcome{{}, true});
  }
  if (const auto* why = std::get_if<caf::error>(&given))
    return fail_start(c, *why, then);
  const auto& s = std::get<started>(given);
  if (!s.actor)
    return fail_start(c, make_exit(exit_code::noproc, "the start function returned no actor"), then);
  const auto pid_before = c->pid;
  children_->assign(*c, s.actor);
  if (!s.acknowledges) {
    watch(s.actor, address(), c->ticket());
    return finish_start(c, s.info, then);
  }
  children_->set_status(*c, child_status::starting);
  starting_.emplace();
  starting_->who = c;
  starting_->then = std::move(then);
  starting_->info = s.info;
  starting_->pid_before = pid_before;
  if (kind.start_timeout.count() > 0)
    starting_->timer = start_timer(kind.start_timeout, [this] { start_expired(); });
  watch(s.actor, address(), c->ticket());
}

void supervisor::finish_start(const child_ptr& c, caf::message info, const start_callback& then) {
  if (options_.names && !c->kind->name.empty())
    options_.names->bind(c->kind->name, c.get(), c->actor);
  children_->set_status(*c, child_status::running);
  if (c->kind->restart == restart::temporary) {  // it is never started again
    c->arguments = {};
    if (c->dynamic)
      children_->forget_start(*c);
  }
  if (const auto i = attempts_.find(c.get()); i != attempts_.end())
    i->second.started = clock().now();
  if (!simple() && logger().enabled(log::level::debug))
    logger().debug("progress report",
                   {{"supervisor", options_.path}, {"child", c->id}, {"pid", c->actor.id()}});
  then(outcome{{}, false, std::move(info)});
}

void supervisor::fail_start(const child_ptr& c, const caf::error& why, const start_callback& then) {
  children_->set_status(*c, child_status::stopped);
  then(outcome{why ? why : make_exit(exit_code::start_failed), false});
}

void supervisor::on_init_ack(init_ack& ack) {
  if (!starting_ || starting_->verdict || current_sender() == nullptr ||
      starting_->who->actor.address() != current_sender())
    return;  // of a start that was given up
  auto wait = std::move(*starting_);
  starting_.reset();
  cancel_timer(wait.timer);
  finish_start(wait.who, ack.info.empty() ? std::move(wait.info) : std::move(ack.info), wait.then);
}

// It does not run, and says so before it ends.
void supervisor::on_verdict(outcome o) {
  if (starting_ && !starting_->verdict && current_sender() != nullptr &&
      starting_->who->actor.address() == current_sender())
    starting_->verdict = std::move(o);
}

// It did not acknowledge in time: killed, and left behind if it does not even die.
void supervisor::start_expired() {
  if (!starting_)
    return;
  auto& wait = *starting_;
  if (wait.killed) {
    logger().error("a killed child is stuck in its start; going on without it",
                   {{"supervisor", options_.path}, {"child", wait.who->id}, {"pid", wait.who->pid}});
    return start_ended({});
  }
  wait.killed = true;
  wait.verdict = outcome{make_exit(exit_code::timeout, "it did not say in time that it has started"), false};
  caf::anon_send_exit(wait.who->actor, caf::exit_reason::kill);
  wait.timer = start_timer(kill_grace, [this] { start_expired(); });
}

// A child has ended before it has started.
void supervisor::start_ended(const caf::error& reason) {
  const auto wait = std::move(*starting_);
  starting_.reset();
  cancel_timer(wait.timer);
  children_->assign(*wait.who, nullptr);
  if (wait.pid_before != 0)
    children_->set_pid(*wait.who, wait.pid_before);
  const auto o = wait.verdict.value_or(
      outcome{reason ? reason : make_exit(exit_code::start_failed, "it ended before it had started"), false});
  if (o.failure)
    return fail_start(wait.who, o.failure, wait.then);
  children_->set_status(*wait.who, child_status::stopped);
  wait.then(o);
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
      s->failure = o.failure;
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
    if (s->failure)
      return s->started(c, s->failure);
  }
  if (s->epoch == epoch_)
    s->started(nullptr, {});
}

}  // namespace cafmcp::otp
