#define CAF_SUITE links

#include "cluster/runtime/link/links_branch.hpp"
#include "tests/unit/caf_test.hpp"

// After caf_test.hpp.
#include "cluster/runtime/link/test_node.hpp"

using namespace cafmcp;
using namespace cafmcp::cluster;
using namespace cafmcp::cluster::testing;

namespace {

std::string echoed(test_node& n, const std::string& node, const std::string& text) {
  const auto remote = n.find(node, "echo");
  if (!remote)
    return otp::describe(n.refusal);
  const auto answer = n.ask<blob>(remote, blob{text});
  return answer ? answer->bytes : otp::describe(n.refusal);
}

}  // namespace

CAF_TEST(a seed is enough for both to use each other) {
  test_node a{{"a"}};
  test_node b{{"b", {a.address()}}};
  CAF_REQUIRE(a.waits_for_link_to("b"));
  CAF_REQUIRE(b.waits_for_link_to("a"));
  a.show<echo>("echo");
  b.show<echo>("echo");
  const auto from_b = echoed(a, "b", "from a");
  const auto from_a = echoed(b, "a", "from b");
  CAF_CHECK_EQUAL(from_b, "from a");
  CAF_CHECK_EQUAL(from_a, "from b");
  CAF_CHECK(!a.find("b", "nobody"));
  CAF_CHECK(is(a.refusal, link_error::no_such_actor));
  CAF_CHECK(!a.find("c", "echo"));
  CAF_CHECK(is(a.refusal, link_error::not_linked));
  const auto view = a.directory->get("b");
  CAF_CHECK_EQUAL(view.about.address, "127.0.0.1:" + std::to_string(b.port()));
  CAF_CHECK_EQUAL(view.links, 1u);
}

CAF_TEST(nodes that dial each other at once end up with one link) {
  const auto first = std::make_shared<const net::listener>(net::listen("127.0.0.1", 0).value());
  const auto second = std::make_shared<const net::listener>(net::listen("127.0.0.1", 0).value());
  for (int round = 0; round < 20; ++round) {
    node_options of_a{"a"}, of_b{"b"};
    of_a.socket = first;
    of_b.socket = second;
    of_a.seeds = {{"127.0.0.1", second->endpoint().port()}};
    of_b.seeds = {{"127.0.0.1", first->endpoint().port()}};
    test_node a{of_a};
    test_node b{of_b};
    CAF_REQUIRE(a.waits_for_link_to("b"));
    CAF_REQUIRE(b.waits_for_link_to("a"));
    b.show<echo>("echo");
    const auto answer = echoed(a, "b", "once");
    CAF_CHECK_EQUAL(answer, "once");
    CAF_CHECK_EQUAL(a.directory->get("b").links, 1u);
    CAF_CHECK_EQUAL(b.directory->get("a").links, 1u);
  }
}

CAF_TEST(a node that is started anew is found again and the old link is over) {
  test_node a{{"a"}};
  auto b = std::make_unique<test_node>(node_options{"b", {a.address()}});
  CAF_REQUIRE(a.waits_for_link_to("b"));
  b->show<echo>("echo");
  const auto before = a.find("b", "echo");
  CAF_REQUIRE(before);
  for (int i = 0; i < 3; ++i)
    echoed(a, "b", "before");
  const auto socket = b->socket();
  b.reset();
  CAF_REQUIRE(until([&] { return !a.linked_to("b"); }));
  CAF_CHECK(!a.ask<blob>(before, blob{"late"}));
  CAF_CHECK(a.refusal);
  node_options again{"b"};
  again.socket = socket;  // nobody tells it where a is: a dials
  b = std::make_unique<test_node>(again);
  CAF_REQUIRE(a.waits_for_link_to("b"));
  b->show<echo>("echo");
  const auto answer = echoed(a, "b", "again");
  CAF_CHECK_EQUAL(answer, "again");
  CAF_CHECK_NOT_EQUAL(a.find("b", "echo"), before);
  const auto now = a.directory->get("b");
  CAF_CHECK_EQUAL(now.links, 2u);
  CAF_CHECK_EQUAL(now.totals.messages_out, 4u);  // of both links
  CAF_CHECK(now.totals.messages_in >= 10);       // 7 by the first one: answers and found names
}

