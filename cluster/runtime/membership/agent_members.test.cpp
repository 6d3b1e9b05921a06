#define CAF_SUITE agent_members

#include "cluster/core/agent.hpp"
#include "cluster/runtime/coordinator/single_coordinator.hpp"
#include "cluster/runtime/membership/cluster_state.hpp"
#include "tests/unit/caf_test.hpp"

#include "cluster/runtime/coordinator/test_loop.hpp"

using namespace cafmcp::cluster;
using namespace std::chrono_literals;

namespace {

moment now_ms() {
  return std::chrono::ceil<moment>(test::clock::now().time_since_epoch());
}

// Agents on one coordinator, by their node's ids.
struct fixture : test::loop {
  ~fixture() { agents.clear(); }

  agent& add(const std::string& id, bool teaches = true) {
    agent_options options;
    options.self.id = options.self.name = id;
    options.incarnation = agents.size() + 1;
    options.ttl = 400ms;
    options.renewal = 50ms;
    options.retry = 10ms;
    options.relearn = 50ms;
    agent_events events;
    events.on_learner = [this, id, teaches](std::size_t b, const std::string& who) {
      if (teaches)
        agents.at(id)->caught_up(b, who);
    };
    auto& made = agents[id] = std::make_unique<agent>(keeper, options, std::move(events), now_ms);
    made->start();
    return *made;
  }
  template <class F>
  bool goes_on_until(F done) {
    return until([&] {
      for (auto& [id, a] : agents)
        a->tick();
      return done();
    });
  }
  outcome removal(agent& by, const std::string& id) {
    std::optional<outcome> what;
    by.remove(id, [&](outcome o) { what = o; });
    CAF_REQUIRE(goes_on_until([&] { return what.has_value(); }));
    return *what;
  }
  static std::size_t count(const agent& a, const std::string& id) {
    std::size_t n = 0;
    for (std::size_t b = 0; b < bucket_count; ++b)
      n += a.view().bucket_row(b).is.holds(id) ? 1 : 0;
    return n;
  }

  single_coordinator keeper{io};
  std::map<std::string, std::unique_ptr<agent>> agents;
};

}  // namespace

CAF_TEST_FIXTURE_SCOPE(agent_members_tests, fixture)

CAF_TEST(a member can be removed when its lease has ended and others have what it had) {
  auto& a = add("a");
  add("b");
  CAF_REQUIRE(goes_on_until([&] { return count(a, "a") == bucket_count && count(a, "b") == bucket_count; }));
  CAF_CHECK(!a.needed("b"));
  CAF_CHECK(removal(a, "b") == outcome::refused);
  CAF_CHECK(a.view().members().contains("b"));
  agents.erase("b");
  CAF_REQUIRE(goes_on_until([&] { return !a.view().alive("b"); }));
  CAF_CHECK(a.view().members().contains("b"));
  CAF_CHECK(removal(a, "b") == outcome::done);
  CAF_REQUIRE(goes_on_until([&] { return !a.view().members().contains("b") && count(a, "b") == 0; }));
  // It is one again when it is started.
  add("b");
  CAF_CHECK(goes_on_until([&] { return a.view().members().contains("b") && count(a, "b") == bucket_count; }));
}

CAF_TEST(whoever alone has something is needed) {
  add("b", false);
  CAF_REQUIRE(goes_on_until([&] { return count(*agents.at("b"), "b") == bucket_count; }));
  auto& a = add("a");
  CAF_REQUIRE(goes_on_until([&] { return a.view().alive("a") && a.view().alive("b"); }));
  CAF_CHECK(a.needed("b"));
  CAF_CHECK(!a.needed("a"));
  agents.erase("b");
  CAF_REQUIRE(goes_on_until([&] { return !a.view().alive("b"); }));
  CAF_CHECK(a.needed("b"));
}

CAF_TEST(one that holds nothing is drained when all know that it drains) {
  auto& a = add("a", false);
  CAF_REQUIRE(goes_on_until([&] { return count(a, "a") == bucket_count; }));
  auto& b = add("b");
  CAF_REQUIRE(goes_on_until([&] { return a.view().members().contains("b") && b.view().alive("b"); }));
  CAF_CHECK(!b.drained());
  b.drain(true);
  CAF_CHECK_EQUAL(count(b, "b"), 0u);
  CAF_CHECK(!b.drained());
  CAF_REQUIRE(goes_on_until([&] { return b.drained(); }));
  CAF_CHECK(a.view().members().at("b").state == member_state::draining);
}

CAF_TEST(a member leaves for good when it holds nothing any more) {
  auto& a = add("a");
  auto& b = add("b");
  CAF_REQUIRE(goes_on_until([&] { return count(a, "a") == bucket_count && count(a, "b") == bucket_count; }));
  CAF_CHECK(!b.drained() && !b.left());
  b.drain(true);
  CAF_REQUIRE(goes_on_until([&] { return b.drained(); }));
  CAF_CHECK_EQUAL(count(b, "b"), 0u);
  std::optional<outcome> what;
  b.leave([&](outcome o) { what = o; });
  CAF_CHECK(b.left() && b.isolated());
  CAF_REQUIRE(goes_on_until([&] { return what && !a.view().members().contains("b"); }));
  CAF_CHECK(*what == outcome::done);
  CAF_CHECK(!a.view().alive("b"));
  CAF_CHECK(!a.left());
}

CAF_TEST_FIXTURE_SCOPE_END()
