#define CAF_SUITE memory_store

#include "persistence/memory_store.hpp"

#include <memory>
#include <random>
#include <thread>

#include "persistence/store_client.hpp"
#include "tests/unit/caf_test.hpp"

using namespace cafmcp;
using namespace cafmcp::persistence;
using namespace cafmcp::persistence::testing;

namespace {

constexpr std::uint64_t plenty = 1u << 30;

struct fixture {
  memory_store store{10, plenty};
  client c{store};
};

std::shared_ptr<session_store> make_store(std::uint64_t max_sessions) {
  return std::make_shared<memory_store>(max_sessions, plenty);
}

}  // namespace

#include "persistence/store_suite.hpp"

CAF_TEST_FIXTURE_SCOPE(memory_store_tests, fixture)

CAF_TEST(bytes are those of the records) {
  CAF_CHECK_EQUAL(store.bytes(), 0u);
  CAF_REQUIRE(c.create("s1"));
  CAF_REQUIRE(c.apply("s1", 2, op_kind::put, put_bytes("k", "7")));
  CAF_CHECK_EQUAL(store.bytes(), bytes_of(c.get("s1").value()));
}

CAF_TEST(an ended session leaves a tombstone until that is expired) {
  CAF_REQUIRE(c.create("s1"));
  CAF_REQUIRE(c.apply("s1", 2, op_kind::put, put_bytes("k", std::string(1000, '1'))));
  CAF_REQUIRE(c.apply("s1", 3, op_kind::end, end_bytes("killed", 5000)));
  CAF_CHECK_EQUAL(store.size(), 0u);
  const auto bucket = bucket_of("s1");
  CAF_CHECK(c.scan(bucket, "", 10).empty());
  const auto tombstone = c.get("s1");
  CAF_REQUIRE(tombstone.has_value());
  CAF_CHECK(tombstone->ended);
  CAF_CHECK_EQUAL(store.bytes(), bytes_of(*tombstone));
  CAF_CHECK(c.apply("s1", 4, op_kind::touch, touch_bytes(1)).error().code == errc::conflict);
  CAF_CHECK(c.create("s1").error().code == errc::conflict);
  CAF_CHECK(c.get("s1")->ended);
  CAF_CHECK_EQUAL(store.size(), 0u);
  CAF_CHECK(c.expire(bucket, 5000).empty());
  CAF_CHECK(c.get("s1").has_value());
  CAF_CHECK(c.expire(bucket, 5001).empty());
  CAF_CHECK(c.get("s1").error().code == errc::not_found);
  CAF_CHECK_EQUAL(store.bytes(), 0u);
}

CAF_TEST(a batch that fails half way leaves everything as it was) {
  CAF_REQUIRE(c.create("s1"));
  CAF_REQUIRE(c.apply("s1", 2, op_kind::put, put_bytes("k", "1")));
  const auto before = c.get("s1").value();
  const auto bytes = store.bytes();
  auto done = c.apply({make("s1", 3, op_kind::put, put_bytes("k", "2")),
                       make("s1", 4, op_kind::outbound, outbound_bytes("s", "hello")),
                       make("s1", 5, op_kind::put, "garbage")});
  CAF_CHECK(done.error().code == errc::invalid);
  CAF_CHECK(c.get("s1").value() == before);
  CAF_CHECK_EQUAL(store.bytes(), bytes);
  done = c.apply({make("s2", 1, op_kind::create, create_bytes("", 1)), make("s2", 3, op_kind::touch, "")});
  CAF_CHECK(!done);
  CAF_CHECK(c.get("s2").error().code == errc::not_found);
  CAF_CHECK_EQUAL(store.size(), 1u);
  CAF_CHECK_EQUAL(store.bytes(), bytes);
}

CAF_TEST(what a summary says is what the record says) {
  CAF_REQUIRE(c.create("s1", 1234));
  CAF_REQUIRE(c.apply("s1", 2, op_kind::touch, touch_bytes(2345)));
  CAF_REQUIRE(c.apply("s1", 3, op_kind::protocol,
                      protocol_bytes({mcp::change_kind::client_info, R"({"name":"n"})"})));
  store.scan(bucket_of("s1"), "", 1, [&](result<std::vector<session_summary>> r) {
    CAF_REQUIRE_EQUAL(r->size(), 1u);
    const auto& s = r->front();
    CAF_CHECK_EQUAL(s.id, "s1");
    CAF_CHECK_EQUAL(s.principal, "alice");
    CAF_CHECK_EQUAL(s.client_info, R"({"name":"n"})");
    CAF_CHECK_EQUAL(s.created_ms, 1234);
    CAF_CHECK_EQUAL(s.last_active_ms, 2345);
    CAF_CHECK_EQUAL(s.bytes, store.bytes());
  });
}

CAF_TEST_FIXTURE_SCOPE_END()

