#include "supervisors/io_pool.hpp"

#include <algorithm>
#include <boost/asio/post.hpp>
#include <latch>

#include "base/assert.hpp"

namespace cafmcp::otp {

namespace {

// Which pool and which of its contexts this thread runs.
thread_local const io_pool* this_pool = nullptr;
thread_local std::size_t this_index = io_pool::none;

}  // namespace

timer_service::timer_service(boost::asio::io_context& io) : wheel_(timer_wheel::clock::now()), timer_(io) {}

void timer_service::schedule(timer_entry& entry, timer_wheel::time_point when) {
  wheel_.schedule(entry, when);
  size_.store(wheel_.size(), std::memory_order_relaxed);
  if (when < armed_for_)
    wait_until(*wheel_.next());
}

void timer_service::wait_until(timer_wheel::time_point when) {
  armed_for_ = when;
  timer_.expires_at(when);
  timer_.async_wait([this](const boost::system::error_code& ec) {
    if (!ec)
      fire();
  });
}

void timer_service::fire() {
  // Whatever is armed while entries fire is looked at once, below.
  armed_for_ = timer_wheel::time_point::min();
  wheel_.advance(timer_wheel::clock::now());
  size_.store(wheel_.size(), std::memory_order_relaxed);
  armed_for_ = timer_wheel::time_point::max();
  if (const auto next = wheel_.next())
    wait_until(*next);
}

io_pool::io_pool(std::size_t threads) {
  if (threads == 0)
    threads = std::max<std::size_t>(1, std::thread::hardware_concurrency());
  CAFMCP_ASSERT(threads <= 1024);
  for (std::size_t i = 0; i < threads; ++i)
    workers_.push_back(std::make_unique<worker>());
  for (std::size_t i = 0; i < threads; ++i)
    workers_[i]->thread = std::thread{[this, i] {
      this_pool = this;
      this_index = i;
      workers_[i]->io.run();
    }};
}

io_pool::~io_pool() {
  stop();
}

void io_pool::stop() {
  CAFMCP_ASSERT(current() == none);
  for (auto& w : workers_) {
    w->guard.reset();
    w->io.stop();
  }
  for (auto& w : workers_)
    if (w->thread.joinable())
      w->thread.join();
}

std::size_t io_pool::current() const noexcept {
  return this_pool == this ? this_index : none;
}

void io_pool::run_on_each(const std::function<void(std::size_t)>& f) {
  CAFMCP_ASSERT(current() == none);
  std::latch done{static_cast<std::ptrdiff_t>(workers_.size())};
  for (std::size_t i = 0; i < workers_.size(); ++i)
    boost::asio::post(workers_[i]->io, [&, i] {
      f(i);
      done.count_down();
    });
  done.wait();
}

}  // namespace cafmcp::otp
