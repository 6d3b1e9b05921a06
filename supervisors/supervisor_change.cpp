// Other flags and specifications for a supervisor that runs, as OTP does it when code changes.

#include <map>

#include "supervisors/supervisor.hpp"

namespace cafmcp::otp {

caf::result<caf::ok_atom> supervisor::on_change(const change_supervisor& what) {
  auto promise = make_response_promise<caf::ok_atom>();
  submit(
      [this, what, promise]() mutable {
        supervisor_setup next{options_.flags, {}};
        caf::error why;
        bool children = what.children.has_value();
        if (what.flags)
          next.flags = *what.flags;
        if (what.children)
          next.children = std::move(*what.children);
        if (!what.flags && !what.children && options_.init) {
          try {
            auto given = options_.init();
            if (auto* setup = std::get_if<supervisor_setup>(&given))
              next = std::move(*setup);
            else if (const auto* refused = std::get_if<caf::error>(&given))
              why = *refused;
            children = std::holds_alternative<supervisor_setup>(given);
          } catch (const std::exception& e) {
            why = make_exit(exit_code::crashed, e.what());
          } catch (...) {
            why = make_exit(exit_code::crashed, "an exception of unknown type");
          }
        }
        if (!why && (next.flags.strategy == strategy::simple_one_for_one) != simple())
          why = make_exit(exit_code::bad_specification,
                          "a running supervisor can't become simple_one_for_one, or "
                          "another if it is");
        if (!why)
          why = children ? check_childspecs(next.children, next.flags) : check(next.flags);
        if (!why && children)
          why = change_children(next.children);
        if (why) {
          promise.deliver(why);
        } else {
          options_.flags = next.flags;
          intensity_->set(next.flags.intensity, next.flags.period);
          promise.deliver(caf::ok_atom_v);
        }
        task_done();
      },
      [promise](const caf::error& why) mutable { promise.deliver(why); });
  return promise;
}

// All specifications are known to be fine.
caf::error supervisor::change_children(const std::vector<child_spec>& specs) {
  if (simple()) {
    template_ = specs.front();
    const kind_ptr kind{new shared_kind{template_}};
    for (auto& c : children_->order())
      children_->set_kind(c, kind);
    return {};
  }
  for (const auto& spec : specs)
    if (const auto c = children_->find(std::string_view{spec.id}); c && c->kind->name != spec.name)
      return make_exit(exit_code::bad_specification,
                       "child \"" + spec.id + "\" can't change its name while it is here");
  for (const auto& spec : specs) {
    auto c = children_->find(std::string_view{spec.id});
    if (c)
      children_->set_kind(*c, new shared_kind{spec});
    else
      children_->add(children_->make(spec));
  }
  std::vector<child_ptr> order;
  for (const auto& spec : specs)
    order.push_back(children_->find(std::string_view{spec.id}));
  children_->put_first(order);
  return {};
}

}  // namespace cafmcp::otp