CAF_TEST(bytes are bounded and what shrinks always works) {
  memory_store store{1000, 20'000};
  client c{store};
  CAF_REQUIRE(c.create("s1"));
  std::uint64_t seq = 1;
  const auto run = [&](op_kind kind, std::string bytes) {
    auto done = c.apply("s1", seq + 1, kind, std::move(bytes));
    seq += done ? 1 : 0;
    return done;
  };
  CAF_REQUIRE(run(op_kind::outbound, outbound_bytes("s", std::string(2000, 'x'))));
  CAF_REQUIRE(run(op_kind::put, put_bytes("first", std::string(3000, '1'))));
  for (int i = 0; i < 100; ++i)
    if (!run(op_kind::put, put_bytes("k" + std::to_string(i), std::string(500, '1'))))
      break;
  CAF_CHECK(store.bytes() <= 20'000u);
  CAF_CHECK(store.bytes() > 18'000u);
  const auto full = store.bytes();
  CAF_CHECK(run(op_kind::put, put_bytes("more", std::string(1900, '1'))).error().code == errc::overloaded);
  CAF_CHECK(run(op_kind::outbound, outbound_bytes("", std::string(1900, '1'))).error().code ==
            errc::overloaded);
  memory_store small{1000, 100};
  CAF_CHECK(client{small}.create("s2").error().code == errc::overloaded);
  CAF_CHECK_EQUAL(small.size(), 0u);
  CAF_CHECK_EQUAL(store.bytes(), full);
  // In one batch, what is freed first may be used.
  CAF_CHECK(c.apply({make("s1", seq + 1, op_kind::trim, trim_bytes(1)),
                     make("s1", seq + 2, op_kind::outbound, outbound_bytes("s", std::string(2000, 'y')))})
                .has_value());
  seq += 2;
  CAF_CHECK_EQUAL(store.bytes(), full);
  CAF_CHECK(run(op_kind::put, put_bytes("first", std::string(3000, '2'))).has_value());
  CAF_CHECK(run(op_kind::touch, touch_bytes(1)).has_value());
  CAF_CHECK(run(op_kind::remove, remove_bytes("k0")).has_value());
  CAF_CHECK(store.bytes() < full);
  CAF_CHECK(run(op_kind::trim, trim_bytes(99)).has_value());
  // A last word does not keep a session from its end.
  CAF_CHECK(c.apply({make("s1", seq + 1, op_kind::outbound, outbound_bytes("s", std::string(20'000, 'z'))),
                     make("s1", seq + 2, op_kind::end, end_bytes("", 1))})
                .has_value());
  CAF_CHECK_EQUAL(store.bytes(), bytes_of(c.get("s1").value()));
}

// Batches against the plain way of doing it: on a copy, which is thrown away when an operation fails.
CAF_TEST(random batches do all or nothing) {
  std::mt19937 random{5};
  for (int round = 0; round < 200; ++round) {
    memory_store store{10, round % 2 == 0 ? plenty : 4000};
    client c{store};
    session_record expected;
    const auto first = make("a-session-with-a-longer-id", 1, op_kind::create, create_bytes("me", 1));
    CAF_REQUIRE(c.apply({first}).has_value());
    CAF_REQUIRE(apply(expected, first).has_value());
    for (int i = 0; i < 60; ++i) {
      std::vector<operation> batch;
      auto copy = expected;
      result<void> wanted;
      for (auto n = 1 + random() % 5; n > 0; --n) {
        batch.push_back(any_operation(random, expected, expected.seq + 1 + batch.size()));
        if (wanted)
          wanted = apply(copy, batch.back());
      }
      const auto done = c.apply(batch);
      CAF_REQUIRE(!done || wanted);
      CAF_REQUIRE(done || !wanted || done.error().code == errc::overloaded);
      CAF_REQUIRE(done || round % 2 == 1 || !wanted);
      if (done)
        expected = std::move(copy);
      CAF_REQUIRE(c.get(first.session).value() == expected);
      CAF_REQUIRE_EQUAL(store.bytes(), bytes_of(expected));
      CAF_REQUIRE_EQUAL(store.size(), expected.ended ? 0u : 1u);
    }
  }
}

CAF_TEST(threads that work on their own sessions do not disturb each other) {
  constexpr int threads = 4;
  constexpr int sessions = 50;
  memory_store store{threads * sessions, plenty};
  std::atomic<int> faults{0};
  std::vector<std::thread> crew;
  for (int t = 0; t < threads; ++t)
    crew.emplace_back([&store, &faults, t] {
      client c{store};
      for (int i = 0; i < sessions; ++i) {
        const auto id = std::to_string(t) + "-" + std::to_string(i);
        faults += !c.create(id);
        for (std::uint64_t n = 2; n < 20; ++n)
          faults += !c.apply(id, n, op_kind::put, put_bytes("k" + std::to_string(n % 5), std::to_string(n)));
        if (i % 2 == 0)
          faults += !c.apply(id, 20, op_kind::end, end_bytes("", 1));
        c.scan(bucket_of(id), "", 100);
        c.expire(static_cast<std::uint32_t>(i), 0);
      }
    });
  for (auto& thread : crew)
    thread.join();
  CAF_CHECK_EQUAL(faults.load(), 0);
  CAF_CHECK_EQUAL(store.size(), static_cast<std::uint64_t>(threads * sessions / 2));
  client c{store};
  std::uint64_t bytes = 0;
  for (int t = 0; t < threads; ++t)
    for (int i = 0; i < sessions; ++i)
      bytes += bytes_of(c.get(std::to_string(t) + "-" + std::to_string(i)).value());
  CAF_CHECK_EQUAL(store.bytes(), bytes);
}
