#pragma once
// A walk along SQLite's write-ahead log before SQLite opens it. SQLite uses the log up to the first broken
// frame and drops the rest without a word. A broken frame can be two things. In the last transaction it is
// the torn end of a crash: nobody was told that it is stored. But each transaction is synced before the next
// one begins (one connection, synchronous=FULL), so when another one goes on behind the end of the broken
// one, the broken one was stored and has been damaged since. A frame's checksum goes on from the one stored
// in the frame before; so it can be seen whether frames behind a broken one follow each other. Those with
// other salts are left over from an earlier round, and those that follow no end from transactions that were
// taken back. Not seen: damage to the last transaction, and to the one before when it takes its last frame's
// stored checksum and more. Reads a frame at a time. Thread-safe: it keeps nothing.

#include <cstdint>
#include <string>

#include "base/result.hpp"

namespace cafmcp::persistence {

/// What a log holds.
struct wal_state {
  std::uint64_t frames = 0;   ///< that SQLite is going to use
  std::uint64_t commits = 0;  ///< in them
  std::uint64_t ignored = 0;  ///< frames behind them of transactions that were torn or taken back
};

/// Reads the log `path`; one that is not there, empty, or cut off anywhere is fine. Error `io`: it can't be
/// read, or it is damaged: the message names the first broken frame, its place, and how many transactions
/// can't be reached.
result<wal_state> check_wal(const std::string& path);

}  // namespace cafmcp::persistence
