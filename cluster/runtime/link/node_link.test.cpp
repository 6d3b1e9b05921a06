#define CAF_SUITE node_link

#include "cluster/runtime/link/node_link.hpp"

#include <cmath>
#include <limits>

#include "tests/unit/caf_test.hpp"

// After caf_test.hpp, whose fixture it uses.
#include "cluster/runtime/link/test_link.hpp"

using namespace cafmcp;
using namespace cafmcp::cluster;
using namespace cafmcp::cluster::testing;

CAF_TEST_FIXTURE_SCOPE(node_link_tests, link_fixture)

CAF_TEST(an actor is found by its name and answers) {
  show<echo>("echo");
  const auto remote = lookup("echo");
  CAF_REQUIRE(remote);
  CAF_CHECK_NOT_EQUAL(remote.node(), sys.node());
  CAF_CHECK(ask<blob>(remote, blob{"hi"}).value().bytes == "hi");
  CAF_CHECK_EQUAL(lookup("echo"), remote);
  CAF_CHECK(!lookup("nobody"));
  CAF_CHECK(is(refusal, link_error::no_such_actor));
}

CAF_TEST(all kinds of values arrive as they were) {
  show<echo>("echo");
  const auto remote = lookup("echo");
  const sample in{-std::numeric_limits<double>::infinity(),
                  7,
                  std::string{"v"},
                  {{"a", {std::nan(""), 5e-324}}, {"b", {}}}};
  const auto out = ask<sample>(remote, in).value();
  CAF_CHECK(out.value == in.value);
  CAF_CHECK(out.count == 7);
  CAF_CHECK_EQUAL(std::get<std::string>(out.extra), "v");
  CAF_CHECK(std::isnan(out.series.at("a")[0]));
  CAF_CHECK_EQUAL(out.series.at("a")[1], 5e-324);
  CAF_CHECK(out.series.at("b").empty());
}

CAF_TEST(errors are answers) {
  show<echo>("echo");
  const auto remote = lookup("echo");
  CAF_CHECK(!ask<blob>(remote, command{"fail"}));
  CAF_CHECK(refusal == otp::exit_code::noproc);
  CAF_CHECK_EQUAL(otp::describe(refusal), "noproc: no such thing");
  CAF_CHECK(!ask<blob>(remote, command{"wrong type"}));
  CAF_CHECK(refusal == caf::sec::unexpected_message);
}

