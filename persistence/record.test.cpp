#define CAF_SUITE session_record

#include "persistence/record.hpp"

#include <random>

#include "tests/unit/caf_test.hpp"

using namespace cafmcp;
using namespace cafmcp::persistence;

namespace {

struct fixture {
  // Makes the operation that comes next.
  operation next(op_kind kind, std::string bytes) const {
    return {bucket_of("s1"), 1, r.seq + 1, "s1", kind, std::move(bytes)};
  }
  bool run(op_kind kind, std::string bytes) {
    auto op = next(kind, std::move(bytes));
    const auto done = apply(r, op);
    if (done)
      log.push_back(op);
    else
      code = done.error().code;
    return done.has_value();
  }
  session_record r;
  std::vector<operation> log;
  errc code = errc::internal;
};

}  // namespace

CAF_TEST_FIXTURE_SCOPE(session_record_tests, fixture)

CAF_TEST(a session lives from create to end) {
  CAF_CHECK(run(op_kind::create, create_bytes("alice", 1000)));
  CAF_CHECK(run(op_kind::protocol, protocol_bytes({mcp::change_kind::subscribe, "file:///a"})));
  CAF_CHECK(run(op_kind::put, put_bytes("k", "7")));
  CAF_CHECK(run(op_kind::put, put_bytes("k", "8")));
  CAF_CHECK(run(op_kind::put, put_bytes("gone", "1")));
  CAF_CHECK(run(op_kind::remove, remove_bytes("gone")));
  CAF_CHECK(run(op_kind::touch, touch_bytes(2000)));
  CAF_CHECK(run(op_kind::touch, touch_bytes(1500)));
  CAF_CHECK_EQUAL(r.principal, "alice");
  CAF_CHECK_EQUAL(r.created_ms, 1000);
  CAF_CHECK_EQUAL(r.last_active_ms, 2000);
  CAF_CHECK_EQUAL(r.user.size(), 1u);
  CAF_CHECK_EQUAL(r.user["k"], "8");
  CAF_CHECK(r.protocol.subscriptions.contains("file:///a"));
  CAF_CHECK(run(op_kind::end, end_bytes("expired", 3000)));
  CAF_CHECK(r.ended);
  CAF_CHECK(r.user.empty());
  CAF_CHECK_EQUAL(r.principal, "alice");
  CAF_CHECK(!run(op_kind::put, put_bytes("k", "9")));
  CAF_CHECK(code == errc::conflict);
}

CAF_TEST(numbers of the outbound log are never used twice) {
  run(op_kind::create, create_bytes("", 0));
  for (const auto* text : {"a", "b", "c"})
    CAF_CHECK(run(op_kind::outbound, outbound_bytes("main", text)));
  CAF_CHECK(run(op_kind::trim, trim_bytes(2)));
  CAF_REQUIRE_EQUAL(r.outbound.size(), 1u);
  CAF_CHECK_EQUAL(r.outbound.front().number, 3u);
  CAF_CHECK(run(op_kind::trim, trim_bytes(99)));
  CAF_CHECK(run(op_kind::outbound, outbound_bytes("main", "d")));
  CAF_CHECK_EQUAL(r.outbound.front().number, 4u);
}

CAF_TEST(what does not follow is refused and changes nothing) {
  CAF_CHECK(!run(op_kind::put, put_bytes("k", "1")));
  run(op_kind::create, create_bytes("", 0));
  run(op_kind::put, put_bytes("k", "1"));
  const auto before = r;
  const auto refused = [&](operation op) {
    const auto done = apply(r, op);
    return !done && r == before;
  };
  auto op = next(op_kind::put, put_bytes("k", "2"));
  op.seq += 1;
  CAF_CHECK(refused(op));
  op = log.back();
  CAF_CHECK(refused(op));
  op = next(op_kind::put, put_bytes("k", "2"));
  op.epoch = 0;
  CAF_CHECK(refused(op));
  op = next(op_kind::put, put_bytes("k", "2"));
  op.session = "other";
  CAF_CHECK(refused(op));
  CAF_CHECK(refused(next(op_kind::create, create_bytes("", 0))));
  CAF_CHECK(refused(next(static_cast<op_kind>(77), "")));
  CAF_CHECK(refused(next(op_kind::put, "garbage")));
  CAF_CHECK(refused(next(op_kind::protocol, protocol_bytes({static_cast<mcp::change_kind>(200), "x"}))));
}

