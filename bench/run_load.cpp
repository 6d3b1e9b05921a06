#include "bench/run_load.hpp"

#include <sys/resource.h>

#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/signal_set.hpp>
#include <csignal>
#include <memory>
#include <thread>

#include "bench/progress.hpp"
#include "bench/worker.hpp"

namespace cafmcp::bench {

using namespace std::chrono_literals;

namespace {

result<void> raise_file_limit(unsigned connections) {
  rlimit limit{};
  getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
  const rlim_t wanted = connections + rlim_t{64} + 4 * max_threads;
  if (limit.rlim_max >= wanted)
    return {};
  return fail(errc::invalid, std::to_string(connections) + " connections need a limit of " +
                                 std::to_string(wanted) + " open files, and the hard limit is " +
                                 std::to_string(limit.rlim_max) + ": raise it with ulimit -Hn");
}

// Whether a session can still be opened and used, after all those that were abandoned.
result<void> still_answers(const plan& p) {
  constexpr int tries = 6;
  plan probe = p;
  probe.use = session_use::churn;
  probe.connections = 1;
  for (int i = 0; i < tries; ++i) {
    const auto now = steady_clock::now();
    work_list none{0, {}};
    worker w{probe, none, 0, 1, now, now + 500ms};
    w.run();
    if (w.counted().requests() > 0)
      return {};
  }
  return fail(errc::unavailable, p.where.authority() + " answers no more, after sessions were abandoned");
}

result<void> listens(const plan& p) {
  asio::io_context context;
  tcp::socket probe{context};
  error_code ec;
  probe.connect(p.address, ec);
  if (ec)
    return fail(errc::unavailable, "cannot connect to " + p.where.authority() + ": " + ec.message());
  return {};
}

// The workers of a run, and what ends it before its time.
class load_run {
 public:
  explicit load_run(const plan& p)
      : plan_(p), begin_(steady_clock::now() + p.warmup), end_(begin_ + p.duration) {
    unsigned first = 0;
    for (unsigned i = 0; i < p.threads; ++i) {
      const unsigned count = p.connections / p.threads + (i < p.connections % p.threads ? 1 : 0);
      workers_.push_back(std::make_unique<worker>(p, work_, first, count, begin_, end_));
      first += count;
    }
  }

  stats run() {
    asio::signal_set interrupt{workers_[0]->context(), SIGINT};
    interrupt.async_wait([this](error_code ec, int) {
      if (!ec)
        stop("interrupted");
    });
    if (work_.pieces() > 0)
      asio::co_spawn(workers_[0]->context().get_executor(), watch(), asio::detached);
    {
      std::vector<std::jthread> threads;
      for (unsigned i = 1; i < plan_.threads; ++i)
        threads.emplace_back([&w = *workers_[i]] { w.run(); });
      workers_[0]->run();
    }
    return collect();
  }

 private:
  // On the first worker's thread.
  void stop(std::string why) {
    ended_early_ = std::move(why);
    for (auto& w : workers_)
      w->stop();
  }

  task<void> watch() {
    progress shown{plan_, work_};
    timer pause{workers_[0]->context()};
    for (;;) {
      pause.expires_after(progress::interval);
      co_await pause.async_wait(awaiting);
      if (const std::string why = shown.look(); !why.empty())
        stop(why);
    }
  }

  stats collect() {
    const auto now = std::clamp(steady_clock::now(), begin_, end_);
    stats all;
    for (const auto& w : workers_)
      all.merge(w->counted());
    all.measured = now - begin_;
    all.again = work_.times_again();
    all.ended_early = ended_early_;
    if (all.ended_early.empty() && work_.pieces_done() < work_.pieces())
      all.ended_early = "the duration was over";
    return all;
  }

  const plan& plan_;
  steady_clock::time_point begin_;
  steady_clock::time_point end_;
  work_list work_{plan_.pieces(), [this] {
                    for (auto& w : workers_)
                      w->stop();
                  }};
  std::string ended_early_;
  std::vector<std::unique_ptr<worker>> workers_;
};

}  // namespace

result<stats> run_load(const plan& p) {
  for (const auto& checked : {raise_file_limit(p.connections), listens(p)})
    if (checked.has_error())
      return checked.error();
  stats all = load_run{p}.run();
  if (is_mcp(p.what) && p.use == session_use::abandon)
    if (auto alive = still_answers(p); alive.has_error())
      return alive.error();
  return all;
}

}  // namespace cafmcp::bench
