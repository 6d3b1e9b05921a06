#include "sdk/timer_thread.hpp"

#include <atomic>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <unordered_map>

#include "base/log.hpp"

namespace cafmcp::sdk {

// All but the counters belongs to the thread, or to the last owner when that has ended.
struct timer_thread::loop {
  struct entry {
    boost::asio::steady_timer timer;
    std::function<void()> f;
  };

  void start(ticket t, std::chrono::milliseconds delay, std::function<void()> f) {
    auto& e = entries.try_emplace(t, entry{boost::asio::steady_timer{io, delay}, std::move(f)}).first->second;
    e.timer.async_wait([this, t](const boost::system::error_code&) { fire(t); });
  }

  void fire(ticket t) {
    auto found = entries.extract(t);
    if (found.empty())
      return;  // cancelled
    --waiting;
    try {
      found.mapped().f();
    } catch (const std::exception& e) {
      log::get("sdk").error("a timer's function threw", {{"what", e.what()}});
    } catch (...) {
      log::get("sdk").error("a timer's function threw", {{"what", "an exception of unknown type"}});
    }
  }

  boost::asio::io_context io{1};
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> guard = make_work_guard(io);
  std::unordered_map<ticket, entry> entries;
  std::atomic<ticket> next{1};
  std::atomic<std::size_t> waiting{0};
};

timer_thread::timer_thread() : loop_(std::make_shared<loop>()), thread_([loop = loop_] { loop->io.run(); }) {}

timer_thread::~timer_thread() {
  loop_->io.stop();
  // A function may have been the last owner of this.
  if (thread_.get_id() == std::this_thread::get_id())
    thread_.detach();
  else
    thread_.join();
}

std::optional<timer_thread::ticket> timer_thread::after(std::chrono::milliseconds delay,
                                                        std::function<void()> f) {
  if (loop_->waiting.fetch_add(1) >= max_waiting) {
    --loop_->waiting;
    return std::nullopt;
  }
  const auto t = loop_->next.fetch_add(1);
  boost::asio::post(loop_->io, [l = loop_.get(), t, delay, f = std::move(f)]() mutable {
    l->start(t, delay, std::move(f));
  });
  return t;
}

void timer_thread::cancel(ticket t) {
  boost::asio::post(loop_->io, [l = loop_.get(), t] {
    if (!l->entries.extract(t).empty())
      --l->waiting;
  });
}

}  // namespace cafmcp::sdk
