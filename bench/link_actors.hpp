#pragma once
// The actors of `link` and `basp`, as parts that an actor of either base class plays, so that both programs
// measure with the same code. Those who send report to the main thread by a promise, and end; they begin when
// they are told to `go_on`. Each belongs to its actor's thread.

#include <caf/event_based_actor.hpp>
#include <chrono>
#include <future>
#include <string>

#include "bench/histogram.hpp"
#include "bench/link_messages.hpp"

namespace cafmcp::bench {

/// An actor with a part. `Base`: what our actors, or CAF's, are.
template <class Base, class Part>
class playing final : public Base {
 public:
  template <class... Ts>
  explicit playing(caf::actor_config& config, Ts&&... xs)
      : Base(config), part_(*this, std::forward<Ts>(xs)...) {}
  const char* name() const override { return "bench"; }
  caf::behavior make_behavior() override { return part_.behavior(); }

 private:
  Part part_;
};

/// Answers blobs with themselves.
class echo_part {
 public:
  explicit echo_part(caf::event_based_actor&) {}
  caf::behavior behavior();
};

/// Counts blobs.
class sink_part {
 public:
  /// `tell_every`: after so many bytes their sender is told (`taken`); 0: never.
  explicit sink_part(caf::event_based_actor& self, std::uint64_t tell_every = 0)
      : self_(self), tell_every_(tell_every) {}
  caf::behavior behavior();

 private:
  void count(const blob& x);

  caf::event_based_actor& self_;
  const std::uint64_t tell_every_;
  arrived count_;
  std::uint64_t untold_ = 0;
};

/// What is sent, and for how long.
struct traffic {
  std::size_t in_flight = 1;
  std::size_t bytes = 100;
  std::chrono::nanoseconds duration{};
};

struct round_trips {
  double seconds = 0;
  histogram latencies;
};

/// Asks an echo, so many at a time.
class round_trip_part {
 public:
  round_trip_part(caf::event_based_actor& self, caf::actor echo, const traffic& what,
                  std::promise<round_trips>& done)
      : self_(self), echo_(std::move(echo)), what_(what), done_(done) {}
  caf::behavior behavior();

 private:
  using clock = std::chrono::steady_clock;
  void ask();
  void on_answer(clock::time_point asked, const blob& answer);
  void fail(const std::string& why);

  caf::event_based_actor& self_;
  const caf::actor echo_;
  const traffic what_;
  std::promise<round_trips>& done_;
  std::size_t left_ = 0;
  clock::time_point begin_;
  round_trips result_;
};

/// How one who sends much is held back.
class pacing {
 public:
  virtual ~pacing() = default;

  /// Whether more may be sent now.
  virtual bool has_room() = 0;

  /// `whom` will be told to `go_on` when it may.
  virtual void wait(const caf::actor& whom) = 0;

  virtual void on_sent(std::size_t) {}
  virtual void on_taken(std::size_t) {}
};

struct one_way {
  double seconds = 0;
  std::uint64_t sent = 0;
  arrived came;
};

/// Sends blobs as fast as it may, then asks how many came. The time includes their way.
class producer_part {
 public:
  producer_part(caf::event_based_actor& self, caf::actor sink, const traffic& what, pacing& pace,
                std::promise<one_way>& done)
      : self_(self), sink_(std::move(sink)), what_(what), pace_(pace), done_(done) {}
  caf::behavior behavior();

 private:
  using clock = std::chrono::steady_clock;
  void send_some();
  void finish();

  caf::event_based_actor& self_;
  const caf::actor sink_;
  const traffic what_;
  pacing& pace_;
  std::promise<one_way>& done_;
  bool waits_ = false;
  clock::time_point begin_;
  one_way result_;
};

/// Sends so many blobs without ever waiting.
class flood_part {
 public:
  flood_part(caf::event_based_actor& self, caf::actor sink, std::size_t bytes, std::uint64_t messages,
             std::promise<void>& done)
      : self_(self), sink_(std::move(sink)), bytes_(bytes), left_(messages), done_(done) {}
  caf::behavior behavior();

 private:
  caf::event_based_actor& self_;
  const caf::actor sink_;
  const std::size_t bytes_;
  std::uint64_t left_;
  std::promise<void>& done_;
};

}  // namespace cafmcp::bench
