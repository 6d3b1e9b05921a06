#define CAF_SUITE wal_check

#include "persistence/wal_check.hpp"

#include <sqlite3.h>

#include <algorithm>
#include <memory>
#include <random>
#include <vector>

#include "persistence/fault_vfs.hpp"
#include "persistence/test_files.hpp"
#include "tests/unit/caf_test.hpp"

using namespace cafmcp;
using namespace cafmcp::persistence;
using namespace cafmcp::persistence::testing;
namespace fs = std::filesystem;

namespace {

// A database as the store opens it, with small pages, so that each of their bytes can be tried.
class database {
 public:
  explicit database(const std::string& path, const char* vfs = nullptr) {
    sqlite3* raw = nullptr;
    const int code = ::sqlite3_open_v2(path.c_str(), &raw, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, vfs);
    db_.reset(raw);
    CAF_REQUIRE_EQUAL(code, SQLITE_OK);
    CAF_REQUIRE(
        run("PRAGMA page_size=512; PRAGMA locking_mode=EXCLUSIVE; PRAGMA journal_mode=WAL;"
            "PRAGMA synchronous=FULL; PRAGMA wal_autocheckpoint=0;"));
  }

  bool run(const std::string& sql) {
    return ::sqlite3_exec(db_.get(), sql.c_str(), nullptr, nullptr, nullptr) == SQLITE_OK;
  }

  // A transaction of about `kilobytes`, the only one to make a row of its number.
  bool commit(int number, std::size_t kilobytes) {
    const bool done = run("BEGIN; INSERT INTO t VALUES(" + std::to_string(number) + ", randomblob(" +
                          std::to_string(kilobytes * 1024) + ")); COMMIT");
    if (!done)
      run("ROLLBACK");
    return done;
  }

  int rows() {
    int out = -1;
    ::sqlite3_exec(
        db_.get(), "SELECT count(*) FROM t",
        [](void* to, int, char** columns, char**) {
          *static_cast<int*>(to) = std::atoi(columns[0]);
          return 0;
        },
        &out, nullptr);
    return out;
  }

 private:
  struct closer {
    void operator()(sqlite3* db) const { ::sqlite3_close(db); }
  };
  std::unique_ptr<sqlite3, closer> db_;
};

constexpr std::uint64_t frame_bytes = 24 + 512;

std::uint64_t at_frame(std::uint64_t number) {  // from 1
  return 32 + (number - 1) * frame_bytes;
}

// The log of a table's creation and `commits` transactions of one row, without the database being closed.
struct made {
  explicit made(int commits) {
    test_directory d;
    database db{d.db()};
    CAF_REQUIRE(db.run("CREATE TABLE t(n, bytes)"));
    ends.push_back(check_wal(d.wal()).value().frames);
    for (int i = 0; i < commits; ++i) {
      CAF_REQUIRE(db.commit(i, 1));
      ends.push_back(check_wal(d.wal()).value().frames);
    }
    copy_files(d, files);
  }

  bool damaged(std::uint64_t at, unsigned char by) const {
    flip(files.wal(), at, by);
    const auto found = check_wal(files.wal());
    flip(files.wal(), at, by);
    return !found;
  }

  test_directory files;
  std::vector<std::uint64_t> ends;  // last frame of each transaction, the table's first
};

// What SQLite makes of the files; the table itself counts as one, as in the log.
std::uint64_t seen_by_sqlite(const test_directory& files) {
  test_directory copy;
  copy_files(files, copy);
  return static_cast<std::uint64_t>(database{copy.db()}.rows() + 1);
}

bool says(const error& e, const std::string& text) {
  return e.message.find(text) != std::string::npos;
}

}  // namespace

CAF_TEST(a whole log and none at all are fine) {
  test_directory d;
  CAF_CHECK_EQUAL(check_wal(d.wal()).value().frames, 0u);
  write_file(d.wal(), "");
  CAF_CHECK_EQUAL(check_wal(d.wal()).value().frames, 0u);
  const made log{5};
  const auto state = check_wal(log.files.wal()).value();
  CAF_CHECK_EQUAL(state.commits, 6u);
  CAF_CHECK_EQUAL(at_frame(state.frames + 1), fs::file_size(log.files.wal()));
  CAF_CHECK_EQUAL(state.ignored, 0u);
  CAF_CHECK(check_wal(d.path).error().code == errc::io);  // a directory
}

