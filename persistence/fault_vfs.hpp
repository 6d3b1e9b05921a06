#pragma once
// A disk that fails when told to: a VFS of SQLite's that passes everything on to the default one, except that
// what is asked of it fails always (`fail`), by chance (`fail_randomly`), or works and is wrong by a bit
// (`flip_writes`, `flip_reads`). A failing write may have written its first half, in whole sectors: less than
// a sector is written whole or not at all. What is synced is not, since no test cuts the power. Chances come
// from a seed, so the same calls fail again. For tests only. The object is registered while it lives; all
// functions are thread-safe.

#include <sqlite3.h>

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <mutex>
#include <new>
#include <random>
#include <string>

namespace cafmcp::persistence::testing {

enum class fault_kind {
  none,
  full,        ///< no room: nothing is written
  write,       ///< writes fail half way
  sync,        ///< fsync fails
  read_only,   ///< the file system has been remounted: no write, no truncation, no new file, no deletion
  read,        ///< reads fail
  short_read,  ///< the second half of what is read is missing, as behind the end of a file
  open         ///< files can't be opened
};

/// See above.
class fault_vfs {
 public:
  explicit fault_vfs(const char* name) : name_(name), base_(::sqlite3_vfs_find(nullptr)) {
    vfs_ = *base_;
    vfs_.pNext = nullptr;
    vfs_.zName = name_.c_str();
    vfs_.pAppData = this;
    vfs_.szOsFile = static_cast<int>(sizeof(file)) + base_->szOsFile;
    vfs_.xOpen = open;
    // The default VFS finds its own functions in what it is given.
    vfs_.xDelete = [](sqlite3_vfs* v, const char* n, int) {
      return self(v).kind_ == fault_kind::read_only ? SQLITE_IOERR_DELETE : of(v).xDelete(&of(v), n, 0);
    };
    vfs_.xAccess = [](sqlite3_vfs* v, const char* n, int f, int* r) {
      return of(v).xAccess(&of(v), n, f, r);
    };
    vfs_.xFullPathname = [](sqlite3_vfs* v, const char* n, int s, char* o) {
      return of(v).xFullPathname(&of(v), n, s, o);
    };
    ::sqlite3_vfs_register(&vfs_, 0);
  }
  ~fault_vfs() { ::sqlite3_vfs_unregister(&vfs_); }
  fault_vfs(const fault_vfs&) = delete;
  fault_vfs& operator=(const fault_vfs&) = delete;

  const std::string& name() const { return name_; }

  void fail(fault_kind kind) { kind_ = kind; }

  /// Each write and each sync fails with a chance of one in `one_in`; 0: none does.
  void fail_randomly(unsigned seed, unsigned one_in) { failures_.set(seed, one_in); }

  /// One bit of what is written, or read, is changed with a chance of one in `one_in` for each call; 0: none.
  void flip_writes(unsigned seed, unsigned one_in) { write_flips_.set(seed, one_in); }
  void flip_reads(unsigned seed, unsigned one_in) { read_flips_.set(seed, one_in); }

  /// How many bits have been changed.
  std::uint64_t flips() const { return flips_; }

 private:
  // One in so many, by a seed.
  class chance {
   public:
    void set(unsigned seed, unsigned one_in) {
      const std::lock_guard lock{mutex_};
      random_.seed(seed);
      one_in_ = one_in;
    }
    bool strikes() {
      const std::lock_guard lock{mutex_};
      return one_in_ != 0 && random_() % one_in_ == 0;
    }
    std::uint64_t below(std::uint64_t bound) {
      const std::lock_guard lock{mutex_};
      return random_() % bound;
    }

   private:
    std::mutex mutex_;
    std::mt19937 random_;
    unsigned one_in_ = 0;
  };

  struct file {
    sqlite3_file base;
    fault_vfs* owner;
    sqlite3_io_methods methods;
    sqlite3_file* real() { return reinterpret_cast<sqlite3_file*>(this + 1); }
  };
  static_assert(sizeof(file) % 8 == 0);  // which is how SQLite aligns
  static constexpr sqlite3_int64 sector = 512;

  static fault_vfs& self(sqlite3_vfs* v) { return *static_cast<fault_vfs*>(v->pAppData); }
  static sqlite3_vfs& of(sqlite3_vfs* v) { return *self(v).base_; }
  static file& as_file(sqlite3_file* f) { return *reinterpret_cast<file*>(f); }
  static const sqlite3_io_methods& real_methods(sqlite3_file* f) { return *as_file(f).real()->pMethods; }

