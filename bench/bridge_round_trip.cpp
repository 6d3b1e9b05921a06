#include "bench/bridge_round_trip.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/dispatch.hpp>
#include <boost/asio/post.hpp>
#include <caf/actor_system.hpp>
#include <caf/actor_system_config.hpp>
#include <cstdio>
#include <functional>
#include <latch>
#include <optional>
#include <thread>

#include "bench/bridge_actor.hpp"
#include "bench/net.hpp"
#include "supervisors/runtime.hpp"

namespace cafmcp::bench {

namespace {

using token_type = asio::use_awaitable_t<executor>;
constexpr token_type token{};

// A coroutine's end of the bridge: one question at a time.
class waiter final : public sink, public std::enable_shared_from_this<waiter> {
 public:
  waiter(const executor& where, bool posted) : where_(where), posted_(posted) {}

  auto ask(const caf::actor& to, std::string text) {
    return asio::async_initiate<const token_type, void(std::string)>(
        [this, &to](handler waiting, std::string question) {
          waiting_.emplace(std::move(waiting));
          bench::ask(to, std::move(question), shared_from_this());
        },
        token, std::move(text));
  }

  // From the context's own thread the coroutine goes on at once, inside this call, unless told otherwise;
  // from another it is posted.
  void answer(std::string text) override {
    auto resume = [waiting = std::move(*waiting_), text = std::move(text)]() mutable {
      std::move(waiting)(std::move(text));
    };
    if (posted_)
      asio::post(where_, std::move(resume));
    else
      asio::dispatch(where_, std::move(resume));
  }

 private:
  using handler = asio::async_result<token_type, void(std::string)>::handler_type;

  executor where_;
  bool posted_;
  std::optional<handler> waiting_;
};

// The coroutines of one measurement.
struct run_state {
  explicit run_state(std::size_t in_flight) : ended(static_cast<std::ptrdiff_t>(in_flight)) {}

  std::atomic<bool> enough{false};
  std::atomic<std::uint64_t> count{0};
  std::latch ended;
};

task<void> ask_on_and_on(run_state& state, std::shared_ptr<waiter> self, caf::actor to) {
  std::string text(150, 'x');  // as long as a small tools/call
  std::uint64_t count = 0;
  for (; !state.enough.load(std::memory_order_relaxed); ++count)
    text = co_await self->ask(to, std::move(text));
  end_actor(to);
  state.count += count;
  state.ended.count_down();
}

// Where the actors are, and how their answers come back.
struct variant {
  const char* name;
  std::function<caf::actor()> spawn;
  bool posted;
  std::vector<double> rates = {};
};

// Round trips per second.
double measure(otp::runtime& runtime, const variant& v, std::size_t in_flight,
               std::chrono::milliseconds duration) {
  run_state state{in_flight};
  auto& io = runtime.pool().context(0);
  const auto begin = steady_clock::now();
  for (std::size_t i = 0; i < in_flight; ++i) {
    auto self = std::make_shared<waiter>(io.get_executor(), v.posted);
    asio::co_spawn(io, ask_on_and_on(state, std::move(self), v.spawn()), asio::detached);
  }
  std::this_thread::sleep_for(duration);
  state.enough = true;
  state.ended.wait();
  const std::chrono::duration<double> took = steady_clock::now() - begin;
  return static_cast<double>(state.count) / took.count();
}

double median(std::vector<double> values) {
  std::ranges::sort(values);
  return values[values.size() / 2];
}

}  // namespace

void measure_round_trips(const round_trip_options& options) {
  otp::runtime runtime{{.threads = std::max(2u, std::thread::hardware_concurrency())}};
  caf::actor_system_config config;
  caf::actor_system workers{config};
  std::printf("%-26s %10s %10s %14s %12s\n", "actor on", "in flight", "ns", "round trips/s", "x CAF's own");
  for (const std::size_t in_flight : {1, 64}) {
    const auto here = [&] { return spawn_echo(runtime, 0); };
    std::array variants{
        variant{"the same context", here, false},
        variant{"the same context, posted", here, true},
        variant{"another context", [&] { return spawn_echo(runtime, 1); }, false},
        variant{"CAF's worker threads", [&] { return spawn_echo(workers); }, false},
    };
    for (std::size_t round = 0; round < options.rounds; ++round)
      for (auto& v : variants)
        v.rates.push_back(measure(runtime, v, in_flight, options.duration));
    const double base = median(variants.back().rates);
    for (const auto& v : variants) {
      const double rate = median(v.rates);
      const double ns = 1e9 * static_cast<double>(in_flight) / rate;
      std::printf("%-26s %10zu %10.0f %14.0f %12.1f\n", v.name, in_flight, ns, rate, rate / base);
    }
  }
}

}  // namespace cafmcp::bench