CAF_TEST(a log may end anywhere) {
  const made log{4};
  const auto bytes = read_file(log.files.wal());
  test_directory d;
  for (std::size_t size = 0; size < bytes.size(); size += size < 700 ? 1 : 37) {
    write_file(d.wal(), bytes.substr(0, size));
    const auto state = check_wal(d.wal());
    CAF_REQUIRE(state.has_value());
    std::uint64_t commits = 0;
    while (commits < log.ends.size() && at_frame(log.ends[commits] + 1) <= size)
      ++commits;
    CAF_REQUIRE_EQUAL(state->commits, commits);
    CAF_REQUIRE_EQUAL(state->frames, commits == 0 ? 0 : log.ends[commits - 1]);
  }
  write_file(d.wal(), bytes.substr(0, bytes.size() - 1));
  CAF_CHECK_EQUAL(check_wal(d.wal()).value().ignored, log.ends[4] - log.ends[3]);
}

CAF_TEST(a changed byte is damage in any transaction but the last) {
  const made log{4};
  std::mt19937 random{1};
  const auto end = fs::file_size(log.files.wal());
  const auto last = at_frame(log.ends[log.ends.size() - 2] + 1);
  std::uint64_t tried = 0, refused = 0;
  for (std::uint64_t at = 32; at < end; ++at)
    for (const std::uint64_t by : {1 + random() % 255, std::uint64_t{1} << random() % 8}) {
      const bool damaged = log.damaged(at, static_cast<unsigned char>(by));
      CAF_REQUIRE(damaged || at >= last);
      tried += at >= last ? 1 : 0;
      refused += at >= last && damaged ? 1 : 0;
    }
  // A change of the last one may look as if it were the last but one: a number that marks an end, or a
  // bit that has the same weight in the checksum. It is damage all the same, and no torn write.
  CAF_MESSAGE("changes of the last transaction: " << tried << ", refused: " << refused);
  CAF_CHECK(refused * 50 < tried);
  // The number that marks an end is small: each can become 0, and each 0 a mark.
  for (std::uint64_t frame = 1; at_frame(frame) < last; ++frame)
    for (unsigned by = 1; by < 256; ++by)
      CAF_REQUIRE(log.damaged(at_frame(frame) + 7, static_cast<unsigned char>(by)));
}

CAF_TEST(damage is named with its place and what it costs and nothing is touched) {
  const made log{6};
  const auto frame = log.ends[2];
  flip(log.files.wal(), at_frame(frame) + 100, 4);
  const auto bytes = read_file(log.files.wal());
  const auto e = check_wal(log.files.wal()).error();
  CAF_MESSAGE(e.message);
  CAF_CHECK(e.code == errc::io && says(e, log.files.wal() + " is damaged"));
  CAF_CHECK(says(e, "frame " + std::to_string(frame)));
  CAF_CHECK(says(e, "at byte " + std::to_string(at_frame(frame))));
  CAF_CHECK(says(e, "at least 4 behind it"));
  CAF_CHECK(read_file(log.files.wal()) == bytes);
  CAF_CHECK_EQUAL(seen_by_sqlite(log.files), 2u);  // which is why this is looked for
}

CAF_TEST(a torn last transaction is ignored as SQLite does) {
  const made log{4};
  std::mt19937 random{2};
  const auto bytes = read_file(log.files.wal());
  const auto first = at_frame(log.ends[3] + 1);
  for (int i = 0; i < 200; ++i) {
    auto changed = bytes;  // some of its sectors are not written
    for (auto n = 1 + random() % 2; n > 0; --n) {
      const auto sector = (first + random() % (bytes.size() - first)) / 512 * 512;
      for (auto at = std::max<std::uint64_t>(sector, first); at < sector + 512 && at < bytes.size(); ++at)
        changed[at] = static_cast<char>(i % 2 == 0 ? 0 : random());
    }
    write_file(log.files.wal(), changed);
    const auto state = check_wal(log.files.wal());
    CAF_REQUIRE(state.has_value());
    CAF_CHECK_EQUAL(state->commits, 4u);
    CAF_CHECK_EQUAL(state->frames, log.ends[3]);
    if (i % 10 == 0)
      CAF_CHECK_EQUAL(seen_by_sqlite(log.files), 4u);
  }
}

CAF_TEST(a block that is gone is seen from the transactions behind the next) {
  const made log{6};
  const auto bytes = read_file(log.files.wal());
  for (auto at = at_frame(log.ends[1] + 1); at < at_frame(log.ends[4]); at += 128) {
    auto changed = bytes;
    changed.replace(at, 512, std::string(512, '\0'));
    write_file(log.files.wal(), changed);
    CAF_CHECK(!check_wal(log.files.wal()));
  }
}

