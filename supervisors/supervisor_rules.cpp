// What happens when: the start, a death, the end. OTP's supervisor(3) is the specification.

#include "base/log.hpp"
#include "supervisors/supervisor.hpp"

namespace cafmcp::otp {

namespace {

std::atomic<std::uint64_t> restarts{0};

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

void supervisor::initialise() {
  for (const auto& spec : options_.children) {
    auto why = check(spec, options_.flags);
    if (!why && children_.find(spec.id))
      why = make_exit(exit_code::bad_specification, "two children are called \"" + spec.id + "\"");
    if (why)
      return begin_stop(why);
    auto c = child_ptr{new child};
    c->spec = std::make_shared<const child_spec>(spec);
    if (simple())
      template_ = c->spec;
    else
      children_.add(c, true);
  }
  if (simple() && options_.children.size() != 1)
    return begin_stop(make_exit(exit_code::bad_specification, "simple_one_for_one takes exactly one child"));
  options_.children.clear();
  submit([this] {
    start_all(children_.snapshot(), [this](const child_ptr& failed, const caf::error& why) {
      if (failed)
        return begin_stop(make_exit(exit_code::start_failed, path_of(*failed) + ": " + describe(why)));
      if (const auto parent = std::exchange(options_.parent, nullptr))
        send(parent, init_ack{});
      task_done();
    });
  });
}

void supervisor::handle_down(const caf::down_msg& down) {
  const auto c = children_.find(down.source.id());
  if (!c)
    return;  // it was given up before
  if (stops_.contains(c.get()))
    return stop_finished(c.get(), down.reason);
  children_.assign(*c, nullptr);
  if (starting_ && starting_->who == c) {
    const auto wait = std::move(*starting_);
    starting_.reset();
    return fail_start(c, down.reason ? down.reason : make_exit(exit_code::start_failed, "it ended at once"),
                      wait.then);
  }
  child_died(c, down.reason);
}

void supervisor::child_died(const child_ptr& c, const caf::error& reason) {
  c->status = child_status::stopped;
  const bool normal = is_normal_exit(reason);
  if (!normal || c->spec->restart == restart::permanent)
    report("child_terminated", *c, reason);
  if (stopping_)
    return;  // the stop finds it gone
  if (c->spec->restart == restart::permanent || (c->spec->restart == restart::transient && !normal))
    return restart_later(c);
  child_over(c);
  if (!c->spec->significant || options_.flags.auto_shutdown == auto_shutdown::never)
    return;
  const bool last = std::none_of(children_.order().begin(), children_.order().end(), [&](const child& other) {
    return &other != c.get() && other.spec->significant && other.status != child_status::stopped;
  });
  if (options_.flags.auto_shutdown == auto_shutdown::any_significant || last)
    begin_stop(make_exit(exit_code::shutdown, "significant child " + c->spec->id + " ended"));
}

void supervisor::child_over(const child_ptr& c) {
  if (options_.names && !c->spec->name.empty())
    options_.names->release(c->spec->name);
  if (c->listed && (c->spec->restart == restart::temporary || simple()))
    children_.remove(*c);
}

void supervisor::restart_later(const child_ptr& c) {
  c->status = child_status::restarting;
  if (options_.names && !c->spec->name.empty())
    options_.names->suspend(c->spec->name);
  submit([this, c] { restart_now(c); });
}

void supervisor::restart_now(const child_ptr& c) {
  // Something else may have been done to it since: a sibling's restart took it along, or it was terminated by
  // request.
  if (!c->listed || c->status != child_status::restarting)
    return task_done();
  if (!intensity_.add(clock().now())) {
    report("shutdown", *c, make_exit(exit_code::shutdown, "reached_max_restart_intensity"));
    return begin_stop(make_exit(exit_code::shutdown, "reached_max_restart_intensity"));
  }
  if (options_.flags.strategy == strategy::one_for_all || options_.flags.strategy == strategy::rest_for_one)
    return restart_group(c);
  ++c->restarts;
  restarts.fetch_add(1, std::memory_order_relaxed);
  start_one(c, [this, c, epoch = epoch_](const outcome& o) {
    if (epoch != epoch_)
      return;
    if (o.failure)
      restart_later(c);
    else if (o.ignored)
      child_over(c);
    task_done();
  });
}

void supervisor::restart_group(const child_ptr& c) {
  const bool all = options_.flags.strategy == strategy::one_for_all;
  auto group = children_.snapshot(all ? nullptr : c.get());
  if (options_.names)
    for (const auto& member : group)
      if (!member->spec->name.empty())
        options_.names->suspend(member->spec->name);
  stop_all(group, [this, group] {
    std::vector<child_ptr> again;
    for (const auto& member : group) {
      if (!member->listed)
        continue;
      if (member->spec->restart == restart::temporary) {
        child_over(member);
        continue;
      }
      ++member->restarts;
      restarts.fetch_add(1, std::memory_order_relaxed);
      again.push_back(member);
    }
    start_all(std::move(again), [this](const child_ptr& failed, const caf::error&) {
      if (failed)
        restart_later(failed);
      task_done();
    });
  });
}

void supervisor::begin_stop(const caf::error& reason) {
  if (stopping_)
    return;
  stopping_ = true;
  stop_reason_ = reason;
  ++epoch_;
  if (starting_) {
    const auto wait = std::move(*starting_);
    starting_.reset();
    wait.then(outcome{make_exit(exit_code::stopping, options_.path), false});
  }
  auto abandoned = std::move(tasks_);
  tasks_.clear();
  for (const auto& t : abandoned)
    if (t.abandon)
      t.abandon(make_exit(exit_code::stopping, options_.path));
  stop_all(children_.snapshot(), [this] { quit(stop_reason_); });
}

void supervisor::handle_exit(const caf::error& reason) {
  begin_stop(reason);
}

void supervisor::terminate(const caf::error&) {
  // By quit() there is nobody left; by a kill or a crash the children must not outlive their supervisor.
  for (const auto& c : children_.snapshot()) {
    if (options_.names && !c->spec->name.empty())
      options_.names->release(c->spec->name);
    if (c->actor)
      caf::anon_send_exit(c->actor, caf::exit_reason::kill);
    children_.assign(*c, nullptr);  // dead actors that hold each other would never be freed
  }
  options_.parent = nullptr;
  starting_.reset();
  stops_.clear();
  tasks_.clear();
}

}  // namespace cafmcp::otp
