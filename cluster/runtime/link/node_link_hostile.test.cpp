#define CAF_SUITE node_link_hostile

#include <random>

#include "cluster/runtime/link/node_link.hpp"
#include "tests/unit/caf_test.hpp"

// After caf_test.hpp, whose fixture it uses.
#include "cluster/runtime/link/test_link.hpp"

using namespace cafmcp;
using namespace cafmcp::cluster;
using namespace cafmcp::cluster::testing;

namespace {

/// Side b is the link under test; what it gets is made up here.
struct hostile_fixture : link_fixture {
  hostile_fixture() {
    bounds.message_bytes = 1 << 20;
    bounds.window_bytes = 2 << 20;
    bounds.actor_bytes = 100'000;
    bounds.backlog_bytes = 100'000;
    bounds.handles = 100;
    connect();
    show<echo>("echo", &log);
    show<stuck>("stuck");
  }

  static std::string numbers(std::initializer_list<std::uint64_t> all) {
    std::string out;
    for (const auto n : all)
      wire::put_varint(out, n);
    return out;
  }
  static std::string framed(frame_kind kind, const std::string& body, bool more = false) {
    std::string out;
    append_frame(out, kind, body, more);
    return out;
  }
  // Bytes as if from the peer.
  void give(std::string bytes) {
    while (!bytes.empty() && !b->link->is_over()) {
      const auto room = b->link->space();
      const auto n = std::min(room.size(), bytes.size());
      std::copy_n(bytes.data(), n, room.data());
      bytes.erase(0, n);
      b->link->filled(n, now);
    }
    work();
  }
  void give(frame_kind kind, const std::string& body, bool more = false) { give(framed(kind, body, more)); }
  void work() {
    for (sched.run(); std::exchange(b->woken, false); sched.run())
      if (!b->link->is_over())
        b->link->run();
  }
  // What the link says, as frames.
  std::vector<std::pair<frame_kind, std::string>> said() {
    std::vector<std::pair<frame_kind, std::string>> out;
    frame_reader frames{1 << 20};
    std::string bytes;
    while (b->link->take(bytes)) {
      std::copy(bytes.begin(), bytes.end(), frames.space().data());
      frames.filled(bytes.size());
      frame f;
      while (frames.next(f) == frame_reader::outcome::frame)
        out.emplace_back(f.kind, std::string{f.body});
    }
    return out;
  }
  // The export id of an actor, by a lookup.
  std::uint64_t id_of(const std::string& name) {
    give(frame_kind::lookup, numbers({1}) + name);
    const auto answer = said();
    CAF_REQUIRE(!answer.empty() && answer.back().first == frame_kind::response);
    wire::reader in{answer.back().second};
    CAF_REQUIRE_EQUAL(in.varint(), 1u);
    return in.varint();
  }
  // The error in the last answer.
  caf::error refused() {
    caf::error why;
    for (const auto& [kind, body] : said()) {
      wire::reader in{body};
      if (kind != frame_kind::response)
        continue;
      in.varint();
      in.varint();
      if (in.varint() == answer_error)
        decode_error(in.rest(), why);
    }
    return why;
  }
  bool broken() const { return b->link->is_over() && is(b->reason, link_error::protocol); }
};

/// Doesn't end, however often it is asked to.
class stubborn final : public otp::base_actor {
 public:
  using base_actor::base_actor;
  const char* name() const override { return "stubborn"; }
  caf::behavior make_behavior() override {
    return {[](const blob&) {}};
  }
  int asked = 0;

 protected:
  void handle_exit(const caf::actor_addr&, const caf::error&) override { ++asked; }
};

std::string encoded(const blob& b) {
  std::string out;
  wire::writer{out}.message(b);
  return out;
}

}  // namespace

CAF_TEST_FIXTURE_SCOPE(node_link_hostile_tests, hostile_fixture)

CAF_TEST(only actors that were shown can be sent to) {
  give(frame_kind::request, numbers({1 << 20, 0, 5, 16}) + encoded({"x"}));
  CAF_CHECK(is(refused(), link_error::no_such_actor));
  for (std::uint64_t id = 0; id < 100; ++id)
    give(frame_kind::message, numbers({id, 0, 16}) + encoded({"x"}));
  CAF_CHECK(log.empty());
  CAF_CHECK(!b->link->is_over());
}