CAF_TEST(a damaged header is refused when there is something behind it) {
  const made log{2};
  for (std::uint64_t at = 0; at < 32; ++at)
    for (unsigned by = 1; by < 256; by += at < 12 ? 1 : 11)
      CAF_REQUIRE(log.damaged(at, static_cast<unsigned char>(by)));
  auto bytes = read_file(log.files.wal());
  bytes.replace(0, 32, std::string(32, '\0'));
  test_directory d;
  write_file(d.wal(), bytes);
  const auto e = check_wal(d.wal()).error();
  CAF_MESSAGE(e.message);
  CAF_CHECK(e.code == errc::io && says(e, d.wal()) && says(e, "does not begin as a log does"));
  write_file(d.wal(), bytes.substr(0, 500));  // not even a frame
  CAF_CHECK(check_wal(d.wal()).has_value());
  write_file(d.wal(), std::string(200'000, '\0'));  // a file system that has lost what was never synced
  CAF_CHECK(check_wal(d.wal()).has_value());
}

CAF_TEST(frames of an earlier round are no damage) {
  test_directory d;
  database db{d.db()};
  CAF_REQUIRE(db.run("CREATE TABLE t(n, bytes)"));
  for (int i = 0; i < 20; ++i)
    CAF_REQUIRE(db.commit(i, 2));
  const auto before = check_wal(d.wal()).value();
  CAF_REQUIRE(db.run("PRAGMA wal_checkpoint(FULL)"));
  for (int i = 1; i <= 4; ++i) {
    CAF_REQUIRE(db.commit(100 + i, 1));
    const auto state = check_wal(d.wal()).value();
    CAF_CHECK_EQUAL(state.commits, static_cast<std::uint64_t>(i));
    CAF_CHECK_EQUAL(state.ignored, 0u);
    CAF_CHECK(at_frame(before.frames + 1) == fs::file_size(d.wal()));
  }
  flip(d.wal(), at_frame(1) + 50, 1);
  CAF_CHECK(!check_wal(d.wal()));
}

// Groups that fail leave frames of any length behind what is valid, some of them with their ends.
CAF_TEST(frames that were taken back are no damage) {
  std::uint64_t ignored = 0;
  for (unsigned seed = 0; seed < 12; ++seed) {
    test_directory d, copy;
    fault_vfs disk{"wal-check"};
    database db{d.db(), disk.name().c_str()};
    CAF_REQUIRE(db.run("PRAGMA cache_size=10; CREATE TABLE t(n, bytes)"));
    std::mt19937 random{seed};
    disk.fail_randomly(seed, 30);
    for (int i = 0; i < 60; ++i) {
      if (random() % 3 == 0)
        disk.fail(fault_kind::sync);
      if (random() % 8 == 0)
        db.run("BEGIN; INSERT INTO t VALUES(-1, randomblob(20000)); ROLLBACK");
      db.commit(i, random() % 12);
      disk.fail(fault_kind::none);
      const auto state = check_wal(d.wal());
      if (!state)
        CAF_MESSAGE(state.error().message);
      CAF_REQUIRE(state.has_value());
      ignored += state->ignored;
      if (i % 10 == 9) {
        copy_files(d, copy);
        CAF_REQUIRE_EQUAL(seen_by_sqlite(copy), state->commits);
      }
    }
  }
  CAF_CHECK(ignored > 100);
}

CAF_TEST(anything may be in the file) {
  test_directory d;
  std::mt19937 random{7};
  const made log{3};
  const auto good = read_file(log.files.wal());
  for (int i = 0; i < 400; ++i) {
    auto bytes = good;
    if (i % 4 == 0)
      for (auto& byte : bytes)
        byte = static_cast<char>(random());
    else if (i % 4 == 1)
      bytes[8 + random() % 4] = static_cast<char>(random());
    else
      for (auto n = random() % 200; n > 0; --n)
        bytes[random() % bytes.size()] = static_cast<char>(random());
    bytes.resize(random() % (bytes.size() + 1));
    write_file(d.wal(), bytes);
    const auto state = check_wal(d.wal());
    CAF_CHECK(state ? state->frames <= 100 : says(state.error(), d.wal()));
  }
  // A right checksum over any page size.
  for (const std::uint32_t size : {0u, 1u, 8u, 511u, 513u, 131'072u, 0x80000000u, 0xffffffffu}) {
    auto header = std::string{"\x37\x7f\x06\x83\x00\x2d\xe2\x18", 8};
    for (int shift = 24; shift >= 0; shift -= 8)
      header += static_cast<char>(size >> shift);
    header += std::string(12, 'x');
    std::uint32_t a = 0, b = 0;
    const auto word = [&](std::size_t at) {
      std::uint32_t out = 0;
      for (std::size_t i = 0; i < 4; ++i)
        out = out << 8 | static_cast<unsigned char>(header[at + i]);
      return out;
    };
    for (std::size_t at = 0; at < 24; at += 8) {
      a += word(at) + b;
      b += word(at + 4) + a;
    }
    for (const auto sum : {a, b})
      for (int shift = 24; shift >= 0; shift -= 8)
        header += static_cast<char>(sum >> shift);
    write_file(d.wal(), header + std::string(5000, 'x'));
    const auto state = check_wal(d.wal());
    CAF_REQUIRE(!state);
    CAF_CHECK(says(state.error(), "page size"));
  }
}