  static int open(sqlite3_vfs* v, const char* name, sqlite3_file* to, int flags, int* out) {
    auto& f = *new (to) file{};
    f.owner = &self(v);
    const auto kind = f.owner->kind_.load();
    if (kind == fault_kind::open)
      return SQLITE_CANTOPEN;
    if (kind == fault_kind::read_only)  // as the default VFS falls back to
      flags = (flags & ~(SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE)) | SQLITE_OPEN_READONLY;
    const int code = of(v).xOpen(&of(v), name, f.real(), flags, out);
    if (!f.real()->pMethods)
      return code;
    f.methods = {
        1,
        [](sqlite3_file* g) { return real_methods(g).xClose(as_file(g).real()); },
        read,
        write,
        [](sqlite3_file* g, sqlite3_int64 n) {
          return as_file(g).owner->kind_ == fault_kind::read_only
                     ? SQLITE_IOERR_TRUNCATE
                     : real_methods(g).xTruncate(as_file(g).real(), n);
        },
        sync,
        [](sqlite3_file* g, sqlite3_int64* n) { return real_methods(g).xFileSize(as_file(g).real(), n); },
        [](sqlite3_file* g, int l) { return real_methods(g).xLock(as_file(g).real(), l); },
        [](sqlite3_file* g, int l) { return real_methods(g).xUnlock(as_file(g).real(), l); },
        [](sqlite3_file* g, int* r) { return real_methods(g).xCheckReservedLock(as_file(g).real(), r); },
        [](sqlite3_file* g, int o, void* a) { return real_methods(g).xFileControl(as_file(g).real(), o, a); },
        [](sqlite3_file* g) { return real_methods(g).xSectorSize(as_file(g).real()); },
        [](sqlite3_file* g) { return real_methods(g).xDeviceCharacteristics(as_file(g).real()); },
        nullptr,
        nullptr,
        nullptr,
        nullptr,
        nullptr,
        nullptr};
    f.base.pMethods = &f.methods;
    return code;
  }

  static int read(sqlite3_file* g, void* bytes, int n, sqlite3_int64 at) {
    auto& f = as_file(g);
    const auto kind = f.owner->kind_.load();
    if (kind == fault_kind::read)
      return SQLITE_IOERR_READ;
    const int code = real_methods(g).xRead(f.real(), bytes, n, at);
    auto* first = static_cast<char*>(bytes);
    if (kind == fault_kind::short_read) {  // SQLite wants zeros in their place
      std::fill(first + n / 2, first + n, '\0');
      return SQLITE_IOERR_SHORT_READ;
    }
    if (code == SQLITE_OK && f.owner->read_flips_.strikes())
      f.owner->flip(first, n, f.owner->read_flips_);
    return code;
  }

  static int write(sqlite3_file* g, const void* bytes, int n, sqlite3_int64 at) {
    auto& f = as_file(g);
    const auto kind = f.owner->kind_.load();
    if (kind == fault_kind::full)
      return SQLITE_FULL;
    if (kind == fault_kind::read_only)  // which is what the default VFS makes of EROFS
      return SQLITE_IOERR_WRITE;
    const bool unlucky = f.owner->failures_.strikes();
    if (kind == fault_kind::write || unlucky) {
      if (const auto half = (at + n / 2) / sector * sector - at; n >= sector && half > 0)
        real_methods(g).xWrite(f.real(), bytes, static_cast<int>(half), at);
      return unlucky ? SQLITE_FULL : SQLITE_IOERR_WRITE;
    }
    if (!f.owner->write_flips_.strikes())
      return real_methods(g).xWrite(f.real(), bytes, n, at);
    std::string changed(static_cast<const char*>(bytes), static_cast<std::size_t>(n));
    f.owner->flip(changed.data(), n, f.owner->write_flips_);
    return real_methods(g).xWrite(f.real(), changed.data(), n, at);
  }

  static int sync(sqlite3_file* g, int) {
    const auto& f = as_file(g);
    if (f.owner->kind_ == fault_kind::sync || f.owner->failures_.strikes())
      return SQLITE_IOERR_FSYNC;
    return SQLITE_OK;
  }

  void flip(char* bytes, int n, chance& by) {
    const auto bit = by.below(static_cast<std::uint64_t>(n) * 8);
    bytes[bit / 8] = static_cast<char>(bytes[bit / 8] ^ (1 << bit % 8));
    ++flips_;
  }

  const std::string name_;
  sqlite3_vfs* const base_;
  sqlite3_vfs vfs_{};
  std::atomic<fault_kind> kind_{fault_kind::none};
  std::atomic<std::uint64_t> flips_{0};
  chance failures_;
  chance write_flips_;
  chance read_flips_;
};

}  // namespace cafmcp::persistence::testing
