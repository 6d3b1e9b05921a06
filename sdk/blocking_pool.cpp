#include "sdk/blocking_pool.hpp"

#include <algorithm>
#include <boost/asio/post.hpp>
#include <boost/asio/thread_pool.hpp>
#include <condition_variable>
#include <map>
#include <mutex>

#include "base/log.hpp"

namespace cafmcp::sdk {

struct blocking_pool::core {
  core(std::size_t n, std::size_t most_waiting) : size(n), max_waiting(most_waiting), threads(n) {}

  // Runs what waits, the oldest first. At most `size` of these are under way, so the queue of `threads`,
  // which can't be looked into, never holds more than that.
  void work() {
    current = this;
    std::unique_lock lock{mutex};
    while (!waiting.empty()) {
      auto job = std::move(waiting.extract(waiting.begin()).mapped());
      ++running;
      lock.unlock();
      job();
      job = nullptr;
      lock.lock();
      --running;
    }
    --workers;
    idle.notify_all();
  }

  static thread_local const core* current;  // whose thread this is

  const std::size_t size;
  const std::size_t max_waiting;
  mutable std::mutex mutex;
  std::condition_variable idle;
  std::map<ticket, std::function<void()>> waiting;
  std::size_t running = 0;
  std::size_t workers = 0;  // calls of `work`, begun or about to begin
  bool stopped = false;
  boost::asio::thread_pool threads;
};

thread_local const blocking_pool::core* blocking_pool::core::current = nullptr;

blocking_pool::blocking_pool(const limits& bounds)
    : core_(std::make_unique<core>(std::clamp<std::size_t>(bounds.threads, 1, 1024), bounds.max_waiting)),
      patience_(bounds.patience) {}

blocking_pool::~blocking_pool() {
  stop();
  bool idle = false;
  if (core::current != core_.get()) {
    std::unique_lock lock{core_->mutex};
    idle = core_->idle.wait_for(lock, patience_, [&] { return core_->workers == 0; });
  }
  if (idle)
    return;
  log::get("sdk").error("handlers still block; their threads are left behind", {{"running", running()}});
  // They use it as long as they live.
  [[maybe_unused]] const auto* left = core_.release();
}

bool blocking_pool::submit(ticket t, std::function<void()> job) {
  const std::lock_guard lock{core_->mutex};
  // Those that a thread is about to take don't wait for one, though they are still in the map.
  if (core_->stopped || core_->running + core_->waiting.size() >= core_->size + core_->max_waiting) {
    refused_.fetch_add(1, std::memory_order_relaxed);
    return false;
  }
  core_->waiting.emplace(t, std::move(job));
  if (core_->workers < core_->size) {
    ++core_->workers;
    boost::asio::post(core_->threads, [c = core_.get()] { c->work(); });
  }
  return true;
}

bool blocking_pool::drop(ticket t) {
  // The job is destroyed outside of the lock: that may answer a call.
  decltype(core_->waiting)::node_type job;
  const std::lock_guard lock{core_->mutex};
  job = core_->waiting.extract(t);
  return !job.empty();
}

void blocking_pool::stop() {
  decltype(core_->waiting) dropped;
  const std::lock_guard lock{core_->mutex};
  core_->stopped = true;
  dropped.swap(core_->waiting);
}

std::size_t blocking_pool::running() const noexcept {
  const std::lock_guard lock{core_->mutex};
  return core_->running;
}

std::size_t blocking_pool::waiting() const noexcept {
  const std::lock_guard lock{core_->mutex};
  return core_->waiting.size();
}

}  // namespace cafmcp::sdk
