#pragma once
// The one thread of a store on disk, behind a bounded queue. Whoever asks for something leaves a job and goes
// on; the thread takes all that is there and gives it to a runner as a group. Jobs that are not urgent may
// wait a moment for company, so that a group costs one fsync for many. What the runner leaves over it is
// given again, in front of what has come meanwhile. `push`, `queued` and `stop` are thread-safe.

#include <chrono>
#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

#include "persistence/session_store.hpp"

namespace cafmcp::persistence {

/// A batch of operations to write, or, without any, something to read.
struct store_job {
  std::vector<operation> operations;
  session_store::callback<void> then;  ///< of a write; may be empty
  /// Of a read: done in the transaction of its group, behind the group's writes. May be empty.
  std::function<result<void>()> inside;
  /// Of a read: done when its group is written, or not (then its error says why).
  std::function<void(const result<void>&)> after;
  std::size_t bytes = 0;  ///< for the bound
  bool urgent = true;
  std::chrono::steady_clock::time_point since;  ///< set by `push`
};

/// What the thread does when a runner is done.
enum class store_turn : unsigned char {
  wait,   ///< for jobs
  again,  ///< at once, with whatever jobs there are, or none
  pause,  ///< for a moment, because jobs that are left over can't be done now
};

/// See above.
class store_writer {
 public:
  struct bounds {
    std::size_t operations;  ///< that wait or are being written; as many reads beside
    std::size_t bytes;
    std::chrono::milliseconds delay;  ///< how long jobs that are not urgent may wait
  };

  /// Takes jobs off the front of the deque as they are done with. `last`: the store closes, and what is left
  /// over after a pause is forgotten.
  using runner = std::function<store_turn(std::deque<store_job>&, bool last)>;

  store_writer(bounds b, runner run);
  ~store_writer() { stop(); }
  store_writer(const store_writer&) = delete;
  store_writer& operator=(const store_writer&) = delete;

  /// Leaves a job. Errors, and then the job is as it was: `overloaded`, full; `unavailable`, closed.
  result<void> push(store_job& job);

  struct amount {
    std::size_t operations = 0;
    std::size_t reads = 0;
    std::size_t bytes = 0;
  };

  /// The first `count` of a group are off the bound. For the runner, once for each job, before it answers:
  /// who hears that a job is done may count on its place.
  void release(const std::deque<store_job>& jobs, std::size_t count);

  /// What waits or is being written.
  amount queued() const;

  /// Carries out what is queued and ends the thread. Not from the thread itself, that is, not in a callback.
  void stop();

 private:
  void loop();
  static void add(amount& to, const store_job& job, std::size_t sign);

  const bounds bounds_;
  const runner run_;
  mutable std::mutex mutex_;
  std::mutex stopping_;
  std::condition_variable wake_;
  std::deque<store_job> queue_;
  std::chrono::steady_clock::time_point oldest_;  // of the queue
  bool urgent_ = false;                           // something in the queue is
  bool closed_ = false;
  amount queued_;
  std::thread thread_;
};

}  // namespace cafmcp::persistence
