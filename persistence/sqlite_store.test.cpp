#define CAF_SUITE sqlite_store

#include "persistence/sqlite_store.hpp"

#include <sqlite3.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <memory>
#include <random>

#include "persistence/fault_vfs.hpp"
#include "persistence/store_client.hpp"
#include "tests/unit/caf_test.hpp"

using namespace cafmcp;
using namespace cafmcp::persistence;
using namespace cafmcp::persistence::testing;
namespace fs = std::filesystem;

namespace {

struct temp_directory {
  temp_directory() {
    auto name = (fs::temp_directory_path() / "cafmcp-store-XXXXXX").string();
    path = ::mkdtemp(name.data());
  }
  ~temp_directory() { fs::remove_all(path); }
  temp_directory(const temp_directory&) = delete;
  temp_directory& operator=(const temp_directory&) = delete;
  std::string path;
};

sqlite_options in(const temp_directory& d) {
  sqlite_options o;
  o.directory = d.path;
  return o;
}

std::shared_ptr<session_store> make_store(std::uint64_t max_sessions) {
  struct held {
    temp_directory directory;
    std::shared_ptr<sqlite_store> store;
  };
  auto h = std::make_shared<held>();
  auto options = in(h->directory);
  options.max_sessions = max_sessions;
  options.cache_bytes = 3000;  // so small that records are read again
  h->store = sqlite_store::open(options).value();
  return {h, h->store.get()};
}

operation create_of(const std::string& id) {
  return make(id, 1, op_kind::create, create_bytes("alice", 1000));
}

operation put_of(const std::string& id, std::uint64_t seq, const std::string& value) {
  return make(id, seq, op_kind::put, put_bytes("k", value));
}

// Keeps the store's thread in a callback until it is let go.
class stall {
 public:
  explicit stall(session_store& store) {
    store.get("nobody", [this](const auto&) {
      entered_.set_value();
      go_.get_future().wait();
    });
    if (entered_.get_future().wait_for(patience) != std::future_status::ready)
      throw std::runtime_error("the store's thread did not come");
  }
  ~stall() { go(); }
  stall(const stall&) = delete;
  stall& operator=(const stall&) = delete;
  void go() {
    if (!std::exchange(gone_, true))
      go_.set_value();
  }

 private:
  std::promise<void> entered_;
  std::promise<void> go_;
  bool gone_ = false;
};

void sql(const std::string& path, const std::string& text) {
  sqlite3* db = nullptr;
  CAF_REQUIRE_EQUAL(::sqlite3_open(path.c_str(), &db), SQLITE_OK);
  CAF_CHECK_EQUAL(::sqlite3_exec(db, text.c_str(), nullptr, nullptr, nullptr), SQLITE_OK);
  ::sqlite3_close(db);
}

error refused(const sqlite_options& options) {
  const auto store = sqlite_store::open(options);
  CAF_REQUIRE(!store);
  CAF_MESSAGE(store.error().message);
  return store.error();
}

bool says(const error& e, const std::string& text) {
  return e.message.find(text) != std::string::npos;
}

// What a crash at this moment would leave.
void crash_copy(const temp_directory& from, const temp_directory& to) {
  for (const auto* name : {"/sessions.db", "/sessions.db-wal"})
    if (fs::exists(from.path + name))
      fs::copy_file(from.path + name, to.path + name, fs::copy_options::overwrite_existing);
}

// Where the leaves of a table begin in a file, in the order of its rows.
std::vector<std::uintmax_t> leaves_of(const std::string& path, const std::string& table) {
  auto db = sqlite_database::open(path, "").value();
  auto pages = db.prepare("SELECT (pageno-1)*pgsize FROM dbstat WHERE name='" + table +
                          "' AND pagetype='leaf' ORDER BY path")
                   .value();
  std::vector<std::uintmax_t> out;
  while (pages.step().value())
    out.push_back(static_cast<std::uintmax_t>(pages.number(0)));
  return out;
}

result<store_check> check(sqlite_store& store) {
  pending<store_check> p;
  store.check(p.callback());
  return p.wait();
}

void overwrite(const std::string& path, std::uintmax_t at, const std::string& bytes) {
  std::fstream f{path, std::ios::in | std::ios::out | std::ios::binary};
  f.seekp(static_cast<std::streamoff>(at));
  f << bytes;
}

}  // namespace

