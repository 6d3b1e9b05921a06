// What happens when: the start, a death, the end. OTP's supervisor(3) is the specification.

#include <algorithm>
#include <cmath>

#include "base/log.hpp"
#include "supervisors/supervisor.hpp"

namespace cafmcp::otp {

namespace {

std::atomic<std::uint64_t> restarts{0};

// How long a child that would be waited for for ever may outlive a supervisor that was killed.
constexpr std::chrono::milliseconds orphan_time{5000};

}  // namespace

std::uint64_t restarts_total() noexcept {
  return restarts.load(std::memory_order_relaxed);
}

void supervisor::submit(std::function<void()> run, std::function<void(const caf::error&)> abandon) {
  if (stopping_) {
    if (abandon)
      abandon(make_exit(exit_code::stopping, options_.path));
    return;
  }
  tasks_.push_back(task{std::move(run), std::move(abandon)});
  run_tasks();
}

void supervisor::task_done() {
  busy_ = false;
  run_tasks();
}

void supervisor::run_tasks() {
  if (running_tasks_)
    return;
  running_tasks_ = true;
  while (!busy_ && !tasks_.empty()) {
    busy_ = true;
    const auto next = std::move(tasks_.front());
    tasks_.pop_front();
    next.run();
  }
  running_tasks_ = false;
}

// Flags and children, from whoever knows them. False: there is nothing to be started.
bool supervisor::set_up() {
  caf::error why;
  if (options_.init) {
    try {
      auto given = options_.init();
      if (auto* setup = std::get_if<supervisor_setup>(&given)) {
        options_.flags = setup->flags;
        options_.children = std::move(setup->children);
      } else if (std::holds_alternative<ignored>(given)) {
        ignore_start();
        return false;
      } else {
        why = std::get<caf::error>(given);
      }
    } catch (const std::exception& e) {
      why = make_exit(exit_code::crashed, e.what());
    } catch (...) {
      why = make_exit(exit_code::crashed, "an exception of unknown type");
    }
  }
  if (!why)
    why = check_childspecs(options_.children, options_.flags);
  if (!why)
    return true;
  refuse_start(why, why);
  return false;
}

void supervisor::initialise() {
  const bool ready = set_up();
  children_.emplace(simple());
  intensity_.emplace(options_.flags.intensity, options_.flags.period);
  if (!ready)
    return;
  for (auto& spec : options_.children)
    if (simple())
      template_ = std::move(spec);
    else
      children_->add(children_->make(spec));
  options_.children = {};
  submit([this] {
    start_all(children_->snapshot(), [this](const child_ptr& failed, const caf::error& why) {
      if (failed) {
        report("start_error", *failed, why, 0);
        stop_reason_ = make_exit(exit_code::start_failed, path_of(*failed) + ": " + describe(why));
        return begin_stop(stop_reason_);
      }
      acknowledged_ = true;
      acknowledge();
      task_done();
    });
  });
}

void supervisor::on_down(const child_down& down) {
  const auto c = children_->find(down.ticket);
  if (!c)
    return;  // it was given up before
  if (crowd_)
    return crowd_member_ended(c, down.reason);
  if (stops_.contains(c.get()))
    return stop_finished(c.get(), down.reason);
  if (starting_ && starting_->who == c)
    return start_ended(down.reason);
  const auto pid = c->pid;
  children_->assign(*c, nullptr);
  child_died(c, down.reason, pid);
}

void supervisor::child_died(const child_ptr& c, const caf::error& reason, caf::actor_id pid) {
  children_->set_status(*c, child_status::stopped);
  if (c->doomed) {  // it would have been stopped soon
    if (!as_expected(*c, reason, false))
      report("shutdown_error", *c, reason, pid);
    return;
  }
  const bool normal = is_normal_exit(reason);
  if (!normal || c->kind->restart == restart::permanent)
    report("child_terminated", *c, reason, pid);
  if (c->kind->restart == restart::permanent || (c->kind->restart == restart::transient && !normal))
    return restart_later(c, false);
  const bool significant = c->kind->significant;
  child_over(c);
  if (!significant || options_.flags.auto_shutdown == auto_shutdown::never)
    return;
  if (options_.flags.auto_shutdown == auto_shutdown::any_significant || children_->significant() == 0)
    begin_stop(make_exit(exit_code::shutdown));
}

// It is not going to be started again by itself.
void supervisor::child_over(const child_ptr& c) {
  if (options_.names && !c->kind->name.empty())
    options_.names->release(c->kind->name, c.get());
  attempts_.erase(c.get());
  if (c->listed && (c->kind->restart == restart::temporary || simple()))
    children_->remove(*c);
}

void supervisor::suspend_name(const child& c) {
  if (options_.names && !c.kind->name.empty())
    options_.names->bind(c.kind->name, &c, nullptr);
}

// At once, or by a message to itself if it has failed just now, so that whoever wants to stop this has a
// turn; or after a wait, if there are waits.
void supervisor::restart_later(const child_ptr& c, bool retry) {
  children_->assign(*c, nullptr);  // whatever was planned for it before is void
  children_->set_status(*c, child_status::restarting);
  suspend_name(*c);
  const auto ticket = c->ticket();
  if (const auto wait = next_wait(c.get()); wait.count() > 0)
    start_timer(wait, [this, ticket] { submit([this, ticket] { restart_now(ticket); }); });
  else if (retry)
    eq_impl(caf::make_message_id(), nullptr, context(), child_retry{ticket});
  else
    submit([this, ticket] { restart_now(ticket); });
}

std::chrono::milliseconds supervisor::next_wait(const child* c) {
  const auto& b = options_.flags.backoff;
  if (b.initial.count() == 0)
    return {};
  auto& a = attempts_[c];
  if (a.count > 0 && a.started != decltype(a.started){} && clock().now() - a.started >= b.reset_after)
    a.count = 0;
  a.started = {};
  const auto wait = static_cast<double>(b.initial.count()) * std::pow(b.factor, a.count++);
  return std::chrono::milliseconds{
      static_cast<std::int64_t>(std::min(wait, static_cast<double>(b.limit.count())))};
}

void supervisor::restart_now(child_ticket ticket) {
  // Something else may have been done to it since: a sibling's restart took it along, or it was terminated by
  // request.
  const auto c = children_->find(ticket);
  if (!c || c->status != child_status::restarting)
    return task_done();
  if (!intensity_->add(clock().now())) {
    report("shutdown", *c, "reached_max_restart_intensity", c->pid);
    return begin_stop(make_exit(exit_code::shutdown));
  }
  if (options_.flags.strategy == strategy::one_for_all || options_.flags.strategy == strategy::rest_for_one)
    return restart_group(c);
  ++c->restarts;
  restarts.fetch_add(1, std::memory_order_relaxed);
  start_one(c, [this, c, epoch = epoch_](const outcome& o) {
    if (epoch != epoch_)
      return;
    if (o.failure) {
      report("start_error", *c, o.failure, 0);
      restart_later(c, true);
    } else if (o.ignored) {
      child_over(c);
    }
    task_done();
  });
}

void supervisor::restart_group(const child_ptr& c) {
  const bool all = options_.flags.strategy == strategy::one_for_all;
  auto group = children_->snapshot(all ? nullptr : c.get());
  for (const auto& member : group)
    suspend_name(*member);
  stop_all(group, [this, group] {
    std::vector<child_ptr> again;
    for (const auto& member : group) {
      if (!member->listed)
        continue;
      if (member->kind->restart == restart::temporary) {
        child_over(member);
        continue;
      }
      ++member->restarts;
      restarts.fetch_add(1, std::memory_order_relaxed);
      again.push_back(member);
    }
    start_all(std::move(again), [this](const child_ptr& failed, const caf::error& why) {
      if (failed) {
        report("start_error", *failed, why, 0);
        restart_later(failed, true);
      }
      task_done();
    });
  });
}

void supervisor::begin_stop(const caf::error& reason) {
  if (stopping_)
    return;
  stopping_ = true;
  until_stopped_ = caf::strong_actor_ptr{ctrl()};
  stop_reason_ = reason;
  ++epoch_;
  if (starting_) {
    const auto wait = std::move(*starting_);
    starting_.reset();
    cancel_timer(wait.timer);
    wait.then(outcome{make_exit(exit_code::stopping, options_.path), false});
  }
  auto abandoned = std::move(tasks_);
  tasks_.clear();
  for (const auto& t : abandoned)
    if (t.abandon)
      t.abandon(make_exit(exit_code::stopping, options_.path));
  const auto then = [this] {
    // Whoever has started this hears why it did not start.
    if (!acknowledged_)
      return refuse_start(stop_reason_, stop_reason_);
    quit(stop_reason_);
  };
  if (simple())
    stop_crowd(then);
  else
    stop_all(children_->snapshot(), then);
}

// The end of an actor that is linked to this one is not its business.
void supervisor::handle_exit(const caf::actor_addr& source, const caf::error& reason) {
  if (!source || source == address() || source == parent())
    begin_stop(reason);
}

// By quit() there is nobody left. By a kill or a crash the children must not outlive their supervisor: they
// are told so, may clean up as in any stop, and are killed when their time is over.
// It runs on no context if the last handle was dropped, so it names none.
void supervisor::terminate(const caf::error&) {
  until_stopped_ = nullptr;
  if (!children_)
    return;
  for (const auto& c : children_->snapshot()) {
    if (options_.names && !c->kind->name.empty())
      options_.names->release(c->kind->name, c.get());
    if (!c->actor)
      continue;
    const auto rule = shutdown_of(*c->kind);
    const auto target = caf::actor_cast<caf::strong_actor_ptr>(c->actor);
    if (rule.how == shutdown_rule::kind::brutal_kill) {
      caf::anon_send_exit(c->actor, caf::exit_reason::kill);
    } else {
      c->actor->eq_impl(caf::make_message_id(), nullptr, nullptr,
                        caf::exit_msg{address(), make_exit(exit_code::killed)});
      if (rule.how == shutdown_rule::kind::timeout || c->kind->type == child_type::worker)
        clock().schedule_message(
            clock().now() + (rule.how == shutdown_rule::kind::timeout ? rule.timeout : orphan_time), target,
            caf::make_mailbox_element(nullptr, caf::make_message_id(), {},
                                      caf::exit_msg{c->actor.address(), caf::exit_reason::kill}));
    }
    children_->assign(*c, nullptr);  // dead actors that hold each other would never be freed
  }
  starting_.reset();
  stops_.clear();
  crowd_.reset();
  tasks_.clear();
}

}  // namespace cafmcp::otp
