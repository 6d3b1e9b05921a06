#pragma once
// The tests that every coordinator passes. The test file of a backend includes this header behind CAF's and
// has defined before `std::unique_ptr<coordinator> make_coordinator(boost::asio::io_context&)`.

#include <memory>
#include <string>
#include <vector>

#include "cluster/runtime/coordinator/test_loop.hpp"

namespace cafmcp::cluster::test {

namespace {  // each backend has one of its own

/// A coordinator, and a prefix that nobody else uses.
struct suite_fixture : loop {
  std::unique_ptr<coordinator> c = make_coordinator(io);
  asker ask{*this, *c};
  std::string p = [] {
    static int count = 0;
    return "suite/" + std::to_string(++count) + '/';
  }();

  /// Adds one to a number, whoever else does.
  void increment(int times, int& running) {
    if (times == 0) {
      --running;
      return;
    }
    c->read(p + "n", 10s, [this, times, &running](result<snapshot> now) {
      CAF_REQUIRE(now.has_value());
      const bool there = !now->facts.empty();
      const auto next = there ? std::stoi(now->facts[0].value) + 1 : 1;
      const auto seen = there ? now->facts[0].modified : 0;
      c->commit({{{p + "n", seen}}, {put(p + "n", std::to_string(next))}}, 10s,
                [this, times, &running](transaction_result r) {
                  CAF_CHECK(r.what == outcome::done || r.what == outcome::refused);
                  refusals += r.what == outcome::refused ? 1 : 0;
                  increment(r.what == outcome::done ? times - 1 : times, running);
                });
    });
  }
  int refusals = 0;
};

}  // namespace

}  // namespace cafmcp::cluster::test

