#pragma once
// A whole run of the load generator: the plan's workers, each on a thread, until the time is over or the work
// done. Called by one thread at a time, because SIGINT is caught meanwhile: it ends the run early.

#include "bench/plan.hpp"
#include "bench/stats.hpp"

namespace cafmcp::bench {

/// Runs `p`, which is complete, on its threads (this one included) and returns what all counted. Errors:
/// `invalid` when the limit of open files is too low, `unavailable` when nobody listens, or when a server
/// that clients were to abandon answers no more.
result<stats> run_load(const plan& p);

}  // namespace cafmcp::bench
