#include "base/log.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <spdlog/async_logger.h>
#include <spdlog/details/thread_pool.h>
#include <spdlog/sinks/sink.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <condition_variable>
#include <cstdlib>
#include <cstring>
#include <map>
#include <memory>
#include <mutex>

#include "base/assert.hpp"

namespace cafmcp::log {

namespace detail {
constinit std::atomic<level> threshold{level::info};
}  // namespace detail

namespace {

using steady = std::chrono::steady_clock;
constexpr std::chrono::seconds patience{1};
constexpr int poll_slice_ms = 50;
constexpr std::size_t max_loggers = 256;

/// An open file, or standard error, which is not ours to close.
class output {
 public:
  explicit output(int fd) : fd_(fd) {}
  output(const output&) = delete;
  output& operator=(const output&) = delete;
  ~output() {
    if (fd_ != STDERR_FILENO) {
      ::close(fd_);
    }
  }

  /// Writes all of `line`, waiting for a slow reader until `give_up_at`; false if that failed. Pieces of
  /// PIPE_BUF: so much a pipe takes without blocking once poll says that it is writable.
  bool write(std::string_view line, const std::atomic<steady::time_point>& give_up_at) const {
    while (!line.empty()) {
      const bool late = steady::now() >= give_up_at.load();
      pollfd p{fd_, POLLOUT, 0};
      if (::poll(&p, 1, late ? 0 : poll_slice_ms) <= 0) {
        if (late) {
          return false;
        }
        continue;
      }
      const ssize_t n = ::write(fd_, line.data(), std::min<std::size_t>(line.size(), PIPE_BUF));
      if (n >= 0) {
        line.remove_prefix(static_cast<std::size_t>(n));
      } else if (errno != EINTR && errno != EAGAIN) {
        return false;
      }
    }
    return true;
  }

 private:
  const int fd_;
};

/// Where spdlog's thread leaves its lines. Unbuffered: a line that left the queue survives SIGKILL.
class line_sink final : public spdlog::sinks::sink {
 public:
  explicit line_sink(std::shared_ptr<output> out) : out_(std::move(out)) {}

  void log(const spdlog::details::log_msg& m) override {
    std::unique_lock lock(mutex_);
    const auto out = out_;
    lock.unlock();
    if (!out->write({m.payload.data(), m.payload.size()}, give_up_at_)) {
      ++lost_;
    }
    if (m.source.line > 0) {
      lock.lock();
      ticket_out_ = std::max(ticket_out_, m.source.line);
      arrived_.notify_all();
    }
  }
  void flush() override {}
  void set_pattern(const std::string&) override {}
  void set_formatter(std::unique_ptr<spdlog::formatter>) override {}

  void replace(std::shared_ptr<output> out) {
    std::lock_guard lock(mutex_);
    out_.swap(out);
  }
  /// Waits until the line that carries `ticket` is out, at most `patience`.
  void wait_for(int ticket) {
    std::unique_lock lock(mutex_);
    arrived_.wait_for(lock, patience, [&] { return ticket_out_ >= ticket; });
  }
  void hurry() { give_up_at_ = steady::now() + patience; }
  std::uint64_t lost() const { return lost_; }

 private:
  std::mutex mutex_;
  std::condition_variable arrived_;
  std::shared_ptr<output> out_;
  int ticket_out_ = 0;
  std::atomic<std::uint64_t> lost_{0};
  std::atomic<steady::time_point> give_up_at_{steady::time_point::max()};
};

/// The background thread and what belongs to it. The thread holds references that only its end gives back.
struct writer {
  std::shared_ptr<line_sink> sink;
  std::shared_ptr<spdlog::details::thread_pool> pool;
  std::shared_ptr<spdlog::async_logger> queue;
  int last_ticket = 0;

