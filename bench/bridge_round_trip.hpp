#pragma once
// What the way from a connection to an actor and back costs, without sockets: coroutines on one context, each
// with its actor, send a message, are resumed by the answer, and send the next. The actor lives on the same
// context, on another one of ours, or on the worker threads of CAF's own scheduler, from which the answer is
// posted back. On the same context the answer resumes the coroutine at once, which sends its next message
// while the actor is still awake; the row `posted` makes both fall asleep between messages, as they do when a
// connection waits for its peer. The code is the same in all rows.

#include <chrono>
#include <cstddef>

namespace cafmcp::bench {

struct round_trip_options {
  /// How long each measurement takes.
  std::chrono::milliseconds duration{300};

  /// How often each is made, one after the other in turn; the median counts.
  std::size_t rounds = 7;
};

/// Measures with 1 and with 64 in flight and prints a table: the mean time of a round trip, how many a
/// second, and how many times CAF's own that is.
void measure_round_trips(const round_trip_options& options);

}  // namespace cafmcp::bench
