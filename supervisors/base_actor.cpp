#include "supervisors/base_actor.hpp"

#include "base/log.hpp"
#include "supervisors/asio_scheduler.hpp"
#include "supervisors/stop_request.hpp"

namespace cafmcp::otp {

namespace {

log::logger& logger() {
  static auto& instance = log::get("supervisors");
  return instance;
}

// The text of an exception that left a handler.
std::string text_of(const std::exception_ptr& exception) {
  try {
    std::rethrow_exception(exception);
  } catch (const std::exception& e) {
    return e.what();
  } catch (...) {
    return "an exception of unknown type";
  }
}

}  // namespace

// Keeps its actor alive while it waits: an actor that nobody knows any more must not be destroyed on another
// thread while the wheel still points to it.
struct base_actor::wheel_timer final : timer_entry {
  wheel_timer(base_actor* self, timer_id number) : owner(self->ctrl()), id(number) {}

  void on_timer() override {
    owner->get()->eq_impl(caf::make_message_id(), nullptr, nullptr, timer_tick{id});
  }

  caf::strong_actor_ptr owner;
  timer_id id;
};

base_actor::base_actor(caf::actor_config& config)
    : caf::event_based_actor(config),
      parent_(config.parent != nullptr ? config.parent->address() : caf::actor_addr{}),
      home_(dynamic_cast<context_unit*>(config.host)) {
  if ((config.flags & is_detached_flag) != 0)
    home_ = nullptr;
  else if (home_ == nullptr)
    if (auto* scheduler = asio_scheduler::of(home_system()))
      home_ = scheduler->next_unit();
  set_default_handler([this](caf::scheduled_actor*, caf::message_view& view) -> caf::result<caf::message> {
    return handle_other(view);
  });
  set_error_handler([this](caf::error& reason) {
    logger().warn("unexpected error message", {{"actor", name()}, {"reason", describe(reason)}});
  });
  set_down_handler([this](caf::down_msg& down) { handle_down(down); });
  set_exit_handler([this](caf::exit_msg& exit) { handle_exit(exit.source, exit.reason); });
  set_exception_handler([this](caf::scheduled_actor*, std::exception_ptr& exception) -> caf::error {
    const auto what = text_of(exception);
    logger().error("crash report", {{"actor", name()}, {"pid", id()}, {"exception", what}});
    reported_ = true;
    return make_exit(exit_code::crashed, what);
  });
}

base_actor::~base_actor() = default;

std::size_t base_actor::mailbox_size() const noexcept {
  const auto consumed = consumed_.load(std::memory_order_relaxed);
  const auto enqueued = enqueued_.load(std::memory_order_relaxed);
  return enqueued > consumed ? enqueued - consumed : 0;
}

void base_actor::enqueue(caf::mailbox_element_ptr what, caf::execution_unit* unit) {
  enqueued_.fetch_add(1, std::memory_order_relaxed);
  caf::event_based_actor::enqueue(std::move(what), home_ != nullptr ? home_ : unit);
}

void base_actor::launch(caf::execution_unit* unit, bool lazy, bool hide) {
  caf::event_based_actor::launch(home_ != nullptr ? home_ : unit, lazy, hide);
}

caf::resumable::resume_result base_actor::resume(caf::execution_unit* unit, std::size_t throughput) {
  const auto outcome = caf::event_based_actor::resume(unit, throughput);
  // Only a mailbox that is neither closed nor blocked may be asked for its size.
  const auto left = outcome == resume_later ? mailbox().size() : 0;
  consumed_.store(enqueued_.load(std::memory_order_relaxed) - left, std::memory_order_relaxed);
  return outcome;
}

void base_actor::on_exit() {
  ended_.store(true, std::memory_order_release);
  const auto& reason = fail_state();
  const bool ordered = is_normal_exit(reason) || reason == caf::exit_reason::kill ||
                       reason == exit_code::killed || reason == caf::exit_reason::remote_link_unreachable;
  if (!ordered && !reported_)
    logger().error("crash report", {{"actor", name()}, {"pid", id()}, {"reason", describe(reason)}});
  terminate(reason);
  timers_.clear();
}

void base_actor::handle_down(const caf::down_msg&) {}

void base_actor::handle_exit(const caf::actor_addr&, const caf::error& reason) {
  quit(reason);
}

void base_actor::initialize() {
  caf::event_based_actor::initialize();
  if (answer_ == start_answer::at_once)
    acknowledge(std::move(info_));
}

template <class T>
void base_actor::answer_start(T&& message) {
  if (std::exchange(answer_, start_answer::given) == start_answer::given)
    return;
  if (const auto to = caf::actor_cast<caf::actor>(parent_))
    send(to, std::forward<T>(message));
}

void base_actor::acknowledge(caf::message info) {
  answer_start(init_ack{std::move(info)});
}

void base_actor::ignore_start() {
  answer_start(init_ignore{});
  quit();
}

void base_actor::refuse_start(caf::error why, caf::error exit_reason) {
  answer_start(init_error{std::move(why)});
  reported_ = true;  // to its supervisor
  quit(std::move(exit_reason));
}

void base_actor::terminate(const caf::error&) {}

caf::result<caf::message> base_actor::handle_other(caf::message_view& view) {
  auto content = view.move_content_to_message();
  if (content.match_elements<timer_tick>()) {
    fire_timer(content.get_as<timer_tick>(0).id);
    return caf::message{};
  }
  if (content.match_elements<stop_request>()) {
    handle_exit(address(), content.get_as<stop_request>(0).reason);
    return caf::message{};
  }
  logger().warn("unknown message dropped",
                {{"actor", name()}, {"pid", id()}, {"size", std::uint64_t{content.size()}}});
  if (current_mailbox_element() != nullptr && current_mailbox_element()->mid.is_request())
    return make_exit(exit_code::unknown_message, name());
  // An empty message isn't delivered to the sender of an asynchronous one; an error would be, and kill it.
  return caf::message{};
}

timer_id base_actor::start_timer(std::chrono::milliseconds delay, std::function<void()> action) {
  const auto id = ++last_timer_;
  auto& t = timers_[id];
  t.action = std::move(action);
  if (home_ != nullptr && home_->here()) {
    t.entry = std::make_unique<wheel_timer>(this, id);
    home_->timers().schedule_after(*t.entry, delay);
  } else {
    clock().schedule_message(clock().now() + delay, caf::strong_actor_ptr{ctrl()},
                             caf::make_mailbox_element(nullptr, caf::make_message_id(), {}, timer_tick{id}));
  }
  return id;
}

void base_actor::cancel_timer(timer_id id) {
  timers_.erase(id);
}

void base_actor::fire_timer(timer_id id) {
  const auto i = timers_.find(id);
  if (i == timers_.end())
    return;
  const auto action = std::move(i->second.action);
  timers_.erase(i);
  action();
}

void base_actor::expire_request(caf::message_id mid) {
  eq_impl(mid, nullptr, context(), caf::make_error(caf::sec::request_timeout));
}

void send_shutdown(const caf::actor& to) {
  if (to)
    to->eq_impl(caf::make_message_id(), nullptr, nullptr,
                caf::exit_msg{to.address(), make_exit(exit_code::shutdown)});
}

}  // namespace cafmcp::otp
