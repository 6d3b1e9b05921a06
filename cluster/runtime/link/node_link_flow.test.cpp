#define CAF_SUITE node_link_flow

#include "cluster/runtime/link/node_link.hpp"
#include "tests/unit/caf_test.hpp"

// After caf_test.hpp, whose fixture it uses.
#include "cluster/runtime/link/test_link.hpp"

using namespace cafmcp;
using namespace cafmcp::cluster;
using namespace cafmcp::cluster::testing;

namespace {

struct flow_fixture : link_fixture {
  void send(const caf::actor& to, std::size_t bytes, int times = 1) {
    for (; times > 0; --times)
      self->send(to, blob{std::string(bytes, 's')});
  }
  // The frames that side a has sent, without answers to lookups and the like.
  std::vector<frame_kind> kinds() const {
    std::vector<frame_kind> out;
    for (const auto& [kind, bytes] : a->sent)
      out.push_back(kind);
    return out;
  }
};

}  // namespace

CAF_TEST_FIXTURE_SCOPE(node_link_flow_tests, flow_fixture)

CAF_TEST(a stuck actor stops only those who send to it) {
  show<stuck>("stuck");
  show<echo>("echo");
  const auto slow = lookup("stuck");
  const auto quick = lookup("echo");
  send(slow, 100'000, 50);
  run();
  CAF_CHECK(a->link->backlog_bytes() > 0);
  // Its window, and what is over it by one message.
  CAF_CHECK(b->link->counters().messages_in <= bounds.actor_bytes / 100'000 + 2);
  CAF_CHECK(ask<blob>(quick, blob{"past"}).value().bytes == "past");
  // Once it reads, everything arrives.
  caf::anon_send(b->names["stuck"], caf::ok_atom_v);
  run();
  CAF_CHECK_EQUAL(a->link->backlog_bytes(), 0u);
  CAF_CHECK_EQUAL(caf::actor_cast<stuck*>(b->names["stuck"])->read, 50);
}

CAF_TEST(a full backlog refuses at once and takes again later) {
  bounds.backlog_bytes = 1 << 20;
  connect();
  show<stuck>("stuck");
  const auto slow = lookup("stuck");
  for (int i = 0; i < 4; ++i) {
    send(slow, 100'000, 10);
    run();
  }
  const auto waits = a->link->backlog_bytes();
  CAF_CHECK(waits <= bounds.backlog_bytes);
  CAF_CHECK(waits > bounds.backlog_bytes / 2);
  const auto dropped = a->link->counters().dropped.load();
  CAF_CHECK(dropped > 0);
  // A request is told so, without a round trip.
  auto handle = self->request(slow, caf::infinite, blob{std::string(1'000'000, 's')});
  handle.receive([](const blob&) { CAF_FAIL("answered"); },
                 [](caf::error& e) { CAF_CHECK(is(e, link_error::overloaded)); });
  bool room = false;
  a->link->when_room([&] { room = true; });
  run();
  CAF_CHECK(!room);
  caf::anon_send(b->names["stuck"], caf::ok_atom_v);
  run();
  CAF_CHECK(room);
  CAF_CHECK_EQUAL(a->link->backlog_bytes(), 0u);
  CAF_CHECK_EQUAL(caf::actor_cast<stuck*>(b->names["stuck"])->read, 40 - static_cast<int>(dropped));
}

CAF_TEST(many stuck actors cannot take more than the window of the link) {
  bounds.message_bytes = 1 << 20;
  bounds.window_bytes = 2 << 20;
  connect();
  std::vector<caf::actor> remotes;
  for (int i = 0; i < 8; ++i) {
    const auto name = "stuck" + std::to_string(i);
    show<stuck>(name);
    remotes.push_back(lookup(name));
  }
  for (const auto& r : remotes)
    send(r, 100'000, 10);
  run();
  CAF_CHECK(b->link->counters().bytes_in <= bounds.window_bytes + 10'000);
  CAF_CHECK(b->link->counters().bytes_in > bounds.window_bytes / 2);
  for (int i = 0; i < 8; ++i)
    caf::anon_send(b->names["stuck" + std::to_string(i)], caf::ok_atom_v);
  run();
  for (int i = 0; i < 8; ++i)
    CAF_CHECK_EQUAL(caf::actor_cast<stuck*>(b->names["stuck" + std::to_string(i)])->read, 10);
}

CAF_TEST(control goes ahead of data) {
  bounds.backlog_bytes = 8 << 20;
  connect();
  show<stuck>("stuck");
  const auto slow = lookup("stuck");
  caf::anon_send(b->names["stuck"], caf::ok_atom_v);
  sched.run();
  a->note_frames = true;
  send(slow, 64'000, 50);
  std::string out;
  // The first batch is being written when the heartbeat comes.
  a->link->run();
  CAF_REQUIRE(a->link->take(out));
  CAF_CHECK(out.size() <= send_lanes::batch_bytes + bounds.fragment_bytes + frame_header_bytes);
  a->link->tick(now);
  std::string next;
  CAF_REQUIRE(a->link->take(next));
  note(*a, next);
  CAF_CHECK(kinds().front() == frame_kind::ping);
  CAF_CHECK(kinds().size() > 1);
}

CAF_TEST(data keeps its order whatever its size) {
  show<echo>("echo", &log);
  const auto remote = lookup("echo");
  events expected;
  for (int i = 0; i < 60; ++i) {
    const auto text = std::to_string(i) + std::string(i % 3 == 0 ? 150'000 : 10, '.');
    self->send(remote, blob{text});
    expected.push_back("blob " + text);
  }
  a->at_a_time = 10'000;
  run();
  CAF_CHECK(log == expected);
}

CAF_TEST(a handle that nobody holds is given back) {
  show<echo>("echo");
  auto remote = lookup("echo");
  CAF_CHECK_EQUAL(a->link->imports(), 1u);
  CAF_CHECK_EQUAL(b->link->exports(), 1u);
  remote = nullptr;
  run();
  CAF_CHECK_EQUAL(a->link->imports(), 0u);
  CAF_CHECK_EQUAL(b->link->exports(), 0u);
  remote = lookup("echo");
  CAF_CHECK(ask<blob>(remote, blob{"again"}).value().bytes == "again");
}

CAF_TEST(a handle given back while it is sent again stays) {
  show<echo>("echo");
  auto remote = lookup("echo");
  // The answer to a second lookup is under way while the first handle goes.
  caf::actor second;
  a->link->lookup("echo", [&](caf::actor who, const caf::error&) { second = std::move(who); });
  move(*a, *b);
  b->link->run();
  remote = nullptr;
  run();
  CAF_REQUIRE(second);
  CAF_CHECK_EQUAL(b->link->exports(), 1u);
  CAF_CHECK(ask<blob>(second, blob{"still"}).value().bytes == "still");
}

CAF_TEST(a handle that comes again before the old one is given back stays) {
  show<echo>("echo");
  auto remote = lookup("echo");
  caf::actor second;
  a->link->lookup("echo", [&](caf::actor who, const caf::error&) { second = std::move(who); });
  move(*a, *b);
  remote = nullptr;
  move(*b, *a);  // the answer is there before anybody has looked after the old handle
  run();
  CAF_REQUIRE(second);
  CAF_CHECK_EQUAL(b->link->exports(), 1u);
  CAF_CHECK(ask<blob>(second, blob{"still"}).value().bytes == "still");
}

CAF_TEST(messages outlive the handle that they were sent by) {
  show<stuck>("stuck");
  auto slow = lookup("stuck");
  send(slow, 100'000, 30);
  slow = nullptr;
  run();
  CAF_CHECK_EQUAL(a->link->imports(), 1u);
  caf::anon_send(b->names["stuck"], caf::ok_atom_v);
  run();
  CAF_CHECK_EQUAL(caf::actor_cast<stuck*>(b->names["stuck"])->read, 30);
  CAF_CHECK_EQUAL(a->link->imports(), 0u);
  CAF_CHECK_EQUAL(b->link->exports(), 0u);
}

CAF_TEST(a hundred thousand handles come and go without a trace) {
  show<echo>("echo");
  const auto remote = lookup("echo");
  for (int i = 0; i < 100'000; ++i) {
    self->send(remote, command{"delegate"});
    if (i % 1000 != 999)
      continue;
    run();
    while (!self->mailbox().empty())
      self->receive([](const blob&) {});
  }
  run();
  CAF_CHECK(a->link->imports() <= 1u);
  CAF_CHECK(b->link->exports() <= 1u);
}

CAF_TEST(too many requests at a time are refused) {
  bounds.pending_requests = 10;
  connect();
  show<echo>("echo");
  const auto remote = lookup("echo");
  for (int i = 0; i < 10; ++i)
    static_cast<void>(self->request(remote, caf::infinite, command{"silence"}));
  run();
  CAF_CHECK_EQUAL(a->link->pending(), 10u);
  CAF_CHECK(!ask<blob>(remote, blob{"one more"}));
  CAF_CHECK(is(refusal, link_error::overloaded));
}

CAF_TEST_FIXTURE_SCOPE_END()
