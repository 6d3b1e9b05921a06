#pragma once
// For tests of what is on disk: a directory that goes with its test, what a crash would leave of a store, and
// files read, written and damaged. Not thread-safe.

#include <unistd.h>

#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <stdexcept>
#include <string>

namespace cafmcp::persistence::testing {

/// An empty directory, removed at the end of the scope.
struct test_directory {
  test_directory() {
    auto name = (std::filesystem::temp_directory_path() / "cafmcp-files-XXXXXX").string();
    if (!::mkdtemp(name.data()))
      throw std::runtime_error("can't make a directory " + name);
    path = name;
  }
  ~test_directory() {
    std::error_code ignored;
    std::filesystem::remove_all(path, ignored);
  }
  test_directory(const test_directory&) = delete;
  test_directory& operator=(const test_directory&) = delete;

  std::string db() const { return path + "/sessions.db"; }
  std::string wal() const { return db() + "-wal"; }

  std::string path;
};

/// What a crash of the process at this moment would leave; the files must not be written to meanwhile.
inline void copy_files(const test_directory& from, const test_directory& to) {
  namespace fs = std::filesystem;
  for (const auto& [source, target] : {std::pair{from.db(), to.db()}, std::pair{from.wal(), to.wal()}}) {
    fs::remove(target);
    if (fs::exists(source))
      fs::copy_file(source, target);
  }
}

inline std::string read_file(const std::string& path) {
  std::ifstream f{path, std::ios::binary};
  return {std::istreambuf_iterator<char>{f}, {}};
}

inline void write_file(const std::string& path, const std::string& bytes) {
  std::ofstream{path, std::ios::binary | std::ios::trunc} << bytes;
}

/// Changes one byte, which a second call with the same arguments takes back.
inline void flip(const std::string& path, std::uint64_t at, unsigned char by) {
  std::fstream f{path, std::ios::in | std::ios::out | std::ios::binary};
  f.seekg(static_cast<std::streamoff>(at));
  const auto was = static_cast<unsigned char>(f.get());
  f.seekp(static_cast<std::streamoff>(at));
  f.put(static_cast<char>(was ^ by));
}

}  // namespace cafmcp::persistence::testing