#include "persistence/store_suite.hpp"

CAF_TEST(what was stored is there after the next start) {
  temp_directory d;
  std::mt19937 random{3};
  std::map<std::string, session_record> expected;
  std::uint64_t live = 0;
  for (int round = 0; round < 4; ++round) {
    const auto store = sqlite_store::open(in(d)).value();
    client c{*store};
    CAF_CHECK_EQUAL(store->size(), live);
    for (const auto& [id, record] : expected)
      CAF_REQUIRE(c.get(id).value() == record);
    for (int i = 0; i < 20; ++i) {
      const auto id = "session-" + std::to_string(random() % 40);
      auto& record = expected[id];
      if (record.seq == 0)
        CAF_REQUIRE(apply(record, create_of(id)) && c.apply({create_of(id)}));
      for (int n = 0; n < 5; ++n) {
        const auto op = any_operation(random, record, record.seq + 1);
        CAF_REQUIRE_EQUAL(apply(record, op).has_value(), c.apply({op}).has_value());
      }
    }
    live = store->size();
    CAF_CHECK(store->close().has_value());
    CAF_CHECK(c.get("session-1").error().code == errc::unavailable);
    CAF_CHECK(c.apply({create_of("late")}).error().code == errc::unavailable);
  }
  CAF_CHECK(live > 10);
}

CAF_TEST(a directory belongs to one process) {
  temp_directory d;
  auto store = sqlite_store::open(in(d)).value();
  const auto e = refused(in(d));
  CAF_CHECK(e.code == errc::conflict);
  CAF_CHECK(says(e, d.path));
  store.reset();
  CAF_CHECK(sqlite_store::open(in(d)).has_value());
}

CAF_TEST(foreign and newer and broken files are refused by name and left alone) {
  temp_directory d;
  const auto path = sessions_path(d.path);
  sql(path, "CREATE TABLE t(a); PRAGMA application_id=77");
  auto e = refused(in(d));
  CAF_CHECK(e.code == errc::conflict && says(e, path) && says(e, "another program"));
  fs::remove(path);
  CAF_REQUIRE(sqlite_store::open(in(d)).has_value());
  sql(path, "PRAGMA user_version=3");
  e = refused(in(d));
  CAF_CHECK(e.code == errc::conflict && says(e, path) && says(e, "newer"));
  fs::remove(path);
  const std::string text(5000, 'x');
  std::ofstream{path} << text;
  e = refused(in(d));
  CAF_CHECK(e.code == errc::io && says(e, path) && says(e, "damaged"));
  std::ifstream file{path};
  CAF_CHECK(std::string(std::istreambuf_iterator<char>{file}, {}) == text);
}

CAF_TEST(what was answered survives a crash and a torn tail harms nobody else) {
  temp_directory d;
  const auto store = sqlite_store::open(in(d)).value();
  client c{*store};
  std::vector<std::string> ids;
  for (int i = 0; i < 30; ++i) {
    ids.push_back("s" + std::to_string(i));
    CAF_REQUIRE(c.apply({create_of(ids.back()), put_of(ids.back(), 2, "1")}).has_value());
  }
  {
    temp_directory copy;
    crash_copy(d, copy);
    const auto again = sqlite_store::open(in(copy)).value();
    CAF_CHECK_EQUAL(again->size(), 30u);
    for (const auto& id : ids)
      CAF_CHECK(client{*again}.get(id).value() == c.get(id).value());
  }
  const auto wal = fs::file_size(sessions_path(d.path) + "-wal");
  std::mt19937 random{4};
  for (int i = 0; i < 10; ++i) {
    temp_directory copy;
    crash_copy(d, copy);
    fs::resize_file(sessions_path(copy.path) + "-wal", wal - random() % (wal / 2));
    const auto again = sqlite_store::open(in(copy));
    CAF_REQUIRE(again.has_value());
    std::uint64_t there = 0;  // a prefix of what was done
    for (const auto& id : ids) {
      const auto r = client{**again}.get(id);
      there += r.has_value();
      CAF_CHECK(!r || *r == c.get(id).value());
      CAF_CHECK_EQUAL(r.has_value(), static_cast<std::size_t>(&id - ids.data()) < there);
    }
    CAF_CHECK_EQUAL((*again)->size(), there);
  }
}