CAF_TEST(the state of the user is bounded) {
  run(op_kind::create, create_bytes("", 0));
  for (std::size_t i = 0; i < max_user_keys; ++i)
    CAF_REQUIRE(run(op_kind::put, put_bytes("k" + std::to_string(i), "1")));
  CAF_CHECK(!run(op_kind::put, put_bytes("one more", "1")));
  CAF_CHECK(code == errc::overloaded);
  CAF_CHECK(run(op_kind::put, put_bytes("k0", "2")));
  CAF_CHECK(!run(op_kind::put, put_bytes("k0", std::string(max_value_bytes + 1, '1'))));
  CAF_CHECK(!run(op_kind::put, put_bytes(std::string(max_key_bytes + 1, 'k'), "1")));
}

CAF_TEST(the same operations make the same record) {
  run(op_kind::create, create_bytes("bob", 5));
  std::mt19937 random{7};
  for (int i = 0; i < 2000; ++i) {
    const auto key = "k" + std::to_string(random() % 50);
    switch (random() % 5) {
      case 0:
        run(op_kind::remove, remove_bytes(key));
        break;
      case 1:
        run(op_kind::outbound, outbound_bytes("s", key));
        break;
      case 2:
        run(op_kind::trim, trim_bytes(random() % (r.last_outbound + 1)));
        break;
      case 3:
        run(op_kind::touch, touch_bytes(random() % 100000));
        break;
      default:
        run(op_kind::put, put_bytes(key, std::to_string(random())));
    }
  }
  session_record replayed;
  for (const auto& op : log)
    CAF_REQUIRE(apply(replayed, op).has_value());
  CAF_CHECK(replayed == r);
}

CAF_TEST(damaged bytes are refused or harmless) {
  run(op_kind::create, create_bytes("", 0));
  run(op_kind::put, put_bytes("k", "1"));
  std::mt19937 random{11};
  for (int i = 0; i < 20000; ++i) {
    auto bytes =
        i % 2 == 0 ? put_bytes("key", "\"value\"") : protocol_bytes({mcp::change_kind::log_level, "info"});
    for (auto n = random() % 4; n > 0; --n)
      bytes[random() % bytes.size()] = static_cast<char>(random());
    bytes.resize(random() % (bytes.size() + 1));
    auto copy = r;
    const auto before = copy;
    const auto done = apply(copy, next(static_cast<op_kind>(1 + random() % 10), bytes));
    CAF_REQUIRE(done || copy == before);
  }
}

CAF_TEST_FIXTURE_SCOPE_END()

CAF_TEST(buckets are spread and stable) {
  CAF_CHECK_EQUAL(bucket_of("123456789"), 0xCBF43926u % bucket_count);  // the check value of CRC-32
  std::vector<int> hits(bucket_count);
  for (int i = 0; i < 25600; ++i)
    ++hits[bucket_of("session-" + std::to_string(i))];
  for (const int n : hits) {
    CAF_CHECK(n > 50);
    CAF_CHECK(n < 150);
  }
}

CAF_TEST(what the client waits for is critical) {
  for (const auto kind : {op_kind::create, op_kind::protocol, op_kind::put, op_kind::remove, op_kind::end})
    CAF_CHECK(safety_of(kind) == safety::critical);
  for (const auto kind : {op_kind::outbound, op_kind::trim, op_kind::touch})
    CAF_CHECK(safety_of(kind) == safety::ordinary);
}
