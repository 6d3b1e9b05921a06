#pragma once
// The base of all our actors. It closes the traps of CAF 0.17 (each has a test in base_actor.test.cpp):
// nothing prints to standard output, an error message or an unknown message never kills, an exception becomes
// a crash report and an exit reason, requests time out by timers that are cancelled when the answer comes.
// And it pins: an actor that is spawned on a context (`spawn_on`, or by a parent that lives there) runs on
// that context's thread for life, whoever sends to it.
//
// Everything here is for the actor's own thread, but for `enqueue`, `mailbox_size` and `home`.

#include <atomic>
#include <caf/all.hpp>
#include <caf/logger.hpp>
#include <chrono>
#include <functional>
#include <memory>
#include <unordered_map>
#include <utility>

#include "supervisors/context_unit.hpp"
#include "supervisors/exit_reason.hpp"

namespace cafmcp::otp {

/// Names a timer of an actor.
using timer_id = std::uint64_t;

/// What a timer of ours sends to its actor; handled by `base_actor` itself.
struct timer_tick {
  timer_id id;
};

/// How a start went, from a child to its supervisor. Info is handed to whoever asked for the start.
struct init_ack {
  caf::message info = {};
};
/// It chose not to run.
struct init_ignore {};
/// It can't run, and ends without a crash report.
struct init_error {
  caf::error why;
};

/// The base class.
class base_actor : public caf::event_based_actor {
 public:
  explicit base_actor(caf::actor_config& config);
  ~base_actor() override;

  /// How many messages wait, give or take those of the moment. From any thread.
  std::size_t mailbox_size() const noexcept;

  /// The context that the actor is pinned to; null under CAF's deterministic test scheduler. From any thread.
  context_unit* home() const noexcept { return home_; }

  void enqueue(caf::mailbox_element_ptr what, caf::execution_unit* unit) final;
  void launch(caf::execution_unit* unit, bool lazy, bool hide) final;
  void initialize() final;
  caf::resumable::resume_result resume(caf::execution_unit* unit, std::size_t throughput) final;
  void on_exit() final;

  /// Whether it has ended. From any thread.
  bool has_ended() const noexcept { return ended_.load(std::memory_order_acquire); }

  /// What kind of actor this is, for tree and log.
  const char* name() const override = 0;

 protected:
  /// Somebody whom this actor monitors is gone. Default: nothing.
  virtual void handle_down(const caf::down_msg& down);

  /// Somebody asks this actor to end, with any reason but `kill`: its supervisor, whoever holds its handle
  /// (then `source` is the actor itself), or an actor linked to it that has ended. Default: `quit(reason)`;
  /// an override may clean up first and quit later, within its child specification's shutdown time.
  virtual void handle_exit(const caf::actor_addr& source, const caf::error& reason);

  /// The last thing before the actor is gone, whatever the reason (OTP's `terminate`). Default: nothing.
  virtual void terminate(const caf::error& reason);

  /// For `make_behavior` of a child that acknowledges its start, which it does as soon as that is done, with
  /// `info`; or later, by `acknowledge`; or it chooses not to run, or can't, and ends.
  void start_info(caf::message info) { info_ = std::move(info); }
  void acknowledge_later() noexcept { answer_ = start_answer::later; }
  void acknowledge(caf::message info = {});
  void ignore_start();
  void refuse_start(caf::error why, caf::error exit_reason = {});

  /// Whoever waits for this actor's start, and may end it; null: nobody.
  const caf::actor_addr& parent() const noexcept { return parent_; }
  void set_parent(caf::actor_addr parent) { parent_ = std::move(parent); }

  /// Calls `action` on this actor after `delay`. Not from a constructor.
  timer_id start_timer(std::chrono::milliseconds delay, std::function<void()> action);

  /// Forgets a timer; nothing happens if it has fired.
  void cancel_timer(timer_id id);

  /// A request with a timeout that costs nothing once the answer is there. `on_result` takes the answer's
  /// values, `on_error` a `caf::error&` (`sec::request_timeout` after `timeout`, `sec::request_receiver_down`
  /// if the other is gone).
  template <class OnResult, class OnError, class... Ts>
  void ask(const caf::actor& to, std::chrono::milliseconds timeout, OnResult on_result, OnError on_error,
           Ts&&... message) {
    auto handle = request(to, caf::infinite, std::forward<Ts>(message)...);
    const auto mid = handle.id();
    const auto timer = start_timer(timeout, [this, mid] { expire_request(mid); });
    using arguments = typename caf::detail::get_callable_trait<OnResult>::arg_types;
    handle.then(cancelling(timer, std::move(on_result), arguments{}),
                [this, timer, f = std::move(on_error)](caf::error& reason) mutable {
                  cancel_timer(timer);
                  f(reason);
                });
  }

 private:
  struct wheel_timer;

  template <class F, class... Ts>
  auto cancelling(timer_id timer, F f, caf::detail::type_list<Ts...>) {
    return [this, timer, f = std::move(f)](Ts... xs) mutable {
      cancel_timer(timer);
      f(std::forward<Ts>(xs)...);
    };
  }

  caf::result<caf::message> handle_other(caf::message_view& view);
  void fire_timer(timer_id id);
  void expire_request(caf::message_id mid);

  struct pending_timer {
    std::function<void()> action;
    std::unique_ptr<wheel_timer> entry;  // null under the test scheduler
  };

  enum class start_answer : std::uint8_t { at_once, later, given };
  template <class T>
  void answer_start(T&& message);

  caf::actor_addr parent_;
  caf::message info_;
  start_answer answer_ = start_answer::at_once;
  bool reported_ = false;  // a crash
  context_unit* home_;
  std::atomic<std::uint64_t> enqueued_{0};
  std::atomic<std::uint64_t> consumed_{0};
  std::atomic<bool> ended_{false};
  timer_id last_timer_ = 0;
  std::unordered_map<timer_id, pending_timer> timers_;
};

/// Asks an actor to end with the reason `shutdown`, as its supervisor would.
void send_shutdown(const caf::actor& to);

/// Sends to an actor that may have ended meanwhile: for callbacks, which should not keep it. From any thread.
template <class T>
void tell(const caf::actor_addr& whom, T message) {
  if (const auto to = caf::actor_cast<caf::actor>(whom))
    caf::anon_send(to, std::move(message));
}

/// Spawns a `T` on `unit`; with a null unit CAF's scheduler says where.
template <class T, class... Ts>
caf::actor spawn_on(caf::actor_system& system, caf::execution_unit* unit, Ts&&... xs) {
  caf::actor_config config{unit};
  auto actor = caf::actor_cast<caf::actor>(
      system.spawn_class<T, caf::no_spawn_options>(config, std::forward<Ts>(xs)...));
  // CAF leaves a reference to its logger in the thread: every resume would pay for it, and the system's end
  // wait for it.
  CAF_SET_LOGGER_SYS(nullptr);
  return actor;
}

/// The same for a child of `parent`, which gets to know how its start went; from the parent's own thread.
template <class T, class... Ts>
caf::actor spawn_child(caf::local_actor& parent, caf::execution_unit* unit, Ts&&... xs) {
  caf::actor_config config{unit, &parent};
  auto actor = caf::actor_cast<caf::actor>(
      parent.system().spawn_class<T, caf::no_spawn_options>(config, std::forward<Ts>(xs)...));
  CAF_SET_LOGGER_SYS(nullptr);
  return actor;
}

}  // namespace cafmcp::otp

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(cafmcp::otp::timer_tick)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(cafmcp::otp::init_ack)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(cafmcp::otp::init_ignore)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(cafmcp::otp::init_error)
