#include "persistence/sqlite_file.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <utility>

#include "base/log.hpp"
#include "persistence/wal_check.hpp"

namespace cafmcp::persistence {

namespace {

// With an exclusive lock, taken before anything is read, the index of the log is in memory rather than in a
// mapped file, which would end the process when the disk is full.
constexpr const char* lock = "PRAGMA locking_mode=EXCLUSIVE;";

// Neither sessions nor operations have an index in the file: rows are appended, so that what is written
// together is near to each other. `last_active` and `ended` are copies of what the record says.
constexpr const char* settings =
    "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;"
    "PRAGMA trusted_schema=OFF; PRAGMA cell_size_check=ON; PRAGMA cache_size=-16384;"
    "PRAGMA wal_autocheckpoint=4096; PRAGMA temp_store=MEMORY; PRAGMA journal_size_limit=67108864;";

constexpr const char* tables =
    "BEGIN IMMEDIATE;"
    "CREATE TABLE meta(key TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;"
    "CREATE TABLE sessions(row INTEGER PRIMARY KEY, id BLOB NOT NULL, last_active INTEGER NOT NULL,"
    " ended INTEGER NOT NULL, record BLOB NOT NULL);"
    "CREATE TABLE operations(row INTEGER PRIMARY KEY, bucket INTEGER NOT NULL, first INTEGER NOT NULL,"
    " count INTEGER NOT NULL, operations BLOB NOT NULL);"
    "CREATE TABLE buckets(bucket INTEGER PRIMARY KEY, next INTEGER NOT NULL);"
    "CREATE TABLE damaged(number INTEGER PRIMARY KEY, row INTEGER, id BLOB, reason TEXT, record BLOB);"
    "INSERT INTO meta VALUES('clean', 1), ('live', 0), ('doubt', 0);";

error foreign(const std::string& path, const std::string& why) {
  return fail(errc::conflict, path + " " + why + "; move it away or choose another directory");
}

error damaged_file(const std::string& path, const std::string& why) {
  return fail(errc::io, path + " is damaged: " + why +
                            "; move it away (and keep it) to start without its sessions, or put a copy of "
                            "it in its place");
}

error opening_fault(sqlite_database& db, const std::string& path, const error& why) {
  if (db.damaged())
    return damaged_file(path, why.message);
  return why;
}

// SQLite would delete the log of a file that is empty.
result<void> check_log_alone(const std::string& path, const result<wal_state>& log) {
  std::error_code failed;
  if (std::filesystem::exists(path, failed) && !std::filesystem::is_empty(path, failed))
    return {};
  if (!log)
    return log.error();
  if (log->commits == 0)
    return {};
  return fail(errc::io, path + " is missing or empty, but its log " + path + "-wal holds " +
                            std::to_string(log->commits) +
                            " transactions; put the file back, or move the log away too (and keep it) to "
                            "start without sessions");
}

result<void> judge_log(const std::string& path, const result<wal_state>& log) {
  if (!log)
    return log.error();
  if (log->ignored > 0)
    log::get("persistence")
        .warn("the log of the sessions file ends in frames that were never committed; they are ignored",
              {{"file", path + "-wal"}, {"frames", log->ignored}});
  return {};
}

// Makes the tables of a file that has none.
result<void> make_tables(sqlite_database& db) {
  return db.exec(tables + ("PRAGMA application_id=" + std::to_string(sqlite_application_id)) +
                 ";PRAGMA user_version=" + std::to_string(sqlite_schema_version) + ";COMMIT;");
}

// Whose file is it? Nothing has been written to it yet.
result<void> identify(sqlite_database& db, const std::string& path) {
  const auto application = db.number("PRAGMA application_id");
  if (!application)
    return opening_fault(db, path, application.error());
  const auto version = db.number("PRAGMA user_version");
  if (!version)
    return opening_fault(db, path, version.error());
  const auto objects = db.number("SELECT count(*) FROM sqlite_schema");
  if (!objects)
    return opening_fault(db, path, objects.error());
  if (*application == 0 && *version == 0 && *objects == 0)
    return {};
  if (*application != sqlite_application_id)
    return foreign(path,
                   "is a database of another program (application id " + std::to_string(*application) + ")");
  if (*version != sqlite_schema_version)
    return foreign(path, "is of version " + std::to_string(*version) + " and this program knows " +
                             std::to_string(sqlite_schema_version) + ": it was written by " +
                             (*version > sqlite_schema_version ? "a newer" : "an older") + " one");
  return {};
}

result<void> prepare_file(sqlite_database& db, const std::string& path, const result<wal_state>& log) {
  if (auto set = db.exec(lock); !set)
    return set;
  if (auto fine = identify(db, path); !fine)
    return fine;
  if (auto fine = judge_log(path, log); !fine)
    return fine;
  if (auto set = db.exec(settings); !set)
    return opening_fault(db, path, set.error());
  const auto mode = db.text("PRAGMA journal_mode");
  if (!mode)
    return opening_fault(db, path, mode.error());
  if (*mode != "wal")
    return fail(errc::io, path + ": there can be no write-ahead log here (" + *mode + ")");
  const auto objects = db.number("SELECT count(*) FROM sqlite_schema");
  if (!objects)
    return opening_fault(db, path, objects.error());
  if (*objects == 0)
    if (auto made = make_tables(db); !made)
      return made;
  const auto clean = db.number("SELECT value FROM meta WHERE key='clean'");
  if (!clean)
    return opening_fault(db, path, clean.error());
  if (*clean == 0)
    log::get("persistence").warn("the sessions file was not closed properly", {{"file", path}});
  if (auto noted = db.exec("UPDATE meta SET value=0 WHERE key='clean'"); !noted)
    return opening_fault(db, path, noted.error());
  return {};
}

}  // namespace

result<directory_lock> directory_lock::take(const std::string& directory) {
  std::error_code failed;
  if (std::filesystem::create_directories(directory, failed))
    std::filesystem::permissions(directory, std::filesystem::perms::owner_all, failed);
  if (failed)
    return fail(errc::io, "can't make the directory " + directory + ": " + failed.message());
  directory_lock lock;
  const auto path = directory + "/sessions.lock";
  lock.fd_ = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (lock.fd_ < 0)
    return fail(errc::io, "can't open " + path + ": " + std::strerror(errno));
  if (::flock(lock.fd_, LOCK_EX | LOCK_NB) != 0) {
    if (errno == EWOULDBLOCK)
      return fail(errc::conflict, "the directory " + directory +
                                      " is in use by another process; stop it or choose another directory");
    return fail(errc::io, "can't lock " + path + ": " + std::strerror(errno));
  }
  return lock;
}

directory_lock::directory_lock(directory_lock&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}

directory_lock& directory_lock::operator=(directory_lock&& other) noexcept {
  std::swap(fd_, other.fd_);
  return *this;
}

directory_lock::~directory_lock() {
  if (fd_ >= 0)
    ::close(fd_);
}

std::string sessions_path(const std::string& directory) {
  return directory + "/sessions.db";
}

result<sqlite_database> open_sessions_file(const std::string& directory, const std::string& vfs) {
  const auto path = sessions_path(directory);
  const auto log = check_wal(path + "-wal");
  if (auto fine = check_log_alone(path, log); !fine)
    return fine.error();
  auto db = sqlite_database::open(path, vfs);
  if (!db)
    return db.error();
  db->keep_log(true);  // a file that is refused is left as it was
  if (auto ready = prepare_file(*db, path, log); !ready)
    return ready.error();
  db->keep_log(false);
  return std::move(*db);
}

result<void> close_sessions_file(sqlite_database& db) {
  if (auto noted = db.exec("UPDATE meta SET value=1 WHERE key='clean'"); !noted)
    return noted;
  if (auto written = db.exec("PRAGMA wal_checkpoint(TRUNCATE)"); !written)
    return written;
  return db.close();
}

}  // namespace cafmcp::persistence
