#pragma once
// A disk that fails when told to: a VFS of SQLite's that passes everything on to the default one, except that
// writes and syncs fail always, or by chance with a seed. A failing write may have written its first half.
// The object is registered while it lives; `fail` may be called from any thread.

#include <sqlite3.h>

#include <atomic>
#include <mutex>
#include <new>
#include <random>
#include <string>

namespace cafmcp::persistence::testing {

enum class fault_kind { none, full, write, sync };

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
    vfs_.xDelete = [](sqlite3_vfs* v, const char* n, int s) { return of(v).xDelete(&of(v), n, s); };
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

  /// Each write and each sync fails with a chance of one in `one_in`.
  void fail_randomly(unsigned seed, unsigned one_in) {
    const std::lock_guard lock{mutex_};
    random_.seed(seed);
    one_in_ = one_in;
  }

 private:
  struct file {
    sqlite3_file base;
    fault_vfs* owner;
    sqlite3_io_methods methods;
    sqlite3_file* real() { return reinterpret_cast<sqlite3_file*>(this + 1); }
  };
  static_assert(sizeof(file) % 8 == 0);  // which is how SQLite aligns

  static sqlite3_vfs& of(sqlite3_vfs* v) { return *static_cast<fault_vfs*>(v->pAppData)->base_; }
  static file& as_file(sqlite3_file* f) { return *reinterpret_cast<file*>(f); }
  static const sqlite3_io_methods& real_methods(sqlite3_file* f) { return *as_file(f).real()->pMethods; }

  static int open(sqlite3_vfs* v, const char* name, sqlite3_file* to, int flags, int* out) {
    auto& f = *new (to) file{};
    f.owner = static_cast<fault_vfs*>(v->pAppData);
    const int code = of(v).xOpen(&of(v), name, f.real(), flags, out);
    if (!f.real()->pMethods)
      return code;
    f.methods = {
        1,
        [](sqlite3_file* g) { return real_methods(g).xClose(as_file(g).real()); },
        [](sqlite3_file* g, void* b, int n, sqlite3_int64 at) {
          return real_methods(g).xRead(as_file(g).real(), b, n, at);
        },
        write,
        [](sqlite3_file* g, sqlite3_int64 n) { return real_methods(g).xTruncate(as_file(g).real(), n); },
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

  static int write(sqlite3_file* g, const void* bytes, int n, sqlite3_int64 at) {
    auto& f = as_file(g);
    const auto kind = f.owner->kind_.load();
    if (kind == fault_kind::full)
      return SQLITE_FULL;
    const bool unlucky = f.owner->unlucky();
    if (kind != fault_kind::write && !unlucky)
      return real_methods(g).xWrite(f.real(), bytes, n, at);
    real_methods(g).xWrite(f.real(), bytes, n / 2, at);
    return unlucky ? SQLITE_FULL : SQLITE_IOERR_WRITE;
  }

  static int sync(sqlite3_file* g, int flags) {
    auto& f = as_file(g);
    if (f.owner->kind_ == fault_kind::sync || f.owner->unlucky())
      return SQLITE_IOERR_FSYNC;
    return real_methods(g).xSync(f.real(), flags);
  }

  bool unlucky() {
    const std::lock_guard lock{mutex_};
    return one_in_ != 0 && random_() % one_in_ == 0;
  }

  const std::string name_;
  sqlite3_vfs* const base_;
  sqlite3_vfs vfs_{};
  std::atomic<fault_kind> kind_{fault_kind::none};
  std::mutex mutex_;
  std::mt19937 random_;
  unsigned one_in_ = 0;
};

}  // namespace cafmcp::persistence::testing
