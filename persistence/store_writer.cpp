#include "persistence/store_writer.hpp"

#include <iterator>

namespace cafmcp::persistence {

namespace {

constexpr std::chrono::milliseconds pause_after_failure{100};

}  // namespace

store_writer::store_writer(bounds b, runner run) : bounds_(b), run_(std::move(run)) {
  thread_ = std::thread{[this] { loop(); }};
}

// `sign`: 1, or its negative to take the job off.
void store_writer::add(amount& to, const store_job& job, std::size_t sign) {
  to.operations += sign * job.operations.size();
  to.reads += sign * (job.operations.empty() ? 1 : 0);
  to.bytes += sign * job.bytes;
}

result<void> store_writer::push(store_job& job) {
  const std::lock_guard lock{mutex_};
  if (closed_)
    return fail(errc::unavailable, "the store is closed");
  if (job.operations.empty()) {
    if (queued_.reads >= bounds_.operations)
      return fail(errc::overloaded, "too many reads wait for the disk; retry later");
  } else if (queued_.operations + job.operations.size() > bounds_.operations ||
             queued_.bytes + job.bytes > bounds_.bytes) {
    return fail(errc::overloaded, "the disk is too slow: " + std::to_string(queued_.operations) +
                                      " operations (" + std::to_string(queued_.bytes) +
                                      " bytes) wait to be written; retry later");
  }
  add(queued_, job, 1);
  job.since = std::chrono::steady_clock::now();
  const bool first = queue_.empty();
  if (first)
    oldest_ = job.since;
  const bool hurry = job.urgent && !urgent_;
  urgent_ |= job.urgent;
  queue_.push_back(std::move(job));
  if (first || hurry)
    wake_.notify_one();
  return {};
}

void store_writer::release(const std::deque<store_job>& jobs, std::size_t count) {
  const std::lock_guard lock{mutex_};
  for (std::size_t i = 0; i < count; ++i)
    add(queued_, jobs[i], static_cast<std::size_t>(-1));
}

store_writer::amount store_writer::queued() const {
  const std::lock_guard lock{mutex_};
  return queued_;
}

void store_writer::stop() {
  const std::lock_guard one{stopping_};
  {
    const std::lock_guard lock{mutex_};
    closed_ = true;
  }
  wake_.notify_one();
  if (thread_.joinable())
    thread_.join();
}

void store_writer::loop() {
  std::deque<store_job> jobs;
  auto turn = store_turn::again;
  for (;;) {
    bool last = false;
    {
      std::unique_lock lock{mutex_};
      if (turn == store_turn::pause) {
        wake_.wait_for(lock, pause_after_failure, [this] { return closed_; });
      } else if (turn == store_turn::wait && jobs.empty()) {
        wake_.wait(lock, [this] { return closed_ || !queue_.empty(); });
        wake_.wait_until(lock, oldest_ + bounds_.delay, [this] { return closed_ || urgent_; });
      }
      last = closed_;
      std::move(queue_.begin(), queue_.end(), std::back_inserter(jobs));
      queue_.clear();
      urgent_ = false;
    }
    if (jobs.empty() && last)
      return;
    turn = run_(jobs, last);
    if (turn == store_turn::pause && last)
      jobs.clear();
  }
}

}  // namespace cafmcp::persistence
