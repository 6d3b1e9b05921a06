#define CAF_SUITE etcd_faults

#include "cluster/runtime/coordinator/etcd_coordinator.hpp"

#include "tests/unit/caf_test.hpp"

#include "cluster/runtime/coordinator/test_etcd.hpp"
#include "cluster/runtime/coordinator/test_proxy.hpp"

namespace cafmcp::cluster {

using namespace std::chrono_literals;
using test::put;

namespace {

/// Three members for the whole suite.
test::etcd_processes& members() {
  static test::etcd_processes etcd{{.members = 3}};
  return etcd;
}

/// Adds one to a number for as long as it is asked to, and finds out by reading what has become of an
/// addition of which it has heard nothing.
class counter {
 public:
  counter(coordinator& c, std::string key) : c_(c), key_(std::move(key)) { next(); }

  void end() { ending_ = true; }
  bool ended() const { return ended_; }
  int done() const { return done_; }
  int in_doubt() const { return in_doubt_; }

 private:
  void next() {
    if (ending_) {
      ended_ = true;
      return;
    }
    c_.read(key_, 2s, [this](result<snapshot> now) {
      if (!now)
        return next();
      const auto there = !now->facts.empty();
      const auto value = there ? std::stoi(now->facts[0].value) : 0;
      c_.commit({{{key_, there ? now->facts[0].modified : 0}}, {put(key_, std::to_string(value + 1))}}, 1s,
                [this](transaction_result r) {
                  done_ += r.what == outcome::done ? 1 : 0;
                  in_doubt_ += r.what == outcome::unknown ? 1 : 0;
                  next();
                });
    });
  }

  coordinator& c_;
  const std::string key_;
  bool ending_ = false;
  bool ended_ = false;
  int done_ = 0;
  int in_doubt_ = 0;
};

struct fixture : test::loop {
  test::etcd_processes& etcd = members();
  std::unique_ptr<coordinator> c = test::must_make(io, etcd.options());
  test::asker ask{*this, *c};
  std::string p = [] {
    static int count = 0;
    return "faults/" + std::to_string(++count) + '/';
  }();

  fixture() {
    for (std::size_t i = 0; i < etcd.size(); ++i)
      if (!etcd[i].running())
        etcd[i].start();
    for (std::size_t i = 0; i < etcd.size(); ++i)
      CAF_REQUIRE(serves(i));
  }

  bool serves(std::size_t i) { return test::serves(*this, *test::must_make(io, etcd.options(i))); }

  std::size_t leader() {
    std::optional<std::size_t> found;
    CAF_REQUIRE(until([&] { return (found = test::leader_of(*this, etcd)).has_value(); }));
    return *found;
  }

