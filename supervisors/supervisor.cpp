#include "supervisors/supervisor.hpp"

#include <charconv>

#include "base/log.hpp"

namespace cafmcp::otp {

supervisor::supervisor(caf::actor_config& config, supervisor_options options)
    : base_actor(config),
      options_(std::move(options)),
      intensity_(options_.flags.intensity, options_.flags.period) {}

caf::behavior supervisor::make_behavior() {
  initialise();
  return {
      [this](init_ack) { on_init_ack(); },
      [this](const start_child& what) { return on_start_child(what); },
      [this](const start_instance& what) { return on_start_instance(what); },
      [this](const terminate_child& what) { return on_terminate_child(what); },
      [this](const restart_child& what) { return on_restart_child(what); },
      [this](const delete_child& what) { return on_delete_child(what); },
      [this](const find_child& what) { return on_find_child(what); },
      [this](count_children) { return count(); },
      [this](const inspect_tree& what) { return on_inspect(what); },
  };
}

std::string supervisor::path_of(const child& c) const {
  return options_.path + '/' + c.spec->id;
}

void supervisor::report(const char* context, const child& c, const caf::error& reason) const {
  log::get("supervisors")
      .error("supervisor report", {{"supervisor", options_.path},
                                   {"context", context},
                                   {"reason", describe(reason)},
                                   {"child", c.spec->id},
                                   {"module", c.spec->module},
                                   {"restart", to_string(c.spec->restart)},
                                   {"restarts", c.restarts}});
}

child_ptr supervisor::lookup(const std::string& id) const {
  if (!id.empty() && id.front() == '#') {
    caf::actor_id pid = 0;
    const auto parsed = std::from_chars(id.data() + 1, id.data() + id.size(), pid);
    return parsed.ptr == id.data() + id.size() ? children_.find(pid) : nullptr;
  }
  return children_.find(id);
}

void supervisor::add_and_start(const child_ptr& c, bool indexed,
                               caf::typed_response_promise<caf::actor> promise) {
  children_.add(c, indexed);
  start_one(c, [this, c, promise, epoch = epoch_](const outcome& o) mutable {
    if (o.failure) {
      promise.deliver(make_exit(exit_code::start_failed, describe(o.failure)));
      if (epoch == epoch_ && c->listed)
        children_.remove(*c);  // otherwise the stop that has overtaken this takes care of it
    } else {
      promise.deliver(c->actor);
      if (o.ignored)
        child_over(c);
    }
    if (epoch == epoch_)
      task_done();
  });
}

caf::result<caf::actor> supervisor::on_start_child(const start_child& what) {
  if (simple())
    return make_exit(exit_code::simple_one_for_one, "use start_instance");
  if (auto why = check(what.spec, options_.flags))
    return why;
  auto promise = make_response_promise<caf::actor>();
  auto spec = std::make_shared<const child_spec>(what.spec);
  submit(
      [this, spec, promise]() mutable {
        if (const auto other = children_.find(spec->id)) {
          promise.deliver(
              make_exit(other->actor ? exit_code::already_started : exit_code::already_present, spec->id));
          return task_done();
        }
        auto c = child_ptr{new child};
        c->spec = spec;
        add_and_start(c, true, promise);
      },
      [promise](const caf::error& why) mutable { promise.deliver(why); });
  return promise;
}

caf::result<caf::actor> supervisor::on_start_instance(const start_instance& what) {
  if (!simple())
    return make_exit(exit_code::bad_specification, "start_instance is for simple_one_for_one");
  auto promise = make_response_promise<caf::actor>();
  submit(
      [this, what, promise]() mutable {
        auto c = child_ptr{new child};
        c->spec = template_;
        c->arguments = what.arguments;
        c->where = what.where;
        add_and_start(c, false, promise);
      },
      [promise](const caf::error& why) mutable { promise.deliver(why); });
  return promise;
}

caf::result<caf::ok_atom> supervisor::on_terminate_child(const terminate_child& what) {
  auto promise = make_response_promise<caf::ok_atom>();
  submit(
      [this, id = what.id, promise]() mutable {
        const auto c = lookup(id);
        if (!c) {
          promise.deliver(make_exit(exit_code::not_found, id));
          return task_done();
        }
        stop_one(c, [this, c, promise, epoch = epoch_]() mutable {
          if (c->listed)
            child_over(c);
          promise.deliver(caf::ok_atom_v);
          if (epoch == epoch_)
            task_done();
        });
      },
      [promise](const caf::error& why) mutable { promise.deliver(why); });
  return promise;
}

caf::result<caf::actor> supervisor::on_restart_child(const restart_child& what) {
  if (simple())
    return make_exit(exit_code::simple_one_for_one, what.id);
  auto promise = make_response_promise<caf::actor>();
  submit(
      [this, id = what.id, promise]() mutable {
        const auto c = children_.find(id);
        if (!c || c->status != child_status::stopped) {
          promise.deliver(make_exit(!c         ? exit_code::not_found
                                    : c->actor ? exit_code::running
                                               : exit_code::restarting,
                                    id));
          return task_done();
        }
        start_one(c, [this, c, promise, epoch = epoch_](const outcome& o) mutable {
          if (o.failure)
            promise.deliver(make_exit(exit_code::start_failed, describe(o.failure)));
          else
            promise.deliver(c->actor);
          if (epoch == epoch_)
            task_done();
        });
      },
      [promise](const caf::error& why) mutable { promise.deliver(why); });
  return promise;
}

caf::result<caf::ok_atom> supervisor::on_delete_child(const delete_child& what) {
  if (simple())
    return make_exit(exit_code::simple_one_for_one, what.id);
  auto promise = make_response_promise<caf::ok_atom>();
  submit(
      [this, id = what.id, promise]() mutable {
        const auto c = children_.find(id);
        if (!c)
          promise.deliver(make_exit(exit_code::not_found, id));
        else if (c->status != child_status::stopped)
          promise.deliver(make_exit(c->actor ? exit_code::running : exit_code::restarting, id));
        else {
          children_.remove(*c);
          promise.deliver(caf::ok_atom_v);
        }
        task_done();
      },
      [promise](const caf::error& why) mutable { promise.deliver(why); });
  return promise;
}

caf::result<caf::actor> supervisor::on_find_child(const find_child& what) {
  const auto c = lookup(what.id);
  if (!c)
    return make_exit(exit_code::not_found, what.id);
  if (c->actor)
    return c->actor;
  return make_exit(c->status == child_status::restarting ? exit_code::restarting : exit_code::noproc,
                   what.id);
}

child_counts supervisor::count() const {
  child_counts counts;
  counts.specs = simple() ? 1 : children_.size();
  for (const auto& c : children_.order()) {
    counts.active += c.actor ? 1 : 0;
    ++(c.spec->type == child_type::supervisor ? counts.supervisors : counts.workers);
  }
  return counts;
}

child_spec supervisor_spec(std::string id, supervisor_flags flags, std::vector<child_spec> children) {
  child_spec spec;
  spec.id = std::move(id);
  spec.type = child_type::supervisor;
  spec.module = "supervisor";
  spec.shutdown = shutdown_rule::infinity();
  spec.start = [flags, children = std::move(children)](const start_context& context) -> start_result {
    supervisor_options options{context.path, flags, children, context.names,
                               caf::actor_cast<caf::actor>(context.supervisor)};
    return started{spawn_on<supervisor>(context.supervisor->system(), context.where, std::move(options)),
                   true};
  };
  return spec;
}

result<caf::actor> start_tree(caf::actor_system& system, context_unit* unit, supervisor_options options) {
  caf::scoped_actor self{system};
  options.parent = caf::actor_cast<caf::actor>(self);
  const auto root = spawn_on<supervisor>(system, unit, std::move(options));
  self->monitor(root);
  caf::error failure;
  self->receive(
      [](init_ack) {},
      [&](const caf::down_msg& down) { failure = down.reason ? down.reason : make_exit(exit_code::noproc); });
  self->demonitor(root.address());
  if (failure)
    return fail(errc::unavailable, describe(failure));
  return root;
}

}  // namespace cafmcp::otp