CAF_TEST(broken pages take nobody along and are never taken for sessions that do not exist) {
  temp_directory d;
  constexpr int count = 2000;
  const auto id = [](int i) { return "s" + std::to_string(i); };
  {
    const auto store = sqlite_store::open(in(d)).value();
    std::vector<pending<void>> answers;
    for (int i = 0; i < count; ++i)
      answers.push_back(client{*store}.start({create_of(id(i)), put_of(id(i), 2, std::string(100, '1'))}));
    for (auto& answer : answers)
      CAF_REQUIRE(answer.wait().has_value());
  }
  // Leaves of the table that begin with a session's row.
  const auto path = sessions_path(d.path);
  auto leaves = leaves_of(path, "sessions");
  CAF_REQUIRE(leaves.size() > 50);
  for (const auto at : {leaves[10], leaves[11], leaves[30]})
    overwrite(path, at, std::string(1000, '\x7f'));
  const auto store = sqlite_store::open(in(d)).value();
  client c{*store};
  int there = 0;
  for (int i = 0; i < count; ++i) {
    const auto got = c.get(id(i));
    there += got.has_value();
    CAF_REQUIRE(got || got.error().code == errc::io);
  }
  CAF_MESSAGE(there << " of " << count << " are left");
  CAF_CHECK(there > count * 9 / 10 && there < count);
  CAF_CHECK_EQUAL(store->stats().gaps, 2u);
  CAF_CHECK_EQUAL(store->size(), static_cast<std::uint64_t>(there));
  CAF_CHECK(c.create("another").has_value());
  CAF_CHECK(c.get("another").has_value());
}