namespace cafmcp::cluster {

CAF_TEST_FIXTURE_SCOPE(coordinator_suite, test::suite_fixture)

using test::erase;
using test::put;
using test::operator""ms;
using test::operator""s;

CAF_TEST(suite : a fact comes and changes and goes) {
  const auto made = ask.commit({{{p + "a", 0}}, {put(p + "a", "1")}});
  CAF_REQUIRE(made.what == outcome::done);
  CAF_CHECK(ask.get(p + "a") == (fact{p + "a", "1", made.at, made.at}));
  CAF_CHECK(ask.commit({{{p + "a", 0}}, {put(p + "a", "2")}}).what == outcome::refused);
  CAF_CHECK(ask.commit({{{p + "a", made.at + 1}}, {put(p + "a", "2")}}).what == outcome::refused);
  CAF_CHECK(ask.get(p + "a")->value == "1");
  const auto changed = ask.commit({{{p + "a", made.at}}, {put(p + "a", "2")}});
  CAF_REQUIRE(changed.what == outcome::done);
  CAF_CHECK(changed.at > made.at);
  CAF_CHECK(ask.get(p + "a") == (fact{p + "a", "2", made.at, changed.at}));
  CAF_CHECK(ask.commit({{{p + "a", made.at}}, {erase(p + "a")}}).what == outcome::refused);
  const auto erased = ask.commit({{{p + "a", changed.at}}, {erase(p + "a")}});
  CAF_CHECK(erased.what == outcome::done && erased.at > changed.at);
  CAF_CHECK(!ask.get(p + "a"));
  CAF_CHECK(ask.read(p)->at == erased.at);
  // Nothing to erase: it is done, and nothing has changed.
  const auto nothing = ask.commit({{{p + "a", 0}}, {erase(p + "a")}});
  CAF_CHECK(nothing.what == outcome::done && nothing.at == erased.at);
  const auto again = ask.commit({{{p + "a", 0}}, {put(p + "a", "")}});
  CAF_CHECK(ask.get(p + "a") == (fact{p + "a", "", again.at, again.at}));
}

CAF_TEST(suite : a transaction is all or nothing) {
  const auto a = ask.commit({{}, {put(p + "a", "1"), put(p + "b", "1")}});
  CAF_REQUIRE(a.what == outcome::done);
  const auto refused = ask.commit({{{p + "a", a.at}, {p + "b", a.at}, {p + "c", a.at}},
                                   {put(p + "a", "2"), put(p + "c", "2"), erase(p + "b")}});
  CAF_CHECK(refused.what == outcome::refused);
  auto now = ask.read(p);
  CAF_REQUIRE(now && now->facts.size() == 2);
  CAF_CHECK(now->facts[0].value == "1" && now->at == a.at);
  const auto done = ask.commit({{{p + "a", a.at}, {p + "b", a.at}, {p + "c", 0}},
                                {put(p + "a", "2"), put(p + "c", "2"), erase(p + "b")}});
  CAF_REQUIRE(done.what == outcome::done);
  now = ask.read(p);
  CAF_REQUIRE(now && now->facts.size() == 2);
  CAF_CHECK(now->facts[0] == (fact{p + "a", "2", a.at, done.at}));
  CAF_CHECK(now->facts[1] == (fact{p + "c", "2", done.at, done.at}));
}

CAF_TEST(suite : a transaction may be large) {
  transaction t;
  while (t.when.size() + t.then.size() < max_transaction) {
    const auto key = p + std::to_string(t.then.size());
    t.when.push_back({key, 0});
    t.then.push_back(put(key, std::string(1000, 'x')));
  }
  CAF_CHECK(ask.commit(t).what == outcome::done);
  CAF_CHECK(ask.read(p)->facts.size() == max_transaction / 2);
}

CAF_TEST(suite : what is read is what is under the prefix by key) {
  const std::string high = "\xff\xff";
  const std::string zero{"\0a\0", 3};
  CAF_REQUIRE(ask.commit({{},
                          {put(p + "b" + high, zero + high), put(p + "b", "1"), put(p + "b" + zero, high),
                           put(p + "c", "no"), put(p + "a" + high, "no"), put(p + "ba", "2")}})
                  .what == outcome::done);
  const auto b = ask.read(p + "b");
  CAF_REQUIRE(b && b->facts.size() == 4);
  CAF_CHECK_EQUAL(b->facts[0].key, p + "b");
  CAF_CHECK_EQUAL(b->facts[1].key, p + "b" + zero);
  CAF_CHECK_EQUAL(b->facts[1].value, high);
  CAF_CHECK_EQUAL(b->facts[2].key, p + "ba");
  CAF_CHECK_EQUAL(b->facts[3].key, p + "b" + high);
  CAF_CHECK_EQUAL(b->facts[3].value, zero + high);
  CAF_CHECK(ask.read(p + "b\xff")->facts.size() == 1U);
  CAF_CHECK(ask.read("")->facts.size() >= 6);
  CAF_CHECK(ask.read(p + "nothing")->facts.empty());
}

CAF_TEST(suite : those who compare what they have read lose no update) {
  constexpr int writers = 8;
  constexpr int times = 12;
  int running = writers;
  for (int i = 0; i < writers; ++i)
    increment(times, running);
  CAF_REQUIRE(until([&] { return running == 0; }, 30s));
  CAF_CHECK(ask.get(p + "n")->value == std::to_string(writers * times));
  CAF_CHECK(refusals > 0);
}

CAF_TEST(suite : a watch tells of everything and then of every change in order) {
  const auto before = ask.commit({{}, {put(p + "old", "1")}});
  test::recorder seen{*c, p};
  test::recorder narrow{*c, p + "n"};
  CAF_REQUIRE(until([&] { return seen.contact() && narrow.contact(); }));
  CAF_CHECK(seen.first.at >= before.at);
  CAF_REQUIRE(seen.first.facts.size() == 1);
  CAF_CHECK(seen.first.facts[0] == (fact{p + "old", "1", before.at, before.at}));
  CAF_CHECK(narrow.first.facts.empty());
  std::vector<std::string> values;
  for (int i = 0; i < 50; ++i) {
    values.push_back(std::to_string(i));
    CAF_REQUIRE(ask.commit({{}, {put(p + "n", values.back()), put(p + "m", values.back())}}).what ==
                outcome::done);
    if (i % 10 == 9) {
      values.emplace_back("-");
      CAF_REQUIRE(ask.commit({{}, {erase(p + "n")}}).what == outcome::done);
    }
  }
  const auto last = ask.commit({{}, {put(p + "n", "end"), erase(p + "old")}});
  values.emplace_back("end");
  CAF_REQUIRE(until([&] { return seen.mirror.at() == last.at && narrow.mirror.at() == last.at; }));
  CAF_CHECK(seen.values_of(p + "n") == values);
  CAF_CHECK(narrow.values_of(p + "n") == values);
  CAF_CHECK_EQUAL(narrow.events.size(), values.size());
  CAF_CHECK_EQUAL(seen.snapshots, 1);
  CAF_CHECK(seen.contacts == std::vector<bool>{true});
  const auto now = ask.read(p);
  CAF_REQUIRE(now->facts.size() == seen.mirror.all().size());
  for (const auto& f : now->facts)
    CAF_CHECK(*seen.mirror.find(f.key) == f);
}

CAF_TEST(suite : a watch that was let go of tells nothing) {
  test::recorder seen{*c, p};
  test::recorder other{*c, p};
  seen.handle.reset();
  CAF_REQUIRE(until([&] { return other.contact(); }));
  CAF_CHECK_EQUAL(seen.snapshots, 0);
  // From within its own handler, too.
  auto handle = std::make_shared<std::shared_ptr<void>>();
  int told = 0;
  const auto let_go = [handle, &told] {
    ++told;
    handle->reset();
  };
  *handle = c->watch(p, {[&](const snapshot&) {}, [let_go](const auto&) { let_go(); }});
  auto in_snapshot = std::make_shared<std::shared_ptr<void>>();
  *in_snapshot = c->watch(
      p, {[in_snapshot](const snapshot&) { in_snapshot->reset(); },
          [](const auto&) { CAF_ERROR("told of a change"); }, [](bool) { CAF_ERROR("told of contact"); }});
  CAF_REQUIRE(until([&] { return !*in_snapshot; }));
  for (int i = 0; i < 3; ++i)
    CAF_REQUIRE(ask.commit({{}, {put(p + "a", std::to_string(i))}}).what == outcome::done);
  CAF_REQUIRE(until([&] { return told == 1 && other.events.size() == 3; }));
  CAF_CHECK_EQUAL(told, 1);
  CAF_CHECK_EQUAL(seen.snapshots, 0);
}

CAF_TEST(suite : whoever destroys a coordinator hears nothing more) {
  const auto must_not = [](const auto&) { CAF_ERROR("an answer"); };
  test::recorder seen{*c, p};
  CAF_REQUIRE(until([&] { return seen.contact(); }));
  auto other = test::make_coordinator(io);
  other->read(p, 1s, must_not);
  other->commit({{}, {put(p + "a", "1")}}, 1s, must_not);
  const auto watch = other->watch(p, {must_not, must_not});
  other.reset();
  settle();
  // It may happen all the same, or not.
  CAF_CHECK(ask.commit({{}, {put(p + "b", "1")}}).what == outcome::done);
  CAF_CHECK(until([&] { return seen.mirror.find(p + "b") != nullptr; }));
}

CAF_TEST_FIXTURE_SCOPE_END()

}  // namespace cafmcp::cluster
