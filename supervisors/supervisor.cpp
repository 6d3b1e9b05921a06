#include "supervisors/supervisor.hpp"

#include <charconv>

namespace cafmcp::otp {

supervisor::supervisor(caf::actor_config& config, supervisor_options options)
    : base_actor(config), options_(std::move(options)) {
  if (options_.parent)
    set_parent(options_.parent.address());
  options_.parent = nullptr;
}

caf::behavior supervisor::make_behavior() {
  acknowledge_later();
  initialise();
  return {
      [this](const child_down& what) { on_down(what); },
      [this](const child_retry& what) { submit([this, what] { restart_now(what.ticket); }); },
      [this](init_ack& ack) { on_init_ack(ack); },
      [this](init_ignore) {
        on_verdict({{}, true});
      },
      [this](const init_error& what) {
        on_verdict({what.why ? what.why : make_exit(exit_code::start_failed)});
      },
      [this](const start_child& what) { return on_start_child(what); },
      [this](const start_instance& what) { return on_start_instance(what); },
      [this](const terminate_child& what) { return on_terminate_child(what); },
      [this](const restart_child& what) { return on_restart_child(what); },
      [this](const delete_child& what) { return on_delete_child(what); },
      [this](const find_child& what) { return on_find_child(what); },
      [this](const get_childspec& what) { return on_get_childspec(what); },
      [this](which_children) { return list_children(); },
      [this](count_children) { return count(); },
      [this](const change_supervisor& what) { return on_change(what); },
      [this](const inspect_tree& what) { return on_inspect(what); },
  };
}

// "#pid" is an instance, by its present actor or, while it is being restarted, by the last one.
child_ptr supervisor::lookup(const std::string& id) const {
  if (!simple())
    return children_->find(std::string_view{id});
  caf::actor_id pid = 0;
  const auto* end = id.data() + id.size();
  if (!id.starts_with('#') || std::from_chars(id.data() + 1, end, pid).ptr != end)
    return nullptr;
  return children_->find(pid);
}

void supervisor::add_and_start(const child_ptr& c, caf::typed_response_promise<child_started> promise) {
  children_->add(c);
  start_one(c, [this, c, promise, epoch = epoch_](const outcome& o) mutable {
    if (o.failure) {
      promise.deliver(o.failure);
      if (epoch == epoch_) {  // otherwise the stop that has overtaken this takes care of it
        child_over(c);
        if (c->listed)
          children_->remove(*c);
      }
    } else {
      promise.deliver(child_started{c->actor, o.info});
      if (o.ignored)
        child_over(c);
    }
    if (epoch == epoch_)
      task_done();
  });
}

caf::result<child_started> supervisor::on_start_child(const start_child& what) {
  if (simple())
    return make_exit(exit_code::simple_one_for_one, "use start_instance");
  if (auto why = check(what.spec, options_.flags))
    return why;
  auto promise = make_response_promise<child_started>();
  submit(
      [this, spec = what.spec, promise]() mutable {
        if (const auto other = children_->find(std::string_view{spec.id})) {
          promise.deliver(other->actor ? make_already_started(spec.id, other->actor)
                                       : make_exit(exit_code::already_present, spec.id));
          return task_done();
        }
        const auto c = children_->make(spec);
        c->dynamic = true;
        add_and_start(c, promise);
      },
      [promise](const caf::error& why) mutable { promise.deliver(why); });
  return promise;
}

caf::result<child_started> supervisor::on_start_instance(const start_instance& what) {
  if (!simple())
    return make_exit(exit_code::bad_specification, "start_instance is for simple_one_for_one");
  auto promise = make_response_promise<child_started>();
  submit(
      [this, what, promise]() mutable {
        const auto c = children_->make(template_);
        c->arguments = std::move(what.arguments);
        c->where = what.where;
        add_and_start(c, promise);
      },
      [promise](const caf::error& why) mutable { promise.deliver(why); });
  return promise;
}

caf::result<caf::ok_atom> supervisor::on_terminate_child(const terminate_child& what) {
  if (simple() && !what.id.starts_with('#'))
    return make_exit(exit_code::simple_one_for_one, what.id);
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

caf::result<child_started> supervisor::on_restart_child(const restart_child& what) {
  if (simple())
    return make_exit(exit_code::simple_one_for_one, what.id);
  auto promise = make_response_promise<child_started>();
  submit(
      [this, id = what.id, promise]() mutable {
        const auto c = children_->find(std::string_view{id});
        if (!c || c->status != child_status::stopped) {
          promise.deliver(make_exit(!c         ? exit_code::not_found
                                    : c->actor ? exit_code::running
                                               : exit_code::restarting,
                                    id));
          return task_done();
        }
        start_one(c, [this, c, promise, epoch = epoch_](const outcome& o) mutable {
          if (o.failure)
            promise.deliver(o.failure);
          else
            promise.deliver(child_started{c->actor, o.info});
          if (epoch != epoch_)
            return;
          if (o.failure || o.ignored)
            child_over(c);
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
        const auto c = children_->find(std::string_view{id});
        if (!c)
          promise.deliver(make_exit(exit_code::not_found, id));
        else if (c->status != child_status::stopped)
          promise.deliver(make_exit(c->actor ? exit_code::running : exit_code::restarting, id));
        else {
          child_over(c);  // a group restart that failed has left its name taken
          if (c->listed)
            children_->remove(*c);
          promise.deliver(caf::ok_atom_v);
        }
        task_done();
      },
      [promise](const caf::error& why) mutable { promise.deliver(why); });
  return promise;
}

caf::result<caf::actor> supervisor::on_find_child(const find_child& what) const {
  const auto c = lookup(what.id);
  if (!c)
    return make_exit(exit_code::not_found, what.id);
  if (c->actor)
    return c->actor;
  return make_exit(c->status == child_status::restarting ? exit_code::restarting : exit_code::noproc,
                   what.id);
}

caf::result<child_spec> supervisor::on_get_childspec(const get_childspec& what) const {
  if (simple() && what.id == template_.id)
    return template_;
  const auto c = lookup(what.id);
  if (!c)
    return make_exit(exit_code::not_found, what.id);
  child_spec spec;
  static_cast<child_kind&>(spec) = *c->kind;
  spec.id = simple() ? template_.id : c->id;
  return spec;
}

std::vector<child_info> supervisor::list_children() const {
  std::vector<child_info> out;
  out.reserve(children_->size());
  for (auto i = children_->order().rbegin(); i != children_->order().rend(); ++i)
    out.push_back({simple() ? '#' + std::to_string(i->pid) : i->id, i->actor, i->status, i->kind->type,
                   i->kind->module});
  return out;
}

child_counts supervisor::count() const {
  auto counts = children_->counts();
  if (simple())
    counts.specs = 1;
  return counts;
}

child_spec supervisor_spec(std::string id, supervisor_flags flags, std::vector<child_spec> children) {
  return supervisor_spec(std::move(id),
                         [setup = supervisor_setup{flags, std::move(children)}] { return setup; });
}

child_spec supervisor_spec(std::string id, supervisor_init init) {
  child_spec spec;
  spec.id = std::move(id);
  spec.type = child_type::supervisor;
  spec.module = "supervisor";
  spec.start = [init = std::move(init)](const start_context& context) -> start_result {
    supervisor_options options{context.path, {}, {}, context.names, nullptr, init};
    return started{spawn_child<supervisor>(*context.supervisor, context.where, std::move(options)), true};
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
      [](const init_ack&) {},
      [&](init_ignore) { failure = make_exit(exit_code::noproc, "it chose not to run"); },
      [&](const init_error& what) { failure = what.why; },
      [&](const caf::down_msg& down) { failure = down.reason ? down.reason : make_exit(exit_code::noproc); });
  self->demonitor(root.address());
  if (failure)
    return fail(errc::unavailable, describe(failure));
  return root;
}

}  // namespace cafmcp::otp