  /// Writes what is queued, ends the thread, and returns how many lines it lost in its life.
  std::uint64_t stop() {
    const auto overrun = pool->overrun_counter();
    sink->hurry();
    pool.reset();
    return overrun + sink->lost();
  }
};

/// All there is at a time. Never destroyed, so that lines may come from destructors of statics; replaced in a
/// forked child, which has neither the thread nor a way to know who held the mutex.
struct state {
  std::mutex mutex;
  std::unique_ptr<log::writer> writer;  // null: not running
  std::atomic<log::format> format{format::text};
  std::atomic<bool> colours{::isatty(STDERR_FILENO) == 1};
  std::atomic<std::uint64_t> dropped{0};
  state* parent = nullptr;  // keeps the state before a fork reachable
};

std::atomic<state*> current{nullptr};

void after_fork_in_child() {
  auto* child = new state;
  child->parent = current.load();
  child->format = child->parent->format.load();
  current = child;
}

state& now_in_use() {
  static const bool once = [] {
    current = new state;
    ::pthread_atfork(nullptr, nullptr, &after_fork_in_child);
    std::atexit([] { shutdown(); });
    return true;
  }();
  static_cast<void>(once);
  return *current;
}

result<std::shared_ptr<output>> open_output(const std::string& file) {
  if (file.empty()) {
    return std::make_shared<output>(STDERR_FILENO);
  }
  // Not blocking: a FIFO without a reader must not hold up the start, and a full one only the background
  // thread.
  const int fd = ::open(file.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NONBLOCK, 0640);
  if (fd < 0) {
    return fail(errc::io, fmt::format("cannot open log file {}: {}; choose another log.file", printable(file),
                                      std::strerror(errno)));
  }
  return std::make_shared<output>(fd);
}

std::unique_ptr<writer> start_writer(std::shared_ptr<output> out) {
  auto w = std::make_unique<writer>();
  w->sink = std::make_shared<line_sink>(std::move(out));
  w->pool = std::make_shared<spdlog::details::thread_pool>(queue_lines, 1, [] {
    // Signals are for the program's own threads, and a reader of stderr that goes away is no reason to die of
    // SIGPIPE.
    sigset_t all;
    ::sigfillset(&all);
    ::pthread_sigmask(SIG_BLOCK, &all, nullptr);
  });
  w->queue = std::make_shared<spdlog::async_logger>("cafmcp", w->sink, w->pool,
                                                    spdlog::async_overflow_policy::overrun_oldest);
  w->queue->set_level(spdlog::level::trace);
  return w;
}

/// Queues `line`, or writes it if no thread runs. A critical line carries a ticket, by which its caller waits
/// for it.
void deliver(state& s, level l, std::string_view line) {
  std::unique_lock lock(s.mutex);
  if (!s.writer) {
    lock.unlock();
    const std::atomic<steady::time_point> give_up_at{steady::now() + patience};
    if (!output(STDERR_FILENO).write(line, give_up_at)) {
      ++s.dropped;
    }
    return;
  }
  const int ticket = l == level::critical ? ++s.writer->last_ticket : 0;
  s.writer->queue->log(spdlog::source_loc{"", ticket, ""}, spdlog::level::info,
                       spdlog::string_view_t(line.data(), line.size()));
  if (ticket != 0) {
    const auto sink = s.writer->sink;
    lock.unlock();
    sink->wait_for(ticket);
  }
}

}  // namespace

void logger::write(level l, std::string_view msg, fields fs) noexcept {
  auto& s = now_in_use();
  try {
    auto line = render(s.format, s.colours, std::chrono::system_clock::now(), l, name_, msg, fs);
    line += '\n';
    deliver(s, l, line);
  } catch (...) {  // out of memory: a log line is not worth more
    ++s.dropped;
  }
}

logger& get(std::string_view name) {
  static auto& mutex = *new std::mutex;
  static auto& loggers = *new std::map<std::string, logger, std::less<>>;
  std::lock_guard lock(mutex);
  auto i = loggers.find(name);
  if (i == loggers.end()) {
    CAFMCP_ASSERT(loggers.size() < max_loggers);
    i = loggers.try_emplace(std::string(name), std::string(name)).first;
  }
  return i->second;
}

result<void> init(const options& opts) {
  auto& s = now_in_use();
  auto out = open_output(opts.file);
  if (!out) {
    return out.error();
  }
  try {
    std::lock_guard lock(s.mutex);
    if (s.writer) {
      s.writer->sink->replace(*out);
    } else {
      s.writer = start_writer(*out);
    }
    s.format = opts.format;
    s.colours = opts.file.empty() && ::isatty(STDERR_FILENO) == 1;
    detail::threshold = opts.level;
  } catch (const std::exception& e) {
    return fail(errc::unavailable, fmt::format("cannot start the log thread: {}", e.what()));
  }
  return {};
}

void shutdown() noexcept {
  auto& s = now_in_use();
  std::unique_lock lock(s.mutex);
  const auto w = std::move(s.writer);
  lock.unlock();  // others log on, to standard error, while the thread writes its last
  if (w) {
    s.dropped += w->stop();
  }
}

std::uint64_t dropped() noexcept {
  auto& s = now_in_use();
  std::lock_guard lock(s.mutex);
  return s.dropped + (s.writer ? s.writer->pool->overrun_counter() + s.writer->sink->lost() : 0);
}

}  // namespace cafmcp::log
