#define CAF_SUITE sqlite_faults

#include <algorithm>
#include <map>
#include <memory>
#include <random>

#include "base/log.hpp"
#include "persistence/fault_vfs.hpp"
#include "persistence/sqlite_store.hpp"
#include "persistence/store_client.hpp"
#include "persistence/test_files.hpp"
#include "tests/unit/caf_test.hpp"

using namespace cafmcp;
using namespace cafmcp::persistence;
using namespace cafmcp::persistence::testing;
namespace fs = std::filesystem;

namespace {

sqlite_options in(const test_directory& d, const std::string& vfs = "") {
  sqlite_options o;
  o.directory = d.path;
  o.vfs = vfs;
  o.cache_bytes = 3000;  // so small that records are read again
  o.ordinary_delay = std::chrono::milliseconds{0};
  return o;
}

bool says(const error& e, const std::string& text) {
  return e.message.find(text) != std::string::npos;
}

// Text that can't be packed.
std::string noise(std::uint64_t seed, std::size_t bytes) {
  std::mt19937_64 random{seed};
  std::string out;
  while (out.size() < bytes)
    for (auto bits = random(), n = std::uint64_t{10}; n > 0; --n, bits >>= 6)
      out += static_cast<char>('0' + bits % 64);
  std::replace(out.begin(), out.end(), '\\', '/');
  return out;
}

// Each session's operations are the same in every run, so its number alone says what its record is.
operation nth(const std::string& id, std::uint64_t n) {
  const auto mix = n * 7919 + bucket_of(id) * 31;
  if (n == 1)
    return make(id, n, op_kind::create, create_bytes("alice", 1000));
  if (id.starts_with("big"))
    return make(id, n, op_kind::put, put_bytes("k", "\"" + noise(mix, 600'000) + "\""));
  if (n % 7 == 0)
    return make(id, n, op_kind::touch, touch_bytes(static_cast<std::int64_t>(1000 + n)));
  if (n % 5 == 0)
    return make(id, n, op_kind::outbound, outbound_bytes("s", std::string(mix % 300, 'm')));
  return make(id, n, op_kind::put,
              put_bytes("k" + std::to_string(n % 3),
                        "\"" + std::to_string(n) + std::string(mix % (n % 9 == 0 ? 9000 : 200), 'x') + "\""));
}

session_record after(const std::string& id, std::uint64_t n) {
  session_record out;
  for (std::uint64_t i = 1; i <= n; ++i)
    apply(out, nth(id, i)).value();
  return out;
}

// What a client may expect of each session: what was acknowledged, and perhaps what was tried behind it.
struct expectation {
  std::uint64_t sure = 0;
  std::uint64_t tried = 0;
};
using expectations = std::map<std::string, expectation>;

// The next operation of a session. Whether it was acknowledged.
bool go_on(client& c, expectations& all, const std::string& id) {
  auto& e = all[id];
  e.tried = e.sure + 1;
  const bool done = c.apply({nth(id, e.tried)}).has_value();
  e.sure += done ? 1 : 0;
  return done;
}

enum class verdict { right, refused, missing, wrong };

verdict judge(client& c, const std::string& id, const expectation& e) {
  const auto r = c.get(id);
  if (!r && r.error().code == errc::not_found)
    return e.sure == 0 ? verdict::right : verdict::missing;
  if (!r)
    return r.error().code == errc::io || r.error().code == errc::unavailable ? verdict::refused
                                                                             : verdict::wrong;
  return e.sure <= r->seq && r->seq <= std::max(e.sure, e.tried) && *r == after(id, r->seq) ? verdict::right
                                                                                            : verdict::wrong;
}

struct verdicts {
  int right = 0, refused = 0, missing = 0, wrong = 0;
  void add(verdict v) {
    ++(v == verdict::right     ? right
       : v == verdict::refused ? refused
       : v == verdict::missing ? missing
                               : wrong);
  }
  void add(client& c, const expectations& all) {
    for (const auto& [id, e] : all)
      add(judge(c, id, e));
  }
  bool holds() const { return missing == 0 && wrong == 0; }
  bool all_right() const { return holds() && refused == 0; }
  std::string text() const {
    return std::to_string(right) + " right, " + std::to_string(refused) + " refused, " +
           std::to_string(missing) + " missing, " + std::to_string(wrong) + " wrong";
  }
};

verdicts verdicts_of(client& c, const expectations& all) {
  verdicts t;
  t.add(c, all);
  return t;
}

std::string name(int number) {
  return "session-" + std::to_string(number);
}

// Sessions in a store that has been closed.
expectations some_sessions(const test_directory& d, int sessions, int operations) {
  expectations all;
  const fault_vfs quick{"faults-quick"};
  const auto store = sqlite_store::open(in(d, quick.name())).value();
  client c{*store};
  for (int n = 0; n < operations; ++n)
    for (int s = 0; s < sessions; ++s)
      CAF_REQUIRE(go_on(c, all, name(s)));
  CAF_REQUIRE(store->close());
  return all;
}

// How many records are damaged.
result<std::uint64_t> checked(sqlite_store& store) {
  pending<store_check> p;
  store.check(p.callback());
  const auto found = p.wait();
  if (!found)
    return found.error();
  return found->sessions.damaged + found->sessions.gaps;
}

result<std::vector<numbered_operation>> history(sqlite_store& store, std::uint32_t bucket) {
  pending<std::vector<numbered_operation>> p;
  store.history(bucket, 0, 1000, p.callback());
  return p.wait();
}

// These tests make errors by the thousand.
struct quiet {
  quiet() {
    log::options o;
    o.level = log::level::critical;
    CAF_REQUIRE(log::init(o));
  }
};

}  // namespace

CAF_TEST_FIXTURE_SCOPE(sqlite_faults, quiet)

CAF_TEST(a log that is damaged in its middle refuses the start by name) {
  test_directory d, copy;
  const auto store = sqlite_store::open(in(d)).value();
  client c{*store};
  expectations all;
  for (int i = 0; i < 60; ++i)
    CAF_REQUIRE(go_on(c, all, name(i % 4)));
  copy_files(d, copy);
  const auto size = fs::file_size(copy.wal());
  for (const auto at : {std::uint64_t{3}, size / 4, size / 2, size / 4 * 3}) {
    flip(copy.wal(), at, 0x10);
    const auto db = read_file(copy.db()), wal = read_file(copy.wal());
    const auto refused = sqlite_store::open(in(copy));
    CAF_REQUIRE(!refused);
    CAF_MESSAGE(refused.error().message);
    CAF_CHECK(refused.error().code == errc::io && says(refused.error(), copy.wal() + " is damaged"));
    CAF_CHECK(read_file(copy.db()) == db && read_file(copy.wal()) == wal);
    flip(copy.wal(), at, 0x10);
  }
  const auto again = sqlite_store::open(in(copy)).value();
  client c2{*again};
  CAF_CHECK(verdicts_of(c2, all).all_right());
}

CAF_TEST(a log without its file refuses the start and is not deleted) {
  test_directory d, copy;
  const auto store = sqlite_store::open(in(d)).value();
  client c{*store};
  expectations all;
  for (int i = 0; i < 8; ++i)
    CAF_REQUIRE(go_on(c, all, name(i % 4)));
  for (const bool empty : {true, false}) {
    copy_files(d, copy);
    if (empty)
      write_file(copy.db(), "");
    else
      fs::remove(copy.db());
    const auto refused = sqlite_store::open(in(copy));
    CAF_REQUIRE(!refused);
    CAF_MESSAGE(refused.error().message);
    CAF_CHECK(refused.error().code == errc::io && says(refused.error(), copy.wal()));
    CAF_CHECK(read_file(copy.wal()) == read_file(d.wal()));
  }
  fs::copy_file(d.db(), copy.db(), fs::copy_options::overwrite_existing);
  const auto again = sqlite_store::open(in(copy)).value();
  client c2{*again};
  CAF_CHECK(verdicts_of(c2, all).all_right());
}

// Its log too, which SQLite would write back and delete.
CAF_TEST(a file that is refused is left as it was) {
  test_directory ours, foreign, copy;
  const auto store = sqlite_store::open(in(ours)).value();
  client c{*store};
  expectations all;
  for (int i = 0; i < 20; ++i)
    CAF_REQUIRE(go_on(c, all, name(i)));
  auto db = sqlite_database::open(foreign.db(), "").value();
  CAF_REQUIRE(db.exec("PRAGMA application_id=77; PRAGMA journal_mode=WAL; CREATE TABLE t(a)"));
  for (int i = 0; i < 5; ++i)
    CAF_REQUIRE(db.exec("INSERT INTO t VALUES(1)"));
  const auto refused = [&](const std::string& text, errc code) {
    const auto file = read_file(copy.db()), log = read_file(copy.wal());
    const auto again = sqlite_store::open(in(copy));
    CAF_REQUIRE(!again);
    CAF_MESSAGE(again.error().message);
    CAF_CHECK(again.error().code == code && says(again.error(), text));
    CAF_CHECK(read_file(copy.db()) == file);
    CAF_CHECK(read_file(copy.wal()) == log);
  };
  copy_files(foreign, copy);
  refused("another program", errc::conflict);
  flip(copy.wal(), 5000, 1);
  refused("another program", errc::conflict);
  write_file(copy.db(), std::string(5000, 'x'));
  refused(copy.db() + " is damaged", errc::io);
  write_file(copy.wal(), std::string(5000, 'x'));
  refused(copy.db() + " is damaged", errc::io);
  copy_files(ours, copy);
  for (std::uint64_t at = 0; at < 100; at += 7) {  // the header of the file, which its log may make good
    flip(copy.db(), at, 0x55);
    const auto log = read_file(copy.wal());
    if (const auto again = sqlite_store::open(in(copy))) {
      client c2{**again};
      CAF_CHECK(verdicts_of(c2, all).all_right());
    } else {
      CAF_CHECK(says(again.error(), copy.db()) && read_file(copy.wal()) == log);
    }
    copy_files(ours, copy);
  }
}

// It would end the process when there is no room for it.
CAF_TEST(the index of the log is in no file) {
  test_directory d;
  const auto all = some_sessions(d, 3, 3);
  const auto store = sqlite_store::open(in(d)).value();
  client c{*store};
  CAF_CHECK(verdicts_of(c, all).all_right());
  CAF_CHECK(!fs::exists(d.db() + "-shm"));
}

CAF_TEST(a read only disk refuses writes and goes on reading) {
  test_directory d;
  auto all = some_sessions(d, 30, 3);
  fault_vfs disk{"faults-read-only"};
  {
    disk.fail(fault_kind::read_only);
    const auto refused = sqlite_store::open(in(d, disk.name()));
    CAF_REQUIRE(!refused);
    CAF_MESSAGE(refused.error().message);
    CAF_CHECK(refused.error().code == errc::io && says(refused.error(), d.db()));
    disk.fail(fault_kind::none);
  }
  const auto store = sqlite_store::open(in(d, disk.name())).value();
  client c{*store};
  CAF_REQUIRE(go_on(c, all, name(0)));
  for (int round = 0; round < 3; ++round) {
    disk.fail(fault_kind::read_only);
    for (const auto& id : {name(0), name(7), std::string{"another"}}) {
      auto tried = all;
      CAF_CHECK(!go_on(c, tried, id));
      const auto failed = c.apply({nth(id, all[id].sure + 1)});
      CAF_CHECK(failed.error().code == errc::io && says(failed.error(), d.db()));
    }
    CAF_CHECK(!store->health() && says(store->health().error(), d.db()));
    CAF_CHECK(verdicts_of(c, all).all_right());
    CAF_CHECK_EQUAL(c.scan(bucket_of(name(3)), "", 10).size(), 1u);
    CAF_CHECK(history(*store, bucket_of(name(3))).has_value());
    CAF_CHECK_EQUAL(store->size(), 30u);
    CAF_CHECK_EQUAL(checked(*store).value(), 0u);
    disk.fail(fault_kind::none);
    CAF_CHECK(go_on(c, all, name(round)));
    CAF_CHECK(store->health().has_value());
    CAF_CHECK(verdicts_of(c, all).all_right());
  }
  disk.fail(fault_kind::read_only);
  CAF_CHECK(!store->close());
  disk.fail(fault_kind::none);
  const auto again = sqlite_store::open(in(d)).value();
  client c2{*again};
  CAF_CHECK(verdicts_of(c2, all).all_right());
}

CAF_TEST(reads that fail are errors and never an absence) {
  test_directory original;
  auto all = some_sessions(original, 60, 12);
  {
    const fault_vfs quick{"faults-quick"};
    const auto store = sqlite_store::open(in(original, quick.name())).value();
    client c{*store};
    for (int i = 0; i < 50; ++i)  // more than SQLite keeps in memory
      for (int n = 0; n < 2; ++n)
        CAF_REQUIRE(go_on(c, all, "big-" + std::to_string(i)));
  }
  for (const auto kind : {fault_kind::read, fault_kind::short_read}) {
    test_directory d;
    copy_files(original, d);
    fault_vfs disk{"faults-read"};
    {
      const auto store = sqlite_store::open(in(d, disk.name())).value();
      client c{*store};
      disk.fail(kind);
      for (int round = 0; round < 2; ++round) {
        const auto t = verdicts_of(c, all);
        CAF_MESSAGE("meanwhile: " << t.text());
        CAF_CHECK(t.holds() && t.refused > 0);
      }
      const auto summaries = c.summaries(bucket_of(name(5)), "", 10);
      CAF_CHECK(!summaries || summaries->size() == 1 || store->stats().doubt);
      disk.fail(fault_kind::none);
      const auto t = verdicts_of(c, all);
      CAF_MESSAGE("afterwards: " << t.text());
      CAF_CHECK(kind == fault_kind::read ? t.all_right() : t.holds());
    }
    const auto store = sqlite_store::open(in(d)).value();
    client c{*store};
    const auto t = verdicts_of(c, all);
    CAF_MESSAGE("after a restart: " << t.text());
    CAF_CHECK(kind == fault_kind::read ? t.all_right() : t.holds());
  }
}

CAF_TEST(a start over a disk that can not be read says so and changes nothing) {
  test_directory d;
  const auto all = some_sessions(d, 20, 3);
  fault_vfs disk{"faults-start"};
  for (const auto kind : {fault_kind::read, fault_kind::open, fault_kind::full, fault_kind::write}) {
    disk.fail(kind);
    const auto refused = sqlite_store::open(in(d, disk.name()));
    CAF_REQUIRE(!refused);
    CAF_CHECK(refused.error().code == errc::io && says(refused.error(), d.db()));
  }
  disk.fail(fault_kind::none);
  const auto store = sqlite_store::open(in(d, disk.name())).value();
  client c{*store};
  CAF_CHECK(verdicts_of(c, all).all_right());
}

// The disk writes, or reads, one bit wrong now and then. A start may be refused by name, and a session be an
// error; a record is never another one than was acknowledged, and never absent.
struct bits {
  unsigned starts = 0, refused = 0, failing_seeds = 0;
  std::uint64_t flips = 0;
  verdicts stored;

  void add(const verdicts& t, unsigned seed, const char* when) {
    stored.right += t.right;
    stored.refused += t.refused;
    stored.missing += t.missing;
    stored.wrong += t.wrong;
    failing_seeds += t.holds() ? 0 : 1;
    if (!t.holds())
      CAF_MESSAGE("seed " << seed << ", " << when << ": " << t.text());
  }
  void report() const {
    CAF_MESSAGE(flips << " bits, " << starts << " starts, refused: " << refused << "; " << stored.text());
  }
};

// Lists have every session that can be read.
verdicts listed(client& c, const expectations& all) {
  verdicts t;
  for (const auto& [id, e] : all) {
    if (e.sure == 0 || judge(c, id, e) != verdict::right)
      continue;
    const auto found = c.summaries(bucket_of(id), "", 100);
    const bool there =
        found && std::any_of(found->begin(), found->end(), [&id = id](const auto& s) { return s.id == id; });
    t.add(!found ? verdict::refused : there ? verdict::right : verdict::missing);
  }
  return t;
}

void judge_start(const test_directory& d, const expectations& all, unsigned seed, bits& b) {
  const fault_vfs quick{"faults-quick"};
  const auto store = sqlite_store::open(in(d, quick.name()));
  ++b.starts;
  if (!store) {
    ++b.refused;
    CAF_CHECK(store.error().code == errc::io && says(store.error(), d.db()));
    return;
  }
  client c{**store};
  b.add(verdicts_of(c, all), seed, "after a start");
  b.add(verdicts_of(c, all), seed, "again");
  b.add(listed(c, all), seed, "in lists");
  static_cast<void>(checked(**store));  // may set records aside, which does not make them absent
  b.add(verdicts_of(c, all), seed, "after a check");
}

enum class ending { crash, orderly, crash_later };

bits flip_bits(ending end, int sessions, unsigned seeds, unsigned one_in) {
  bits b;
  for (unsigned seed = 0; seed < seeds; ++seed) {
    test_directory d, copy;
    fault_vfs disk{"faults-bits"};
    expectations all;
    std::mt19937 random{seed};
    auto store = sqlite_store::open(in(d, disk.name()));
    CAF_REQUIRE(store.has_value());
    const auto work = [&](int operations) {
      client c{**store};
      for (int i = 0; i < operations; ++i)
        go_on(c, all, name(static_cast<int>(random() % static_cast<unsigned>(sessions))));
    };
    disk.flip_writes(seed, one_in);
    work(150);
    if (end != ending::crash)
      static_cast<void>((*store)->close());  // writes the log back
    disk.flip_writes(0, 0);
    if (end == ending::crash_later) {
      store = sqlite_store::open(in(d, disk.name()));
      if (store)
        work(20);
    }
    // The last transaction of a log can't be told from one that was torn, so it is not among those changed.
    if (end == ending::crash)
      work(1);
    b.flips += disk.flips();
    copy_files(d, copy);
    judge_start(copy, all, seed, b);
  }
  b.report();
  return b;
}

// A bit now and then, and so many that a page has several.
constexpr std::pair<int, unsigned> sessions_and_rates[] = {{8, 200}, {60, 200}, {60, 8}};

CAF_TEST(bits that change on their way to the disk before a crash) {
  for (const auto& [sessions, one_in] : {std::pair{8, 600u}, std::pair{60, 600u}}) {
    const auto b = flip_bits(ending::crash, sessions, 60, one_in);
    CAF_CHECK(b.flips > 20 && b.refused > 10 && b.refused < 60);
    CAF_CHECK_EQUAL(b.failing_seeds, 0u);
  }
}

CAF_TEST(bits that change on their way to the disk before an orderly end) {
  for (const auto& [sessions, one_in] : sessions_and_rates) {
    const auto b = flip_bits(ending::orderly, sessions, 100, one_in);
    CAF_CHECK(b.flips > 100);
    CAF_CHECK_EQUAL(b.failing_seeds, 0u);
  }
}

CAF_TEST(bits that change on their way to the disk long before a crash) {
  for (const auto& [sessions, one_in] : sessions_and_rates) {
    const auto b = flip_bits(ending::crash_later, sessions, 100, one_in);
    CAF_CHECK(b.flips > 100);
    CAF_CHECK_EQUAL(b.failing_seeds, 0u);
  }
}

CAF_TEST(bits that change on their way from the disk) {
  bits b;
  test_directory original;
  const auto all = some_sessions(original, 60, 9);
  for (unsigned seed = 0; seed < 100; ++seed) {
    test_directory d;
    copy_files(original, d);
    fault_vfs disk{"faults-reads"};
    disk.flip_reads(seed, 30);
    {
      const auto store = sqlite_store::open(in(d, disk.name()));
      ++b.starts;
      b.refused += store ? 0 : 1;
      if (store) {
        client c{**store};
        b.add(verdicts_of(c, all), seed, "meanwhile");
        b.add(verdicts_of(c, all), seed, "again");
      }
    }
    b.flips += disk.flips();
    judge_start(d, all, seed, b);
  }
  b.report();
  CAF_CHECK(b.flips > 60);
  CAF_CHECK_EQUAL(b.failing_seeds, 0u);
}

// A disk that fails in every way, and processes that end on it: nothing that was acknowledged is gone,
// nothing is stored that was never tried, and no file is taken for a damaged one.
CAF_TEST(acknowledged is stored over ends and starts on a failing disk) {
  int refused_starts = 0, starts = 0, failures = 0;
  for (unsigned seed = 0; seed < 12; ++seed) {
    std::mt19937 random{seed};
    expectations all;
    fault_vfs disk{"faults-all"};
    auto home = std::make_unique<test_directory>();
    for (int life = 0; life < 6; ++life) {
      disk.fail_randomly(seed * 100 + static_cast<unsigned>(life), life % 2 == 0 ? 12 : 40);
      auto store = sqlite_store::open(in(*home, disk.name()));
      ++starts;
      if (!store) {
        ++refused_starts;
        CAF_CHECK(store.error().code == errc::io && says(store.error(), home->db()));
        disk.fail_randomly(0, 0);
        store = sqlite_store::open(in(*home, disk.name()));
        CAF_REQUIRE(store);
        disk.fail_randomly(seed, 40);
      }
      client c{**store};
      const auto found = verdicts_of(c, all);
      CAF_REQUIRE_EQUAL(found.text(), verdicts{static_cast<int>(all.size())}.text());
      for (auto& [id, e] : all) {  // what was in doubt is so no longer
        const auto r = c.get(id);
        e.sure = e.tried = r ? r->seq : 0;
      }
      const fault_kind kinds[] = {fault_kind::full, fault_kind::write, fault_kind::sync,
                                  fault_kind::read_only};
      for (int i = 0; i < 60; ++i) {
        disk.fail(random() % 4 == 0 ? kinds[random() % 4] : fault_kind::none);
        failures += go_on(c, all, name(static_cast<int>(random() % 12))) ? 0 : 1;
      }
      disk.fail(fault_kind::none);
      CAF_CHECK(verdicts_of(c, all).all_right());
      auto next = std::make_unique<test_directory>();
      if (life % 3 == 2)
        static_cast<void>((*store)->close());  // may fail half way
      copy_files(*home, *next);
      store = fail(errc::internal, "closed");
      home = std::move(next);
    }
    disk.fail_randomly(0, 0);
    const auto store = sqlite_store::open(in(*home)).value();
    client c{*store};
    CAF_CHECK(verdicts_of(c, all).all_right());
    CAF_CHECK_EQUAL(checked(*store).value(), 0u);
    for (const auto& [id, e] : all) {
      const auto operations = history(*store, bucket_of(id)).value();
      for (std::size_t i = 0; i < operations.size(); ++i) {
        CAF_CHECK_EQUAL(operations[i].number, i + 1);
        CAF_CHECK(operations[i].what == nth(operations[i].what.session, operations[i].what.seq));
      }
    }
  }
  CAF_MESSAGE(starts << " starts, refused: " << refused_starts << "; operations that failed: " << failures);
  CAF_CHECK(refused_starts > 5 && failures > 500);
}

CAF_TEST_FIXTURE_SCOPE_END()