  /// Two who count over `way`, and one who watches over it, while `trouble` makes trouble; it is given a
  /// function that waits until some more has been counted, and one that waits until the watch is up to date.
  template <class F>
  void count_through(const etcd_options& way, F trouble) {
    const auto over = test::must_make(io, way);
    const auto other = test::must_make(io, way);
    test::recorder seen{*over, p};
    CAF_REQUIRE(until([&] { return seen.contact(); }));
    counter a{*over, p + "n"};
    counter b{*other, p + "n"};
    trouble(
        [&] {
          const auto before = a.done() + b.done();
          CAF_REQUIRE(until([&] { return a.done() + b.done() > before + 15; }));
        },
        [&] { CAF_REQUIRE(until([&] { return seen.contact(); })); });
    a.end();
    b.end();
    CAF_REQUIRE(until([&] { return a.ended() && b.ended(); }));
    const auto last = ask.get(p + "n");
    CAF_REQUIRE(last.has_value());
    const auto total = std::stoi(last->value);
    CAF_MESSAGE("counted " << total << ", in doubt " << a.in_doubt() + b.in_doubt());
    // None lost, none twice.
    CAF_CHECK(total >= a.done() + b.done());
    CAF_CHECK(total <= a.done() + b.done() + a.in_doubt() + b.in_doubt());
    CAF_REQUIRE(until([&] { return seen.mirror.at() >= last->modified; }));
    std::vector<std::string> expected;
    for (int i = 1; i <= total; ++i)
      expected.push_back(std::to_string(i));
    CAF_CHECK(seen.values_of(p + "n") == expected);
    CAF_CHECK_EQUAL(seen.snapshots, 1);
  }
};

}  // namespace

CAF_TEST_FIXTURE_SCOPE(etcd_faults, fixture)

CAF_TEST(nothing is lost or missed while members die and come back) {
  count_through(etcd.options(), [&](auto count_on, auto) {
    for (std::size_t i = 0; i < etcd.size(); ++i) {
      count_on();
      etcd[i].kill();
      count_on();
      etcd[i].start();
      CAF_REQUIRE(serves(i));
    }
    count_on();
  });
}

CAF_TEST(nothing is lost or missed while leaders hang) {
  count_through(etcd.options(), [&](auto count_on, auto) {
    for (int i = 0; i < 2; ++i) {
      count_on();
      const auto hung = leader();
      etcd[hung].stop();
      count_on();
      etcd[hung].go_on();
      CAF_REQUIRE(serves(hung));
    }
    count_on();
  });
}

CAF_TEST(nothing is lost or missed while connections are cut) {
  std::vector<std::unique_ptr<test::test_proxy>> ways;
  auto options = etcd.options();
  for (std::size_t i = 0; i < etcd.size(); ++i) {
    ways.push_back(std::make_unique<test::test_proxy>(io, etcd.port(i)));
    options.endpoints[i].url = ways[i]->url();
  }
  count_through(options, [&](auto count_on, auto catch_up) {
    for (int i = 0; i < 8; ++i) {
      count_on();
      for (const auto& way : ways)
        way->cut();
      auto& one = *ways[static_cast<std::size_t>(i / 2) % ways.size()];
      i % 2 == 0 ? one.refuse() : one.open();
      if (i < 6)
        catch_up();
    }
    count_on();
  });
}

CAF_TEST(a watch that was away for too long gets everything anew) {
  test::test_proxy way{io, etcd.port(0)};
  auto options = etcd.options(0);
  options.endpoints[0].url = way.url();
  const auto over = test::must_make(io, options);
  CAF_REQUIRE(ask.commit({{}, {put(p + "a", "1"), put(p + "b", "1")}}).what == outcome::done);
  test::recorder seen{*over, p};
  CAF_REQUIRE(until([&] { return seen.contact(); }));
  CAF_CHECK_EQUAL(seen.first.facts.size(), 2U);
  way.refuse();
  way.cut();
  CAF_REQUIRE(until([&] { return !seen.contact(); }));
  CAF_REQUIRE(ask.commit({{}, {put(p + "a", "2"), test::erase(p + "b")}}).what == outcome::done);
  const auto last = ask.commit({{}, {put(p + "c", "1")}});
  CAF_REQUIRE(last.what == outcome::done);
  test::raw_client raw{*this, etcd.options()};
  CAF_REQUIRE(
      raw.call("/v3/kv/compaction", {{"revision", std::to_string(last.at)}, {"physical", true}}).what ==
      etcd_reply::kind::done);
  // All members must have forgotten, not only who was asked.
  CAF_REQUIRE(serves(0));
  way.open();
  CAF_REQUIRE(until([&] { return seen.contact(); }));
  CAF_CHECK_EQUAL(seen.snapshots, 2);
  CAF_CHECK(seen.events.empty());
  CAF_REQUIRE(seen.mirror.all().size() == 2);
  CAF_CHECK(seen.mirror.find(p + "a")->value == "2" && seen.mirror.find(p + "c") != nullptr);
  CAF_REQUIRE(ask.commit({{}, {put(p + "d", "1")}}).what == outcome::done);
  CAF_CHECK(until([&] { return seen.mirror.find(p + "d") != nullptr; }));
  CAF_CHECK((seen.contacts == std::vector<bool>{true, false, true}));
}

CAF_TEST(a stream that has gone silent is found out) {
  test::test_proxy way{io, etcd.port(0)};
  auto options = etcd.options(0);
  options.endpoints[0].url = way.url();
  const auto over = test::must_make(io, options);
  CAF_REQUIRE(ask.commit({{}, {put(p + "a", "1"), put(p + "b", "1")}}).what == outcome::done);
  test::recorder seen{*over, p};
  CAF_REQUIRE(until([&] { return seen.contact(); }));
  way.silence_streams();
  CAF_REQUIRE(ask.commit({{}, {put(p + "a", "2")}}).what == outcome::done);
  CAF_REQUIRE(until([&] { return seen.mirror.find(p + "a")->value == "2"; }, 5s));
  CAF_REQUIRE(until([&] { return seen.contact(); }));
  // What is gone can't be seen by who was changed last.
  way.silence_streams();
  CAF_REQUIRE(ask.commit({{}, {test::erase(p + "b")}}).what == outcome::done);
  CAF_REQUIRE(until([&] { return seen.mirror.find(p + "b") == nullptr; }, 5s));
  CAF_REQUIRE(until([&] { return seen.contact(); }));
  CAF_CHECK_EQUAL(seen.snapshots, 1);
  CAF_CHECK((seen.contacts == std::vector<bool>{true, false, true, false, true}));
}

CAF_TEST(without a majority nothing happens and everybody knows) {
  const auto alone = leader();
  const auto over = test::must_make(io, etcd.options(alone));
  test::asker ask_alone{*this, *over};
  test::recorder seen{*over, p};
  CAF_REQUIRE(until([&] { return seen.contact(); }));
  for (std::size_t i = 0; i < etcd.size(); ++i)
    if (i != alone)
      etcd[i].kill();
  // As long as it still believes to lead, an attempt may yet succeed.
  outcome what = outcome::done;
  CAF_REQUIRE(until([&] {
    what = ask_alone.commit({{}, {put(p + "a", "1")}}, 300ms).what;
    CAF_CHECK(what == outcome::unknown || what == outcome::unavailable);
    CAF_CHECK(ask_alone.took() < 600ms);
    return what == outcome::unavailable;
  }));
  CAF_CHECK(!ask_alone.read(p, 300ms));
  CAF_CHECK(ask_alone.took() < 600ms);
  CAF_REQUIRE(until([&] { return !seen.contact(); }));
  for (std::size_t i = 0; i < etcd.size(); ++i)
    if (i != alone)
      etcd[i].start();
  CAF_REQUIRE(until([&] { return seen.contact(); }));
  CAF_CHECK(ask_alone.commit({{}, {put(p + "b", "1")}}).what == outcome::done);
  CAF_CHECK(until([&] { return seen.mirror.find(p + "b") != nullptr; }));
}

CAF_TEST_FIXTURE_SCOPE_END()

}  // namespace cafmcp::cluster