CAF_TEST(types are refused by number and size before they are decoded) {
  const auto echo_id = id_of("echo");
  give(frame_kind::request, numbers({echo_id, 0, 5, 99}) + encoded({"x"}));
  CAF_CHECK(is(refused(), link_error::refused_type));
  give(frame_kind::request,
       numbers({echo_id, 0, 5, answer_error}));  // the link's own numbers are no messages
  CAF_CHECK(is(refused(), link_error::refused_type));
  give(frame_kind::request, numbers({echo_id, 0, 5, 18}) + encoded({std::string(65'000, 'x')}));
  CAF_CHECK(!refused());
  log.clear();
  std::string large;
  for (const auto piece : {65'000u, 2'000u}) {
    const bool last = piece == 2'000u;
    auto body = last ? std::string{} : numbers({echo_id, 0, 5, 18, 66'990});
    body += std::string(piece - body.size(), 'x');
    give(frame_kind::request, body, !last);
  }
  CAF_CHECK(is(refused(), link_error::too_large));
  CAF_CHECK(log.empty());
  CAF_CHECK(!b->link->is_over());
}

CAF_TEST(more than was granted ends the link) {
  const auto stuck_id = id_of("stuck");
  const auto message = numbers({stuck_id, 0, 16}) + encoded({std::string(60'000, 'x')});
  for (int i = 0; i < 4; ++i)
    give(frame_kind::message, message);
  CAF_CHECK(!b->link->is_over());
  give(frame_kind::message, message);  // over twice the actor's window
  CAF_CHECK(broken());
}

CAF_TEST(more than the window of the link ends it) {
  // Each actor's window is kept; all together are too much.
  for (int i = 0; i < 40 && !b->link->is_over(); ++i) {
    const auto name = "stuck" + std::to_string(i);
    show<stuck>(name);
    const auto id = id_of(name);
    give(frame_kind::message, numbers({id, 0, 16}) + encoded({std::string(60'000, 'x')}));
  }
  CAF_CHECK(broken());
  CAF_CHECK(b->link->counters().bytes_in <= bounds.window_bytes + 200'000);
}

CAF_TEST(a message in pieces has a bound and one kind) {
  const auto piece = std::string(60'000, 'x');
  for (int i = 0; i < 40 && !b->link->is_over(); ++i)
    give(frame_kind::message, piece, true);
  CAF_CHECK(broken());
  CAF_CHECK(b->link->counters().bytes_in <= bounds.message_bytes + 200'000);
  connect();
  give(frame_kind::message, "x", true);
  give(frame_kind::request, "x");
  CAF_CHECK(broken());
  connect();
  give(frame_kind::message, "", true);  // pieces of nothing could go on for ever
  CAF_CHECK(broken());
  connect();
  give(frame_kind::ping, "x", true);
  CAF_CHECK(broken());
}

CAF_TEST(numbers that cannot be end the link) {
  const auto breaks = [&](frame_kind kind, const std::string& body) {
    connect();
    give(kind, body);
    return broken();
  };
  CAF_CHECK(breaks(frame_kind::credit, numbers({~0ULL})));
  CAF_CHECK(breaks(frame_kind::credit, "\xff"));
  CAF_CHECK(breaks(frame_kind::actor_credit, numbers({1, ~0ULL})));
  CAF_CHECK(breaks(frame_kind::actor_credit, numbers({1})));
  CAF_CHECK(breaks(frame_kind::release, ""));
  CAF_CHECK(breaks(frame_kind::down, numbers({1}) + "\xff"));
  CAF_CHECK(breaks(frame_kind::stop, numbers({1}) + "\xff"));
  CAF_CHECK(!breaks(frame_kind::stop, numbers({77, 0, 0, 0})));
  CAF_CHECK(breaks(frame_kind::response, numbers({1})));
  CAF_CHECK(breaks(frame_kind::message, ""));
  CAF_CHECK(breaks(frame_kind::request, numbers({1, 1, 0, 16})));  // call 0
  CAF_CHECK(breaks(frame_kind::request, numbers({1, 1, ~0ULL, 16})));
  CAF_CHECK(breaks(frame_kind::lookup, numbers({1}) + std::string(300, 'n')));
  CAF_CHECK(breaks(static_cast<frame_kind>(99), "x"));
  CAF_CHECK(breaks(frame_kind::ping, std::string(11, 'p')));
  CAF_CHECK(!breaks(static_cast<frame_kind>(15), "of a newer peer"));
  CAF_CHECK(!breaks(frame_kind::pong, numbers({~0ULL >> 1U})));
  CAF_CHECK(!breaks(frame_kind::release, numbers({77, 1})));
  CAF_CHECK(!breaks(frame_kind::actor_credit, numbers({77, 1})));
}

CAF_TEST(credit that is more than can be ends the link and does not overflow) {
  for (int i = 0; i < 10 && !b->link->is_over(); ++i)
    give(frame_kind::credit, numbers({1ULL << 40U}));
  CAF_CHECK(broken());
}

CAF_TEST(handles beyond the bound end the link) {
  const auto id = id_of("echo");
  const std::uint64_t use = 1ULL << slot_bits;
  give(frame_kind::message, numbers({id, use | 5, 16}) + encoded({"x"}));
  CAF_CHECK(!b->link->is_over());
  CAF_CHECK_EQUAL(log.size(), 1u);
  give(frame_kind::message, numbers({id, use | 100, 16}) + encoded({"x"}));
  CAF_CHECK(broken());
  connect();
  // The same slot for another actor, while the first one is still held.
  const auto again = id_of("stuck");
  give(frame_kind::message, numbers({again, use | 5, 16}) + encoded({"x"}));
  give(frame_kind::message, numbers({again, 2 * use | 5, 16}) + encoded({"x"}));
  CAF_CHECK(broken());
}

CAF_TEST(answers that nobody has asked for are nothing) {
  for (std::uint64_t call = 0; call < 1000; ++call)
    give(frame_kind::response, numbers({call, 0, 16}) + encoded({"x"}));
  CAF_CHECK(!b->link->is_over());
  CAF_CHECK_EQUAL(b->link->pending(), 0u);
}

CAF_TEST(an actor is asked to end twice at most) {
  show<stubborn>("stubborn");
  const auto id = id_of("stubborn");
  auto body = numbers({id});
  encode_error(body, otp::make_exit(otp::exit_code::shutdown));
  for (int i = 0; i < 100; ++i)
    give(frame_kind::stop, body);
  CAF_CHECK(!b->link->is_over());
  CAF_CHECK_EQUAL(caf::actor_cast<stubborn*>(b->names["stubborn"])->asked, 2);
}

CAF_TEST(who asks and does not read is given up) {
  int asked = 0;
  for (; asked < 200'000 && !b->link->is_over(); ++asked)
    give(frame_kind::ping, numbers({1ULL << 60U}));
  CAF_CHECK(asked > 10'000);
  CAF_CHECK(is(b->reason, link_error::overloaded));
  connect();
  // Answers go as far as the credit; those that wait have a bound.
  for (asked = 0; asked < 200'000 && !b->link->is_over(); ++asked)
    give(frame_kind::lookup, numbers({1}) + "nobody at all");
  CAF_CHECK(asked > 1'000);
  CAF_CHECK(is(b->reason, link_error::overloaded));
  CAF_CHECK_EQUAL(b->link->backlog_bytes(), 0u);
}

CAF_TEST(whatever bytes come it is refused or does nothing) {
  std::mt19937_64 random{1};
  const auto pick = [&](std::uint64_t n) { return random() % n; };
  int over = 0;
  for (int round = 0; round < 3000; ++round) {
    connect();
    show<echo>("echo");  // the one before may have been asked to end
    show<stuck>("stuck");
    const auto id = id_of(pick(2) == 0 ? "echo" : "stuck");
    for (int i = 0; i < 20 && !b->link->is_over(); ++i) {
      constexpr std::uint8_t kinds[] = {1, 2, 3, 4, 16, 17, 18, 19, 20, 21, 22};
      std::string body;
      if (pick(4) != 0)
        body = numbers({pick(3) == 0 ? pick(1 << 22) : id, pick(2) * ((1ULL << slot_bits) | pick(120)),
                        pick(100), 16 + pick(4)});
      for (auto n = pick(40); n > 0; --n)
        body.push_back(static_cast<char>(random()));
      give(static_cast<frame_kind>(kinds[pick(std::size(kinds))]), body, pick(10) == 0);
    }
    over += b->link->is_over() ? 1 : 0;
    b->link->close(make_link_error(link_error::closed));
    a->link->close(make_link_error(link_error::closed));
    sched.run();
    CAF_REQUIRE_EQUAL(b->link->backlog_bytes(), 0u);
  }
  CAF_CHECK(over > 100);
}

CAF_TEST_FIXTURE_SCOPE_END()