CAF_TEST(a damaged record is set aside and the others are not ) {
  temp_directory d;
  auto now = std::make_shared<std::int64_t>(100'000);
  auto options = in(d);
  options.name_of = [](std::string_view) { return std::string{"s-handle"}; };
  options.now_ms = [now] { return *now; };
  {
    const auto store = sqlite_store::open(options).value();
    for (const auto* id : {"s1", "s2", "s3", "s4"})
      CAF_REQUIRE(client{*store}.create(id, 90'000).has_value());
  }
  sql(sessions_path(d.path), "UPDATE sessions SET record=x'0100aabbccddee' WHERE id=x'7331'");
  sql(sessions_path(d.path), "UPDATE sessions SET last_active=5, id=x'41' WHERE id=x'7332'");
  for (int start = 0; start < 2; ++start) {
    const auto store = sqlite_store::open(options).value();
    client c{*store};
    CAF_CHECK(c.get("s4").has_value());
    CAF_CHECK(c.get("s2").has_value());  // the copies beside its record were wrong
    CAF_CHECK(c.get("s1").error().code == errc::io);
    CAF_CHECK(c.apply({put_of("s1", 2, "1")}).error().code == errc::io);
    CAF_CHECK(store->stats().doubt);
    CAF_CHECK_EQUAL(store->stats().damaged, start == 0 ? 1u : 0u);
    CAF_CHECK_EQUAL(store->size(), 3u);
    CAF_CHECK_EQUAL(check(*store).value().sessions.rows, 3u);
  }
  {
    const auto store = sqlite_store::open(options).value();
    client c{*store};
    c.expire(0, 99'999);
    CAF_CHECK(store->stats().doubt);
    c.expire(0, 100'000);  // nobody who was lost could be there now
    CAF_CHECK(c.get("s1").error().code == errc::not_found);
    CAF_CHECK(!store->stats().doubt);
    CAF_CHECK(c.create("s1").has_value());
  }
  auto db = sqlite_database::open(sessions_path(d.path), "").value();
  CAF_CHECK_EQUAL(db.number("SELECT count(*) FROM damaged").value(), 1);
  CAF_CHECK_EQUAL(db.number("SELECT count(*) FROM damaged WHERE record=x'0100aabbccddee'").value(), 1);
  CAF_CHECK_EQUAL(db.number("SELECT last_active FROM sessions WHERE id=x'7332'").value(), 90'000);
}

CAF_TEST(sessions that are missing from the file are noticed) {
  temp_directory d;
  {
    const auto store = sqlite_store::open(in(d)).value();
    for (const auto* id : {"s1", "s2", "s3"})
      CAF_REQUIRE(client{*store}.create(id).has_value());
  }
  sql(sessions_path(d.path), "DELETE FROM sessions WHERE id=x'7332'");
  for (int start = 0; start < 2; ++start) {
    const auto store = sqlite_store::open(in(d)).value();
    client c{*store};
    CAF_CHECK(c.get("s2").error().code == errc::io);
    CAF_CHECK(c.get("s1").has_value());
    CAF_CHECK_EQUAL(store->size(), 2u);
  }
}

CAF_TEST(a check looks at everything and is alone) {
  temp_directory d;
  auto options = in(d);
  const auto store = sqlite_store::open(options).value();
  client c{*store};
  for (int i = 0; i < 5000; ++i)
    c.start({create_of("s" + std::to_string(i))});
  pending<store_check> first, second;
  store->check(first.callback());
  store->check(second.callback());
  CAF_CHECK(second.wait().error().code == errc::conflict);
  const auto found = first.wait().value();
  CAF_CHECK_EQUAL(found.sessions.rows, 5000u);
  CAF_CHECK_EQUAL(found.sessions.damaged + found.sessions.gaps + found.damaged_operations, 0u);
}

CAF_TEST(the file is read while the store works) {
  temp_directory d;
  constexpr int count = 20'000;
  const auto id = [](int i) { return "s" + std::to_string(i); };
  {
    auto options = in(d);
    options.critical_waits = false;
    const auto store = sqlite_store::open(options).value();
    for (int i = 0; i < count; ++i)
      CAF_REQUIRE(client{*store}.apply({create_of(id(i))}));
    CAF_REQUIRE(client{*store}.apply({make(id(7), 2, op_kind::end, end_bytes("", 1))}));
  }
  const auto store = sqlite_store::open(in(d)).value();
  client c{*store};
  CAF_CHECK_EQUAL(store->size(), count - 1u);
  auto last = std::make_shared<pending<session_record>>();
  store->get(id(count - 1), last->callback());  // waits until it is come to
  auto nobody = std::make_shared<pending<session_record>>();
  store->get("nobody", nobody->callback());
  CAF_CHECK(c.create("new").has_value());
  CAF_CHECK(c.get("new").has_value());
  CAF_CHECK(last->wait().has_value());
  CAF_CHECK(nobody->wait().error().code == errc::not_found);
  CAF_CHECK_EQUAL(store->stats().loaded, 1);
  CAF_CHECK_EQUAL(store->stats().tombstones, 1u);
  CAF_CHECK_EQUAL(store->size(), static_cast<std::uint64_t>(count));
  CAF_CHECK(c.get(id(7))->ended);
}

CAF_TEST(many operations share one commit) {
  temp_directory d;
  const auto store = sqlite_store::open(in(d)).value();
  client c{*store};
  stall held{*store};
  std::vector<pending<void>> answers;
  for (int i = 0; i < 100; ++i)
    answers.push_back(c.start({create_of("s" + std::to_string(i))}));
  CAF_CHECK(!answers.front().there());
  CAF_CHECK_EQUAL(store->stats().queued, 100u);
  held.go();
  for (auto& answer : answers)
    CAF_CHECK(answer.wait().has_value());
  CAF_CHECK_EQUAL(store->stats().groups, 1u);
  CAF_CHECK_EQUAL(store->stats().operations, 100u);
}

CAF_TEST(ordinary operations wait for company and critical ones do not) {
  temp_directory d;
  auto options = in(d);
  options.ordinary_delay = std::chrono::hours{1};
  const auto store = sqlite_store::open(options).value();
  client c{*store};
  CAF_REQUIRE(c.create("s1"));
  auto touched = c.start({make("s1", 2, op_kind::touch, touch_bytes(7000))});
  CAF_REQUIRE(c.create("s2"));
  CAF_CHECK(touched.wait().has_value());
  CAF_CHECK_EQUAL(store->stats().groups, 2u);
  options.ordinary_delay = std::chrono::milliseconds{10};
  temp_directory other;
  options.directory = other.path;
  const auto quick = sqlite_store::open(options).value();
  CAF_REQUIRE(client{*quick}.create("s1"));
  CAF_CHECK(client{*quick}.apply({make("s1", 2, op_kind::touch, touch_bytes(7000))}).has_value());
}

CAF_TEST(a full queue refuses at once) {
  temp_directory d;
  auto options = in(d);
  options.queue_operations = 4;
  options.queue_bytes = 20'000;
  const auto store = sqlite_store::open(options).value();
  client c{*store};
  {
    stall held{*store};
    std::vector<pending<void>> answers;
    for (int i = 0; i < 4; ++i)
      answers.push_back(c.start({create_of("s" + std::to_string(i))}));
    auto fifth = c.start({create_of("s5")});
    CAF_REQUIRE(fifth.there());
    CAF_CHECK(fifth.wait().error().code == errc::overloaded);
    held.go();
    for (auto& answer : answers)
      CAF_CHECK(answer.wait().has_value());
  }
  CAF_CHECK(c.apply({put_of("s0", 2, std::string(30'000, '1'))}).error().code == errc::overloaded);
  CAF_CHECK_EQUAL(store->stats().refused, 2u);
  CAF_CHECK(c.create("s5").has_value());
}

CAF_TEST(without waiting the answer comes within the call and what was asked for is written) {
  temp_directory d;
  auto options = in(d);
  options.critical_waits = false;
  options.max_sessions = 2;
  {
    const auto store = sqlite_store::open(options).value();
    client c{*store};
    stall held{*store};
    for (const auto* id : {"s1", "s2", "s3"}) {
      auto answer = c.start({create_of(id)});
      CAF_REQUIRE(answer.there());
      CAF_CHECK_EQUAL(answer.wait().has_value(), std::string_view{id} != "s3");
    }
    CAF_CHECK(c.start({put_of("s1", 2, "7")}).there());
    held.go();
    CAF_CHECK(c.get("s1").value().user == (std::map<std::string, std::string, std::less<>>{{"k", "7"}}));
  }
  const auto store = sqlite_store::open(options).value();
  CAF_CHECK_EQUAL(store->size(), 2u);
}

CAF_TEST(the history of a bucket is numbered and bounded and goes on) {
  temp_directory d;
  auto options = in(d);
  options.history_operations = 16;
  const auto bucket = bucket_of("s1");
  const auto read = [&](sqlite_store& store, std::uint64_t after, std::size_t limit = 100) {
    pending<std::vector<numbered_operation>> p;
    store.history(bucket, after, limit, p.callback());
    return p.wait();
  };
  std::uint64_t seq = 1;
  for (int round = 0; round < 3; ++round) {
    const auto store = sqlite_store::open(options).value();
    client c{*store};
    if (round == 0) {
      CAF_CHECK(read(*store, 0).value().empty());
      CAF_REQUIRE(c.create("s1"));
    }
    for (int i = 0; i < 20; ++i, ++seq)
      CAF_REQUIRE(c.apply({put_of("s1", seq + 1, std::to_string(seq + 1))}));
    CAF_CHECK(!c.apply({put_of("s1", seq + 1, "1"), put_of("s1", seq + 3, "1")}));
    CAF_CHECK(read(*store, 0).error().code == errc::not_found);
    CAF_CHECK(read(*store, seq + 1).error().code == errc::not_found);
    const auto last = read(*store, seq - 10, 5).value();  // one operation, one number: they are the same here
    CAF_REQUIRE_EQUAL(last.size(), 5u);
    for (std::size_t i = 0; i < last.size(); ++i) {
      CAF_CHECK_EQUAL(last[i].number, seq - 9 + i);
      CAF_CHECK(last[i].what == put_of("s1", seq - 9 + i, std::to_string(seq - 9 + i)));
    }
    CAF_CHECK(read(*store, seq).value().empty());
  }
  auto db = sqlite_database::open(sessions_path(d.path), "").value();
  CAF_CHECK(db.number("SELECT count(*) FROM operations").value() <= 16);
}

CAF_TEST(a full or failing disk refuses and says so and is forgiven without a restart) {
  temp_directory d;
  fault_vfs disk{"fault-recovery"};
  auto options = in(d);
  options.vfs = disk.name();
  const auto store = sqlite_store::open(options).value();
  client c{*store};
  CAF_REQUIRE(c.create("s1"));
  std::uint64_t seq = 1;
  for (const auto kind : {fault_kind::full, fault_kind::write, fault_kind::sync}) {
    CAF_CHECK(store->health().has_value());
    disk.fail(kind);
    const auto failed = c.apply({put_of("s1", seq + 1, "2")});
    CAF_REQUIRE(!failed);
    CAF_MESSAGE(failed.error().message);
    CAF_CHECK(failed.error().code == errc::io && says(failed.error(), sessions_path(d.path)));
    CAF_CHECK(!store->health());
    CAF_CHECK_EQUAL(c.get("s1").value().seq, seq);  // reading goes on
    CAF_CHECK(!c.create("s2"));
    CAF_CHECK_EQUAL(store->size(), 1u);
    c.expire(0, 0);  // changes nothing, and says nothing good of the disk
    CAF_CHECK(!store->health());
    disk.fail(fault_kind::none);
    if (kind == fault_kind::write) {  // nobody writes, and it is noticed all the same
      c.expire(0, 0);
      CAF_CHECK(store->health().has_value());
    }
    CAF_CHECK(c.apply({put_of("s1", seq + 1, "2")}).has_value());
    ++seq;
  }
  CAF_CHECK(store->health().has_value());
  pending<std::vector<numbered_operation>> p;  // has no gaps where groups were taken back
  store->history(bucket_of("s1"), 0, 100, p.callback());
  const auto history = p.wait().value();
  CAF_REQUIRE_EQUAL(history.size(), seq);
  for (std::size_t i = 0; i < history.size(); ++i) {
    CAF_CHECK_EQUAL(history[i].number, i + 1);
    CAF_CHECK_EQUAL(history[i].what.seq, i + 1);
  }
}

CAF_TEST(what was answered early is kept while the disk fails) {
  temp_directory d;
  fault_vfs disk{"fault-early"};
  auto options = in(d);
  options.vfs = disk.name();
  options.critical_waits = false;
  options.queue_operations = 3;
  const auto store = sqlite_store::open(options).value();
  client c{*store};
  disk.fail(fault_kind::full);
  for (int i = 0; i < 3; ++i)
    CAF_CHECK(c.create("s" + std::to_string(i)).has_value());
  CAF_CHECK(c.get("s1").error().code == errc::unavailable);
  CAF_CHECK(c.create("s3").error().code == errc::overloaded);
  CAF_CHECK(!store->health());
  disk.fail(fault_kind::none);
  while (!store->health())  // the test's own time limit is the deadline
    std::this_thread::yield();
  for (int i = 0; i < 3; ++i)
    CAF_CHECK(c.get("s" + std::to_string(i)).has_value());
  CAF_CHECK_EQUAL(store->stats().lost, 0u);
}

// Random faults, then a crash: what was acknowledged is stored, and nothing is stored that was not tried.
CAF_TEST(acknowledged is at most stored is at most acknowledged and in doubt) {
  int faults = 0;
  for (unsigned seed = 0; seed < 15; ++seed) {
    temp_directory d, copy;
    fault_vfs disk{"fault-random"};
    auto options = in(d);
    options.vfs = disk.name();
    const auto store = sqlite_store::open(options).value();
    client c{*store};
    disk.fail_randomly(seed, 25);
    std::map<std::string, std::uint64_t> sure, tried;
    for (int turn = 0; turn < 30; ++turn) {
      std::vector<std::pair<std::string, pending<void>>> answers;
      for (int s = 0; s < 4; ++s) {
        const auto id = "s" + std::to_string(s);
        const auto next = sure[id] + 1;
        answers.emplace_back(id,
                             c.start({next == 1 ? create_of(id) : put_of(id, next, std::to_string(next))}));
        tried[id] = std::max(tried[id], next);
      }
      for (auto& [id, answer] : answers)
        if (answer.wait())
          ++sure[id];
        else
          ++faults;
    }
    crash_copy(d, copy);
    const auto again = sqlite_store::open(in(copy)).value();
    for (const auto& [id, seq] : sure) {
      const auto r = client{*again}.get(id);
      const auto stored = r ? r->seq : 0;
      CAF_REQUIRE(r || r.error().code == errc::not_found);
      CAF_CHECK(seq <= stored && stored <= tried[id]);
    }
  }
  CAF_CHECK(faults > 50);
}
