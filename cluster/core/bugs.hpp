#pragma once
// Mistakes that the simulator makes on purpose, one at a time, to show that it finds them. In the program
// itself `made` is always false, and the compiler leaves nothing of it.

namespace cafmcp::cluster {

/// The mistakes.
enum class mistake : unsigned char {
  none,
  lease_from_receipt,    ///< a lease counted from the answer and not from the request
  no_margin,             ///< clocks trusted to run alike
  end_ignored,           ///< a lease that somebody has ended goes on by our clock
  any_owner,             ///< takeover by whoever fits best, in sync or not
  learner_counts,        ///< a learner that has not caught up let into the in-sync set
  gap_ignored,           ///< a watch that goes on though history was forgotten
  unknown_is_failure,    ///< a hand-over without an answer taken for one that hasn't happened
  no_row_condition,      ///< or that the row is as it was seen
  epoch_kept,            ///< another owner in the same epoch
  owner_by_name,         ///< a row believed to be ours though it names another lease
  serves_while_handing,  ///< serving goes on until a hand-over is confirmed
  stale_report,          ///< what was said of a learner before it left and came again
  impatient,             ///< a lease ended before its time
  no_beat_condition,     ///< a lease ended though a beat may have come that was not seen
  two_shots,             ///< the process of a node believed dead by the word of one
};

#ifdef CAFMCP_MISTAKES
/// The one that is made.
extern mistake made_mistake;
inline bool made(mistake m) noexcept {
  return made_mistake == m;
}
#else
constexpr bool made(mistake) noexcept {
  return false;
}
#endif

}  // namespace cafmcp::cluster
