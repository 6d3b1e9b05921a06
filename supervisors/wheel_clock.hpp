#pragma once
// The clock that CAF asks for timeouts and delayed messages, on the timer wheels of an `io_pool`. An entry
// lives on the wheel of the thread that made it (context 0 for threads outside of the pool). Entries hold a
// reference to their actor, and an actor's end cancels its entries if they are on the wheel of the thread on
// which it ends, as they are for pinned actors; the others run out by themselves and mean nothing to a dead
// actor. Thread-safe.

#include <caf/actor_clock.hpp>
#include <memory>
#include <unordered_map>
#include <vector>

#include "supervisors/io_pool.hpp"

namespace cafmcp::otp {

/// CAF's actor clock on timer wheels.
class wheel_clock final : public caf::actor_clock {
 public:
  explicit wheel_clock(io_pool& pool);
  ~wheel_clock() override;

  void set_ordinary_timeout(time_point when, caf::abstract_actor* self, caf::atom_value type,
                            std::uint64_t id) override;
  void set_multi_timeout(time_point when, caf::abstract_actor* self, caf::atom_value type,
                         std::uint64_t id) override;
  void set_request_timeout(time_point when, caf::abstract_actor* self, caf::message_id id) override;
  void cancel_ordinary_timeout(caf::abstract_actor* self, caf::atom_value type) override;
  void cancel_request_timeout(caf::abstract_actor* self, caf::message_id id) override;
  void cancel_timeouts(caf::abstract_actor* self) override;
  void schedule_message(time_point when, caf::strong_actor_ptr receiver,
                        caf::mailbox_element_ptr content) override;
  void schedule_message(time_point when, caf::group target, caf::strong_actor_ptr sender,
                        caf::message content) override;

  /// Drops everything that waits. Never from one of the pool's own threads.
  void cancel_all() override;

 private:
  struct entry;
  struct table;
  void add(time_point when, std::unique_ptr<entry> what);

  io_pool& pool_;
  std::vector<std::unique_ptr<table>> tables_;  // one for each context, used on its thread only
};

}  // namespace cafmcp::otp
