#include "supervisors/asio_scheduler.hpp"

#include <boost/asio/post.hpp>
#include <caf/all.hpp>
#include <caf/logger.hpp>

#include "base/assert.hpp"
#include "base/log.hpp"

namespace cafmcp::otp {

namespace {

// Takes what CAF's own default handlers would print to standard output (which the stdio transport needs for
// itself) and logs it. Our actors never print; a foreign class may.
caf::behavior log_printer(caf::event_based_actor* self) {
  self->set_default_handler(caf::drop);
  return {
      [](caf::add_atom, caf::actor_id, const std::string& text) {
        if (text != "\n")
          log::get("supervisors").warn("output of a foreign actor", {{"text", text}});
      },
      [](caf::flush_atom, caf::actor_id) {},
      [](caf::delete_atom, caf::actor_id) {},
  };
}

}  // namespace

void context_unit::exec_later(caf::resumable* job) {
  boost::asio::post(io(), [this, job] { run(job); });
}

void context_unit::run(caf::resumable* job) {
  switch (job->resume(this, throughput_)) {
    case caf::resumable::resume_later:
      exec_later(job);
      break;
    case caf::resumable::done:
    case caf::resumable::awaiting_message:
      caf::intrusive_ptr_release(job);
      break;
    case caf::resumable::shutdown_execution_unit:
      break;
  }
}

scheduler_config::scheduler_config(io_pool& p) : pool(&p) {
  module_factories.push_back([](caf::actor_system& system) -> caf::actor_system::module* {
    return new asio_scheduler(system, dynamic_cast<const scheduler_config&>(system.config()));
  });
}

asio_scheduler::asio_scheduler(caf::actor_system& system, const scheduler_config& config)
    : abstract_coordinator(system), pool_(*config.pool), clock_(pool_) {
  for (std::size_t i = 0; i < pool_.size(); ++i)
    units_.push_back(std::make_unique<context_unit>(&system, pool_, i, config.throughput));
}

asio_scheduler* asio_scheduler::of(caf::actor_system& system) noexcept {
  return dynamic_cast<asio_scheduler*>(&system.scheduler());
}

context_unit* asio_scheduler::next_unit() noexcept {
  const auto here = pool_.current();
  return units_[here != io_pool::none ? here : pool_.next()].get();
}

void asio_scheduler::enqueue(caf::resumable* job) {
  next_unit()->exec_later(job);
}

void asio_scheduler::start() {
  utility_actors_[printer_id] = system_.spawn<caf::hidden>(log_printer);
}

void asio_scheduler::stop() {
  // CAF's destructor calls this twice.
  if (stopped_)
    return;
  stopped_ = true;
  stop_actors();
  clock_.cancel_all();
  // A thread that ever called spawn() holds a thread-local reference to CAF's logger, and ~actor_system waits
  // for the last one. Two rounds: a job of the first may have put another one on a context that was through
  // already.
  for (int round = 0; round < 2; ++round)
    pool_.run_on_each([](std::size_t) { CAF_SET_LOGGER_SYS(nullptr); });
}

}  // namespace cafmcp::otp
