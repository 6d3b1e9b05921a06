#pragma once
// Files that are there as a whole or not at all. Blocks, so not on a thread that serves.

#include <sys/types.h>

#include <string>

#include "base/result.hpp"

namespace cafmcp {

/// Writes `text` under another name, has the disk take it, and gives it its name: no reader ever sees half of
/// it, and neither does anybody after a crash. The error (`io`) names the file and why.
result<void> write_whole(const std::string& path, const std::string& text, mode_t mode);

}  // namespace cafmcp
