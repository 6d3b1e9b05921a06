#include "bench/progress.hpp"

#include <cmath>
#include <iostream>

namespace cafmcp::bench {

using namespace std::chrono_literals;

progress::progress(const plan& p, const work_list& work)
    : plan_(p), work_(work), written_(steady_clock::now()), moved_(written_) {}

std::string progress::look() {
  const auto now = steady_clock::now();
  if (now - written_ >= 5s)
    write(now);
  if (const auto done = work_.pieces_done(); done != done_) {
    done_ = done;
    moved_ = now;
  }
  // What is refused for now is done, as a failure, when the timeout is over.
  const auto longest = plan_.patience + plan_.timeout;
  if (now - moved_ < longest)
    return {};
  return "nothing went on for " +
         std::to_string(std::chrono::duration_cast<std::chrono::seconds>(longest).count()) + " s";
}

void progress::write(steady_clock::time_point now) {
  const auto done = work_.pieces_done();
  const auto rate =
      static_cast<double>(done - done_when_written_) / std::chrono::duration<double>{now - written_}.count();
  const auto left = static_cast<double>(work_.pieces() - done);
  std::string line = "cafmcp-load: " + std::to_string(done) + " of " + std::to_string(work_.pieces()) +
                     " sessions, " + std::to_string(std::lround(rate)) + "/s, ";
  line += rate > 0 ? "about " + std::to_string(std::lround(left / rate)) + " s left" : "none of late";
  if (const auto again = work_.times_again(); again > 0)
    line += ", sent again " + std::to_string(again) + " times";
  std::cerr << line + "\n";
  written_ = now;
  done_when_written_ = done;
}

}  // namespace cafmcp::bench
