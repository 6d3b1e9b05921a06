#define CAF_SUITE registry

#include "actors/registry.hpp"

#include "actors/server_worker.hpp"
#include "actors/test_harness.hpp"
#include "tests/unit/caf_test.hpp"

using namespace cafmcp;
using namespace cafmcp::actors;
using namespace cafmcp::actors::test;

namespace {

// A worker for one more server; null if it did not start.
result<caf::actor> start(world& w, const std::shared_ptr<server>& impl) {
  return otp::start_tree(w.runtime.system(), w.runtime.unit(0),
                         {"more", {}, {servers_branch(w.env, {impl})}, w.names, nullptr});
}

void stop(caf::actor who) {
  otp::send_shutdown(who);
  caf::scoped_actor self{who->home_system()};
  self->wait_for(who);
}

caf::actor registry_of(world& w, const caf::actor& other_than = {}) {
  caf::actor found;
  (void)eventually([&] {
    const auto now = w.names->lookup("registry");
    if (now && *now != other_than)
      found = *now;
    return found != nullptr;
  });
  return found;
}

}  // namespace

CAF_TEST(servers make one catalogue and calls find their server) {
  world w;
  const auto other = std::make_shared<steered_server>("other", "x_");
  const auto root = start(w, other);
  CAF_REQUIRE(root);
  const auto now = w.env->registry->get();
  CAF_REQUIRE_EQUAL(now->servers.size(), 2u);
  CAF_CHECK(now->offers->find_tool("now") != nullptr);
  mcp::call c;
  c.name = "x_now";
  CAF_CHECK_EQUAL(now->route(c)->impl->name(), "other");
  stop(*root);
}

CAF_TEST(a name that another server has is refused) {
  world w;
  const auto root = start(w, std::make_shared<steered_server>("twin"));
  CAF_CHECK(!root);
  CAF_CHECK(has(root.error().message, "twin"));
  CAF_CHECK_EQUAL(w.env->registry->get()->servers.size(), 1u);
}

CAF_TEST(offers outlive the registry) {
  world w;
  const auto before = registry_of(w);
  caf::anon_send_exit(before, caf::exit_reason::kill);
  const auto after = registry_of(w, before);
  CAF_REQUIRE(after != nullptr);
  CAF_CHECK(w.env->registry->get()->offers->find_tool("now") != nullptr);
  // The server's actor says to the new one that it is there, and of changes.
  w.handler->add_tool("later");
  CAF_CHECK(eventually([&] { return w.env->registry->get()->offers->find_tool("later") != nullptr; }));
}

CAF_TEST(a server whose actor dies comes back without a gap) {
  world w;
  const auto root = start(w, std::make_shared<steered_server>("other", "x_"));
  CAF_REQUIRE(root);
  const auto stats = w.env->registry->get()->servers[0].stats;
  stop(*root);
  CAF_REQUIRE(eventually([&] { return !w.env->registry->get()->servers[0].up; }));
  CAF_CHECK(w.env->registry->get()->offers->find_tool("x_now") != nullptr);
  const auto again = start(w, std::make_shared<steered_server>("other", "x_"));
  CAF_REQUIRE(again);
  CAF_CHECK(w.env->registry->get()->servers[0].up);
  CAF_CHECK(w.env->registry->get()->servers[0].stats == stats);
  CAF_CHECK_EQUAL(stats->restarts.load(), 1u);
  stop(*again);
}

CAF_TEST(a server that stays away is forgotten) {
  world w;
  const auto root = start(w, std::make_shared<steered_server>("other", "x_"));
  CAF_REQUIRE(root);
  stop(*root);
  CAF_CHECK(eventually([&] { return w.env->registry->get()->servers.size() == 1; }));
  CAF_CHECK(w.env->registry->get()->offers->find_tool("x_now") == nullptr);
}