CAF_TEST(only messages of the list travel) {
  show<echo>("echo", &log);
  const auto remote = lookup("echo");
  CAF_CHECK(!ask<blob>(remote, unlisted{1}));
  CAF_CHECK(is(refusal, link_error::refused_type));
  CAF_CHECK(!ask<blob>(remote, std::string{"built in"}));
  CAF_CHECK(is(refusal, link_error::refused_type));
  CAF_CHECK(!ask<blob>(remote, sample{0, {}, std::string(70'000, 'x'), {}}));
  CAF_CHECK(is(refusal, link_error::too_large));
  self->send(remote, caf::down_msg{});
  run();
  CAF_CHECK(ask<blob>(remote, blob{"alive"}).value().bytes == "alive");
  CAF_CHECK_EQUAL(log, events{"blob alive"});
  CAF_CHECK_EQUAL(a->link->counters().refused, 4u);
}

CAF_TEST(a large message goes in fragments) {
  show<echo>("echo");
  const auto remote = lookup("echo");
  const std::string large(900'000, 'y');
  CAF_CHECK(ask<blob>(remote, blob{large}).value().bytes.size() == large.size());
  // Whatever pieces the bytes come in.
  a->at_a_time = 7;
  b->at_a_time = 100'001;
  CAF_CHECK(ask<blob>(remote, blob{std::string(3000, 'z')}).value().bytes == std::string(3000, 'z'));
}

CAF_TEST(senders can be answered and asked) {
  show<echo>("echo");
  const auto asks = make<asker>(lookup("echo"), log);
  self->send(asks, say{"call me"});
  run();
  CAF_CHECK_EQUAL(log, (events{"blob called", "answer call me"}));
}

CAF_TEST(an answer says who gave it) {
  show<echo>("echo");
  const auto remote = lookup("echo");
  auto handle = self->request(remote, caf::infinite, command{"delegate"});
  run();
  caf::actor by;
  handle.receive(
      [&](const blob& answer) {
        CAF_CHECK_EQUAL(answer.bytes, "by another");
        by = caf::actor_cast<caf::actor>(self->current_sender());
      },
      [](caf::error& e) { CAF_FAIL(otp::describe(e)); });
  CAF_REQUIRE(by);
  CAF_CHECK_NOT_EQUAL(by, remote);
  CAF_CHECK(ask<blob>(by, blob{"directly"}).value().bytes == "directly");
}

CAF_TEST(a monitor fires when the actor ends and after its last answer) {
  show<echo>("echo");
  const auto remote = lookup("echo");
  const auto asks = make<asker>(remote, log);
  self->send(asks, say{"silence"});
  self->send(asks, say{"quit"});
  run();
  CAF_CHECK_EQUAL(log, (events{"answer quit", "error noproc: told to", "down noproc: told to"}));
  // Whoever still has the handle learns why at once.
  CAF_CHECK(!ask<blob>(remote, blob{"late"}));
  CAF_CHECK_EQUAL(otp::describe(refusal), "noproc: told to");
  CAF_CHECK_EQUAL(a->link->imports(), 0u);
  CAF_CHECK_EQUAL(a->link->pending(), 0u);
}

CAF_TEST(a request under way when the end arrives fails before the monitor fires) {
  show<echo>("echo");
  const auto asks = make<asker>(lookup("echo"), log);
  self->send(asks, say{"silence"});
  sched.run();  // the link's thread has not come to it
  caf::anon_send_exit(b->names["echo"], caf::exit_reason::kill);
  sched.run();
  move(*b, *a);
  sched.run();
  CAF_CHECK_EQUAL(log, (events{"error kill", "down kill"}));
}

CAF_TEST(an exit ends a remote actor in order and by its own code) {
  for (const auto& [asked, heard] : {std::pair{otp::make_exit(otp::exit_code::shutdown), "down shutdown"},
                                     std::pair{caf::make_error(caf::exit_reason::kill), "down killed"}}) {
    log.clear();
    show<echo>("echo", &log);
    const auto remote = lookup("echo");
    make<asker>(remote, log);
    sched.run();
    self->send(remote, blob{"before"});
    remote->eq_impl(caf::make_message_id(), nullptr, nullptr, caf::exit_msg{remote.address(), asked});
    run();
    CAF_CHECK_EQUAL(log, (events{"blob before", heard}));
  }
}

CAF_TEST(a normal end is a normal end) {
  show<echo>("echo");
  const auto asks = make<asker>(lookup("echo"), log);
  self->send(asks, say{"end"});
  run();
  CAF_CHECK_EQUAL(log, (events{"answer end", "down normal"}));
}

CAF_TEST(a message to an actor that has just ended is refused) {
  show<echo>("echo");
  const auto remote = lookup("echo");
  caf::anon_send_exit(b->names["echo"], caf::exit_reason::kill);
  b->names.clear();
  spawned.clear();
  sched.run();
  auto handle = self->request(remote, caf::infinite, blob{"late"});
  run();
  handle.receive([](const blob&) { CAF_FAIL("answered by nobody"); }, [](caf::error& e) { CAF_CHECK(e); });
}

CAF_TEST(when the link ends requests fail before monitors fire) {
  show<echo>("echo");
  const auto remote = lookup("echo");
  const auto asks = make<asker>(remote, log);
  self->send(asks, say{"silence"});
  run();
  CAF_CHECK_EQUAL(a->link->pending(), 1u);
  // One more, which the link's thread has not come to yet.
  self->send(asks, say{"silence"});
  sched.run();
  a->link->close(make_link_error(link_error::closed, "by the test"));
  sched.run();
  CAF_CHECK_EQUAL(log, (events{"error link: closed: by the test", "error link: closed: by the test",
                               "down link: closed: by the test"}));
  CAF_CHECK_EQUAL(a->ends, 1);
  CAF_CHECK_EQUAL(a->link->backlog_bytes(), 0u);
  auto handle = self->request(remote, caf::infinite, blob{"late"});
  handle.receive([](const blob&) { CAF_FAIL("answered over a dead link"); },
                 [](caf::error& e) { CAF_CHECK(is(e, link_error::closed)); });
  caf::error why;
  a->link->lookup("echo", [&](const caf::actor&, const caf::error& e) { why = e; });
  CAF_CHECK(is(why, link_error::closed));
}

CAF_TEST(handles of one incarnation never equal those of the next) {
  show<echo>("echo");
  const auto before = lookup("echo");
  a->link->close(make_link_error(link_error::closed));
  b->link->close(make_link_error(link_error::closed));
  sched.run();
  connect();
  const auto after = lookup("echo");
  CAF_CHECK(ask<blob>(after, blob{"new"}).value().bytes == "new");
  CAF_CHECK_NOT_EQUAL(before, after);
}

CAF_TEST(a silent peer is given up after four heartbeats) {
  show<echo>("echo");
  const auto asks = make<asker>(lookup("echo"), log);
  beat(10);
  CAF_CHECK(!a->link->is_over());
  CAF_CHECK_EQUAL(a->link->counters().beats, 10u);
  b->cut = true;
  self->send(asks, say{"silence"});
  beat(4);
  CAF_CHECK(!a->link->is_over());
  beat(1);
  CAF_CHECK_EQUAL(log, (events{"error link: silent", "down link: silent"}));
  CAF_CHECK(is(a->reason, link_error::silent));
  // The other side hears nothing from now on.
  beat(5);
  CAF_CHECK(b->link->is_over());
}

CAF_TEST(who was held up itself reads first and judges then) {
  show<echo>("echo");
  CAF_CHECK(lookup("echo"));
  now += std::chrono::seconds{30};
  a->link->tick(now);
  CAF_CHECK(!a->link->is_over());
  b->link->tick(now);
  run();
  beat(5);
  CAF_CHECK(!a->link->is_over());
  CAF_CHECK(!b->link->is_over());
}

CAF_TEST(an answer that never comes ends after the longest wait) {
  show<echo>("echo");
  const auto remote = lookup("echo");
  auto handle = self->request(remote, caf::infinite, command{"silence"});
  run();
  beat(static_cast<int>(bounds.longest_wait / bounds.heartbeat) - 1);
  CAF_CHECK_EQUAL(a->link->pending(), 1u);
  beat(2);
  CAF_CHECK_EQUAL(a->link->pending(), 0u);
  handle.receive([](const blob&) { CAF_FAIL("answered"); },
                 [](caf::error& e) { CAF_CHECK(is(e, link_error::expired)); });
}

CAF_TEST_FIXTURE_SCOPE_END()
