#pragma once
// The tests that every store passes. The test file of a backend includes this header behind CAF's and has
// defined before `std::shared_ptr<session_store> make_store(std::uint64_t max_sessions)`: an empty store with
// room for that many sessions and plenty of bytes, which waits for what it is told to keep.

#include <atomic>
#include <random>
#include <thread>

#include "persistence/store_client.hpp"

namespace cafmcp::persistence::testing {

// Some operation, mostly one that can be carried out.
inline operation any_operation(std::mt19937& random, const session_record& r, std::uint64_t seq) {
  const auto key = "key-" + std::to_string(random() % 8);
  const auto kinds = random() % 9;
  if (random() % 12 == 0)
    seq += random() % 3;
  const auto protocol = [&](mcp::change_kind kind, std::string bytes) {
    return make(r.id, seq, op_kind::protocol, protocol_bytes({kind, std::move(bytes)}));
  };
  switch (kinds) {
    case 0:
      return make(r.id, seq, op_kind::remove, remove_bytes(key));
    case 1:
    case 2:
      return make(r.id, seq, op_kind::outbound, outbound_bytes("stream", std::string(random() % 90, 'm')));
    case 3:
      return make(r.id, seq, op_kind::trim, trim_bytes(random() % (r.last_outbound + 3)));
    case 4:
      return make(r.id, seq, op_kind::touch, touch_bytes(random() % 100'000));
    case 5:
      return protocol(random() % 2 == 0 ? mcp::change_kind::subscribe : mcp::change_kind::unsubscribe,
                      "file:///a/long/uri/" + key);
    case 6:
      return protocol(mcp::change_kind::client_info,
                      R"({"name":")" + std::string(random() % 50, 'n') + "\"}");
    case 7:
      if (random() % 20 == 0)
        return make(r.id, seq, op_kind::end, end_bytes("random", 7));
      [[fallthrough]];
    default:
      return make(r.id, seq, op_kind::put, put_bytes(key, std::string(random() % 200, '1')));
  }
}

struct suite_fixture {
  std::shared_ptr<session_store> store = make_store(10);
  client c{*store};
};

}  // namespace cafmcp::persistence::testing

namespace cafmcp::persistence {

CAF_TEST_FIXTURE_SCOPE(store_suite, testing::suite_fixture)

using testing::client;
using testing::make;

CAF_TEST(suite : a session is made and changed and found again) {
  CAF_CHECK(c.get("s1").error().code == errc::not_found);
  CAF_CHECK(c.apply("s1", 1, op_kind::put, put_bytes("k", "1")).error().code == errc::conflict);
  CAF_CHECK(c.get("s1").error().code == errc::not_found);
  CAF_REQUIRE(c.create("s1"));
  CAF_REQUIRE(c.apply("s1", 2, op_kind::put, put_bytes("k", "7")));
  const auto r = c.get("s1");
  CAF_REQUIRE(r.has_value());
  CAF_CHECK_EQUAL(r->principal, "alice");
  CAF_CHECK_EQUAL(r->user.at("k"), "7");
  CAF_CHECK_EQUAL(r->seq, 2u);
  CAF_CHECK_EQUAL(store->size(), 1u);
}

CAF_TEST(suite : an ended session leaves a tombstone until that is expired) {
  CAF_REQUIRE(c.create("s1"));
  CAF_REQUIRE(c.apply("s1", 2, op_kind::put, put_bytes("k", std::string(1000, '1'))));
  CAF_REQUIRE(c.apply("s1", 3, op_kind::end, end_bytes("killed", 5000)));
  CAF_CHECK_EQUAL(store->size(), 0u);
  const auto bucket = bucket_of("s1");
  CAF_CHECK(c.scan(bucket, "", 10).empty());
  const auto tombstone = c.get("s1");
  CAF_REQUIRE(tombstone.has_value());
  CAF_CHECK(tombstone->ended);
  CAF_CHECK(tombstone->user.empty());
  CAF_CHECK(c.apply("s1", 4, op_kind::touch, touch_bytes(1)).error().code == errc::conflict);
  CAF_CHECK(c.create("s1").error().code == errc::conflict);
  CAF_CHECK(c.get("s1")->ended);
  CAF_CHECK_EQUAL(store->size(), 0u);
  CAF_CHECK(c.expire(bucket, 5000).empty());
  CAF_CHECK(c.get("s1").has_value());
  CAF_CHECK(c.expire(bucket, 5001).empty());
  CAF_CHECK(c.get("s1").error().code == errc::not_found);
  CAF_CHECK(c.create("s1").has_value());
  CAF_CHECK_EQUAL(store->size(), 1u);
}

CAF_TEST(suite : a batch that fails half way leaves everything as it was) {
  CAF_REQUIRE(c.create("s1"));
  CAF_REQUIRE(c.apply("s1", 2, op_kind::put, put_bytes("k", "1")));
  const auto before = c.get("s1").value();
  auto done = c.apply({make("s1", 3, op_kind::put, put_bytes("k", "2")),
                       make("s1", 4, op_kind::outbound, outbound_bytes("s", "hello")),
                       make("s1", 5, op_kind::put, "garbage")});
  CAF_CHECK(done.error().code == errc::invalid);
  CAF_CHECK(c.get("s1").value() == before);
  done = c.apply({make("s2", 1, op_kind::create, create_bytes("", 1)), make("s2", 3, op_kind::touch, "")});
  CAF_CHECK(!done);
  CAF_CHECK(c.get("s2").error().code == errc::not_found);
  CAF_CHECK_EQUAL(store->size(), 1u);
  CAF_CHECK(c.apply("s1", 3, op_kind::put, put_bytes("k", "3")).has_value());
}

CAF_TEST(suite : a batch is of one session and names its bucket) {
  CAF_CHECK(c.apply({}).error().code == errc::invalid);
  CAF_CHECK(c.apply({make("s1", 1, op_kind::create, create_bytes("", 1)),
                     make("s2", 2, op_kind::touch, touch_bytes(1))})
                .error()
                .code == errc::invalid);
  auto op = make("s1", 1, op_kind::create, create_bytes("", 1));
  op.bucket = (op.bucket + 1) % bucket_count;
  CAF_CHECK(c.apply({op}).error().code == errc::invalid);
  CAF_CHECK_EQUAL(store->size(), 0u);
}

CAF_TEST(suite : there are no more sessions than allowed) {
  for (int i = 0; i < 10; ++i)
    CAF_REQUIRE(c.create("s" + std::to_string(i)));
  const auto refused = c.create("one more");
  CAF_REQUIRE(!refused);
  CAF_CHECK(refused.error().code == errc::overloaded);
  CAF_CHECK(c.get("one more").error().code == errc::not_found);
  CAF_CHECK_EQUAL(store->size(), 10u);
  CAF_CHECK(!c.create("s3"));
  CAF_CHECK_EQUAL(store->size(), 10u);
  CAF_REQUIRE(c.apply("s3", 2, op_kind::end, end_bytes("", 1)));
  CAF_CHECK(c.create("one more").has_value());
  CAF_CHECK_EQUAL(store->size(), 10u);
}

CAF_TEST(suite : sessions of a bucket come in pages) {
  const auto ids = testing::ids_in(7, 9);
  for (const auto& id : ids)
    CAF_REQUIRE(c.create(id));
  CAF_REQUIRE(c.apply(ids[4], 2, op_kind::end, end_bytes("", 1)));
  auto left = ids;
  left.erase(left.begin() + 4);
  for (const std::size_t page : {1u, 3u, 4u, 8u, 100u})
    CAF_CHECK(c.scan_all(7, page) == left);
  CAF_CHECK(c.scan(7, c.scan(7, "", 8).back(), 3).empty());
  CAF_CHECK_EQUAL(c.scan(7, "", 0).size(), 1u);
  CAF_CHECK(c.scan(8, "", 100).empty());
  CAF_CHECK(c.summaries(bucket_count, "", 1).error().code == errc::invalid);
  CAF_CHECK(c.idle(bucket_count, 1, 1).error().code == errc::invalid);
}

CAF_TEST(suite : what a summary says is what the record says) {
  CAF_REQUIRE(c.create("s1", 1234));
  CAF_REQUIRE(c.apply("s1", 2, op_kind::touch, touch_bytes(2345)));
  CAF_REQUIRE(c.apply("s1", 3, op_kind::protocol,
                      protocol_bytes({mcp::change_kind::client_info, R"({"name":"n"})"})));
  const auto found = c.summaries(bucket_of("s1"), "", 1);
  CAF_REQUIRE(found && found->size() == 1);
  const auto& s = found->front();
  CAF_CHECK_EQUAL(s.id, "s1");
  CAF_CHECK_EQUAL(s.principal, "alice");
  CAF_CHECK_EQUAL(s.client_info, R"({"name":"n"})");
  CAF_CHECK_EQUAL(s.created_ms, 1234);
  CAF_CHECK_EQUAL(s.last_active_ms, 2345);
  CAF_CHECK_EQUAL(s.bytes, bytes_of(c.get("s1").value()));
}

CAF_TEST(suite : old sessions are found and not ended) {
  const auto ids = testing::ids_in(3, 5);
  for (std::size_t i = 0; i < ids.size(); ++i)
    CAF_REQUIRE(c.create(ids[i], 1000 * static_cast<std::int64_t>(i)));
  CAF_CHECK(c.expire(3, 3000) == std::vector(ids.begin(), ids.begin() + 3));
  CAF_CHECK_EQUAL(c.expire(3, 3000, 2).size(), 2u);
  CAF_REQUIRE(c.apply(ids[1], 2, op_kind::touch, touch_bytes(9000)));
  CAF_REQUIRE(c.apply(ids[2], 2, op_kind::put, put_bytes("k", "1")));
  CAF_CHECK(c.expire(3, 3000) == (std::vector{ids[0], ids[2]}));
  for (const auto& old : c.idle(3, 3000, 100).value()) {
    const auto record = c.get(old.id).value();
    CAF_CHECK_EQUAL(old.seq, record.seq);
    CAF_CHECK_EQUAL(old.epoch, record.epoch);
    CAF_CHECK_EQUAL(old.last_active_ms, record.last_active_ms);
  }
  CAF_CHECK(c.expire(4, 3000).empty());
  CAF_CHECK_EQUAL(store->size(), 5u);
}

CAF_TEST(suite: batches that are not waited for are carried out in their order) {
  std::vector<testing::pending<void>> answers;
  answers.push_back(c.start({make("s1", 1, op_kind::create, create_bytes("", 1))}));
  for (std::uint64_t n = 2; n <= 200; ++n)
    answers.push_back(c.start({n % 3 == 0 ? make("s1", n, op_kind::touch, touch_bytes(n))
                                          : make("s1", n, op_kind::put, put_bytes("k", std::to_string(n)))}));
  const auto now = c.get("s1");  // sees what was asked for before
  CAF_REQUIRE(now.has_value());
  CAF_CHECK_EQUAL(now->seq, 200u);
  CAF_CHECK_EQUAL(now->user.at("k"), "200");
  CAF_CHECK_EQUAL(c.scan(bucket_of("s1"), "", 10).size(), 1u);
  for (auto& answer : answers)
    CAF_CHECK(answer.wait().has_value());
}

CAF_TEST(suite : one that is refused does not touch what comes with it) {
  std::vector<testing::pending<void>> answers;
  for (int i = 0; i < 8; ++i)
    answers.push_back(
        c.start({make("s" + std::to_string(i), i == 3 ? 2u : 1u, op_kind::create, create_bytes("", 1))}));
  for (std::size_t i = 0; i < answers.size(); ++i)
    CAF_CHECK_EQUAL(answers[i].wait().has_value(), i != 3);
  CAF_CHECK_EQUAL(store->size(), 7u);
}

// Batches against the plain way of doing it: on a copy, which is thrown away when an operation fails.
CAF_TEST(suite : random batches do all or nothing) {
  std::mt19937 random{5};
  const auto many = make_store(1000);
  client all{*many};
  for (int round = 0; round < 40; ++round) {
    session_record expected;
    const auto first = make("a-session-with-a-longer-id-" + std::to_string(round), 1, op_kind::create,
                            create_bytes("me", 1));
    CAF_REQUIRE(all.apply({first}).has_value());
    CAF_REQUIRE(persistence::apply(expected, first).has_value());
    for (int turn = 0; turn < 10; ++turn) {
      std::vector<std::pair<testing::pending<void>, bool>> answers;
      for (int i = 0; i < 6; ++i) {
        std::vector<operation> batch;
        auto copy = expected;
        result<void> wanted;
        for (auto n = 1 + random() % 5; n > 0; --n) {
          batch.push_back(testing::any_operation(random, expected, expected.seq + 1 + batch.size()));
          if (wanted)
            wanted = persistence::apply(copy, batch.back());
        }
        answers.emplace_back(all.start(std::move(batch)), wanted.has_value());
        if (wanted)
          expected = std::move(copy);
      }
      CAF_REQUIRE(all.get(first.session).value() == expected);
      for (auto& [answer, wanted] : answers)
        CAF_REQUIRE_EQUAL(answer.wait().has_value(), wanted);
    }
  }
}

CAF_TEST(suite : threads that work on their own sessions do not disturb each other) {
  constexpr int threads = 4;
  constexpr int sessions = 20;
  const auto many = make_store(threads * sessions);
  std::atomic<int> faults{0};
  std::vector<std::thread> crew;
  for (int t = 0; t < threads; ++t)
    crew.emplace_back([&many, &faults, t] {
      client mine{*many};
      for (int i = 0; i < sessions; ++i) {
        const auto id = std::to_string(t) + "-" + std::to_string(i);
        std::vector<testing::pending<void>> answers;
        answers.push_back(mine.start({make(id, 1, op_kind::create, create_bytes("", 1))}));
        for (std::uint64_t n = 2; n < 20; ++n)
          answers.push_back(mine.start(
              {make(id, n, op_kind::put, put_bytes("k" + std::to_string(n % 5), std::to_string(n)))}));
        if (i % 2 == 0)
          answers.push_back(mine.start({make(id, 20, op_kind::end, end_bytes("", 1))}));
        mine.scan(bucket_of(id), "", 100);
        mine.expire(static_cast<std::uint32_t>(i), 0);
        for (auto& answer : answers)
          faults += !answer.wait();
      }
    });
  for (auto& thread : crew)
    thread.join();
  CAF_CHECK_EQUAL(faults.load(), 0);
  CAF_CHECK_EQUAL(many->size(), static_cast<std::uint64_t>(threads * sessions / 2));
}

CAF_TEST_FIXTURE_SCOPE_END()

}  // namespace cafmcp::persistence
