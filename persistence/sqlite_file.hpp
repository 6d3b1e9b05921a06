#pragma once
// The file `sessions.db` of a directory: it is opened by one process at a time, looked at before anything is
// written to it, and refused by name when it is foreign, newer or broken. Not thread-safe.

#include <string>

#include "base/result.hpp"
#include "persistence/sqlite_database.hpp"

namespace cafmcp::persistence {

/// "CAFM", in the header of the file.
inline constexpr std::int64_t sqlite_application_id = 0x4341464d;
/// Of the tables.
inline constexpr std::int64_t sqlite_schema_version = 2;

/// The directory, held against other processes for as long as this lives.
class directory_lock {
 public:
  /// Makes the directory if need be. Errors: `conflict`, another process holds it; `io`.
  static result<directory_lock> take(const std::string& directory);

  directory_lock() = default;
  directory_lock(directory_lock&& other) noexcept;
  directory_lock& operator=(directory_lock&& other) noexcept;
  ~directory_lock();

 private:
  int fd_ = -1;
};

/// Checks the file's log, opens the file, and makes its tables if it is new. From then on it counts as open.
/// Errors: `conflict`, foreign or newer; `io`, with `damaged` in the message when that is the reason.
result<sqlite_database> open_sessions_file(const std::string& directory, const std::string& vfs);

/// Writes the log back into the file, notes that it was closed properly, and closes it. All statements must
/// be gone.
result<void> close_sessions_file(sqlite_database& db);

/// The path of the file.
std::string sessions_path(const std::string& directory);

}  // namespace cafmcp::persistence
