#pragma once
// A supervisor's way through a list of children, one after the other. Of its own thread.

#include "supervisors/supervisor.hpp"

namespace cafmcp::otp {

/// See above.
struct supervisor::sequence {
  std::vector<child_ptr> list;
  std::size_t next = 0;
  std::uint64_t epoch = 0;
  bool inside = false;   // the loop is on the stack
  bool waiting = false;  // the current step has not ended
  caf::error failure;    // of the last start
  std::function<void(const child_ptr&, const caf::error&)> started;
  stop_callback stopped;
};

}  // namespace cafmcp::otp
