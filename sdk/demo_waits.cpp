// The demo's tools that take their time. No thread waits: they are asynchronous, on one timer thread.
#include <atomic>
#include <chrono>
#include <cstdint>

#include "sdk/demo_parts.hpp"
#include "sdk/timer_thread.hpp"

namespace cafmcp::sdk::detail {

namespace {

using std::chrono::milliseconds;

constexpr std::int64_t max_wait_ms = 3'600'000;
constexpr std::int64_t max_steps = 1000;
constexpr std::int64_t max_step_ms = 60'000;

void too_many_timers(const call& c) {
  c.fail({errc::overloaded, "too many calls wait already; retry later"});
}

void sleep_for_a_while(const std::shared_ptr<timer_thread>& timers, const call& c) {
  const auto ms = c.arguments().at("ms").get<std::int64_t>();
  const auto t =
      timers->after(milliseconds{ms}, [c, ms] { c.reply("slept for " + std::to_string(ms) + " ms"); });
  if (!t)
    return too_many_timers(c);
  c.on_cancel([weak = std::weak_ptr{timers}, t = *t] {
    if (const auto running = weak.lock())
      running->cancel(t);
  });
}

// A call of `progress` under way; its owner is the timer that it waits for. It doesn't own the timers: they
// end with the server, whatever still climbs.
class climb : public std::enable_shared_from_this<climb> {
 public:
  climb(const std::shared_ptr<timer_thread>& timers, const call& c)
      : call_(c),
        timers_(timers),
        steps_(c.arguments().at("steps").get<std::int64_t>()),
        delay_(c.arguments().value("delay_ms", std::int64_t{0})) {}

  void begin() {
    call_.on_cancel([weak = weak_from_this()] {
      if (const auto self = weak.lock())
        self->stop();
    });
    next();
  }

 private:
  void next() {
    if (done_ == steps_)
      return call_.reply("took " + std::to_string(steps_) + " steps");
    const auto timers = timers_.lock();
    if (timers == nullptr)
      return;
    const auto t = timers->after(delay_, [self = shared_from_this()] { self->step(); });
    if (!t)
      return too_many_timers(call_);
    waits_for_ = *t;
    if (call_.cancelled())
      stop();
  }

  void step() {
    ++done_;
    call_.progress(static_cast<double>(done_), static_cast<double>(steps_),
                   "step " + std::to_string(done_) + " of " + std::to_string(steps_));
    next();
  }

  void stop() {
    if (const auto timers = timers_.lock())
      timers->cancel(waits_for_);
  }

  const call call_;
  const std::weak_ptr<timer_thread> timers_;
  const std::int64_t steps_;
  const milliseconds delay_;
  std::int64_t done_ = 0;  // only touched by the one who runs `next`
  std::atomic<timer_thread::ticket> waits_for_{0};
};

mcp::json integer_up_to(std::int64_t maximum, const char* description) {
  return {{"type", "integer"}, {"minimum", 0}, {"maximum", maximum}, {"description", description}};
}

}  // namespace

void add_waiting_tools(server& demo) {
  const auto timers = std::make_shared<timer_thread>();
  demo.tool({.name = "sleep",
             .title = "Sleep",
             .description = "Answers after the given time. Can be cancelled.",
             .input_schema = object_schema(
                 {{"ms", integer_up_to(max_wait_ms, "How long, in milliseconds; at most an hour.")}}, {"ms"}),
             .annotations = {{"readOnlyHint", true}, {"openWorldHint", false}}},
            async([timers](const call& c) { sleep_for_a_while(timers, c); }));
  demo.tool(
      {.name = "progress",
       .title = "Progress",
       .description = "Takes a number of steps, tells of each of them, and answers when all are done. Can be "
                      "cancelled.",
       .input_schema = object_schema(
           {{"steps", integer_up_to(max_steps, "How many steps to take.")},
            {"delay_ms", integer_up_to(max_step_ms, "How long each takes, in milliseconds; 0 if absent.")}},
           {"steps"}),
       .annotations = {{"readOnlyHint", true}, {"openWorldHint", false}}},
      async([timers](const call& c) { std::make_shared<climb>(timers, c)->begin(); }));
}

}  // namespace cafmcp::sdk::detail