// Whoever decides of the two: b's link to a, or a's to b.
CAF_TEST(a second node of the same name is refused while the first one lives) {
  test_node a{{"a"}};
  test_node b{{"b", {a.address()}}};
  CAF_REQUIRE(a.waits_for_link_to("b"));
  CAF_REQUIRE(b.waits_for_link_to("a"));
  for (auto* at : {&a, &b}) {
    const std::string name = at == &a ? "b" : "a";
    node_options other{name, {at->address()}};
    other.id = "another data directory";
    test_node thief{other};
    CAF_REQUIRE(until([&] { return at->directory->strangers().refused >= 3; }));
    CAF_CHECK_EQUAL(thief.directory->size(), 0u);
    CAF_CHECK_EQUAL(at->directory->get(name).about.id, "id of " + name);
    CAF_CHECK_EQUAL(at->directory->get(name).links, 1u);
    CAF_CHECK(at->linked_to(name));
  }
}

CAF_TEST(another secret is refused and said) {
  node_options of_a{"a"};
  of_a.secret = "one";
  test_node a{of_a};
  node_options of_b{"b", {a.address()}};
  of_b.secret = "two";
  test_node b{of_b};
  CAF_REQUIRE(until([&] { return a.directory->strangers().refused > 2; }));
  CAF_CHECK(!a.linked_to("b"));
  CAF_CHECK_EQUAL(a.directory->size(), 0u);
}

CAF_TEST(a killed peer or manager costs a link and no more) {
  test_node a{{"a"}};
  test_node b{{"b", {a.address()}}};
  CAF_REQUIRE(a.waits_for_link_to("b"));
  CAF_REQUIRE(b.waits_for_link_to("a"));
  b.show<echo>("echo");
  for (const std::string who : {"links/peers/b", links_name, "links/peers"}) {
    const auto actor = a.names().lookup(who);
    CAF_REQUIRE(actor.has_value());
    caf::anon_send_exit(*actor, caf::exit_reason::kill);
    CAF_CHECK(until([&] {
      const auto now = a.names().lookup(who);
      return now && *now != *actor;
    }));
    CAF_CHECK(until([&] {
      const auto links = a.names().lookup(links_name);
      return links && a.linked_to("b") && echoed(a, "b", who) == who;
    }));
  }
}

CAF_TEST(links come and go a thousand times) {
  node_options of_a{"a"};
  of_a.manners.first_retry = of_a.manners.longest_retry = std::chrono::milliseconds{2};
  test_node a{of_a};
  node_options of_b{"b", {a.address()}};
  of_b.manners = of_a.manners;
  test_node b{of_b};
  b.show<echo>("echo");
  for (int i = 0; i < 1000; ++i) {
    auto& who = i % 2 == 0 ? a : b;
    caf::actor remote;
    CAF_REQUIRE(until([&] { return (remote = a.find("b", "echo")) != nullptr; }));
    CAF_REQUIRE(until([&] {
      if (const auto link = who.directory->find(i % 2 == 0 ? "b" : "a"))
        link->close_soon(make_link_error(link_error::closed, "by the test"));
      return !a.ask<blob>(remote, blob{"late"});
    }));
  }
  CAF_REQUIRE(until([&] { return echoed(a, "b", "still") == "still"; }));
  CAF_CHECK(a.directory->get("b").links >= 1000);
  CAF_CHECK_EQUAL(a.directory->strangers().waiting, 0u);
}

CAF_TEST(whoever subscribes hears of all links) {
  test_node a{{"a"}};
  struct listener final : otp::base_actor {
    listener(caf::actor_config& config, std::mutex& m, events& l) : base_actor(config), mutex(m), log(l) {}
    const char* name() const override { return "listener"; }
    caf::behavior make_behavior() override {
      return {[this](const link_event& e) {
        const std::lock_guard lock{mutex};
        log.push_back((e.up ? "up " : "down ") + e.node);
      }};
    }
    std::mutex& mutex;
    events& log;
  };
  std::mutex mutex;
  events log;
  const auto count = [&] {
    const std::lock_guard lock{mutex};
    return log.size();
  };
  const auto hears = otp::spawn_on<listener>(a.system(), nullptr, mutex, log);
  a.directory->subscribe(hears);
  {
    test_node b{{"b", {a.address()}}};
    CAF_CHECK(until([&] { return count() == 1; }));
  }
  CAF_CHECK(until([&] { return count() == 2; }));
  CAF_CHECK_EQUAL(log, (events{"up b", "down b"}));
  caf::anon_send_exit(hears, caf::exit_reason::kill);
}
