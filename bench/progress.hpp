#pragma once
// How far a run with a work list is: a line on standard error now and then, so that a run of an hour can be
// told from one that hangs, and the end of one that hangs. Of one thread; the list is shared.

#include <string>

#include "bench/net.hpp"
#include "bench/plan.hpp"
#include "bench/work_list.hpp"

namespace cafmcp::bench {

class progress {
 public:
  /// How often `look` is to be called.
  static constexpr std::chrono::milliseconds interval{100};

  progress(const plan& p, const work_list& work);

  /// Writes a line every five seconds. Not empty: why there is no hope that the run goes on.
  std::string look();

 private:
  void write(steady_clock::time_point now);

  const plan& plan_;
  const work_list& work_;
  steady_clock::time_point written_;  // the last line, and how much was done then
  std::uint64_t done_when_written_ = 0;
  steady_clock::time_point moved_;  // when something was seen to be done, and how much
  std::uint64_t done_ = 0;
};

}  // namespace cafmcp::bench
