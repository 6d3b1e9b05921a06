#define CAF_SUITE node_link_faults

#include <random>

#include "cluster/runtime/link/node_link.hpp"
#include "tests/unit/caf_test.hpp"

// After caf_test.hpp, whose fixture it uses.
#include "cluster/runtime/link/test_link.hpp"

using namespace cafmcp;
using namespace cafmcp::cluster;
using namespace cafmcp::cluster::testing;

namespace {

/// What one asker has sent and heard.
struct account {
  int asked = 0;
  int answered = 0;
  int failed = 0;
  int downs = 0;
  std::uint64_t down_at = ~std::uint64_t{0};  // the step
  int failed_late = 0;                        // of those sent in earlier steps, after the monitor
  int out_of_order = 0;
  std::uint64_t last = 0;
};

struct ask_once {
  std::uint64_t number;
};

std::uint64_t now_step = 0;

/// Asks whom it watches, and keeps the account.
class customer final : public otp::base_actor {
 public:
  customer(caf::actor_config& config, caf::actor whom, account& a)
      : base_actor(config), whom_(std::move(whom)), account_(a) {}
  const char* name() const override { return "customer"; }
  caf::behavior make_behavior() override {
    monitor(whom_);
    return {[this](const ask_once& what) {
      ++account_.asked;
      request(whom_, caf::infinite, blob{std::to_string(what.number)})
          .then(
              [this](const blob& b) {
                const auto n = std::stoull(b.bytes);
                account_.out_of_order += n <= account_.last ? 1 : 0;
                account_.last = n;
                ++account_.answered;
              },
              [this, at = now_step](caf::error&) {
                ++account_.failed;
                account_.failed_late += account_.downs > 0 && at < account_.down_at ? 1 : 0;
              });
    }};
  }

 protected:
  void handle_down(const caf::down_msg&) override {
    ++account_.downs;
    account_.down_at = now_step;
  }

 private:
  caf::actor whom_;
  account& account_;
};

}  // namespace

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(ask_once)

namespace {

/// A link whose wire misbehaves as a seed says, and customers on one side.
struct faulty_fixture : link_fixture {
  void one(std::uint64_t seed) {
    random.seed(seed);
    accounts.clear();
    for (auto* s : {&a, &b})
      *s = std::make_shared<side>();
    bounds.backlog_bytes = pick(1, 4) == 1 ? 2'000 : 16 << 20;
    bounds.actor_bytes = pick(1, 3) == 1 ? 500 : 1 << 20;
    connect();
    std::vector<caf::actor> customers;
    for (std::uint64_t i = 0, n = pick(1, 4); i < n; ++i) {
      const auto name = "echo" + std::to_string(i);
      show<echo>(name);
      accounts.emplace_back();
      customers.push_back(make<customer>(lookup(name), accounts.back()));
    }
    for (std::uint64_t step = 0; step < 60; ++step) {
      now_step = step;
      for (auto n = pick(0, 4); n > 0; --n)
        self->send(customers[pick(0, customers.size() - 1)], ask_once{++number});
      break_something(step);
      sched.run();
      move(*a, *b);
      move(*b, *a);
    }
    end();
    for (const auto& c : customers)
      caf::anon_send_exit(c, caf::exit_reason::kill);
    sched.run();
    check(seed);
  }
  std::uint64_t pick(std::uint64_t low, std::uint64_t high) {
    return std::uniform_int_distribution<std::uint64_t>{low, high}(random);
  }
  void break_something(std::uint64_t step) {
    auto& s = pick(0, 1) == 0 ? *a : *b;
    switch (pick(0, 30)) {
      case 0:
        s.at_a_time = pick(0, 50);  // a trickle, or nothing at all
        break;
      case 1:
        s.at_a_time = std::size_t(-1);
        break;
      case 2:
        if (step > 30)
          s.cut = true;  // one way, for good: what was on the way is lost
        break;
      case 3:
        if (step > 40)
          s.link->close(make_link_error(link_error::closed));
        break;
      case 4:
        a->link->tick(now += bounds.heartbeat);
        b->link->tick(now);
        break;
      case 5:
        if (!s.names.empty() && step > 20)
          caf::anon_send_exit(s.names.begin()->second, caf::exit_reason::kill);
        break;
      default:
        break;
    }
  }
  // Whatever was broken: in the end both sides know.
  void end() {
    for (auto* s : {a.get(), b.get()}) {
      if (s->cut || s->at_a_time == 0)
        s->link->close(make_link_error(link_error::silent));
      s->at_a_time = std::size_t(-1);
    }
    for (auto* s : {a.get(), b.get()})
      if (s->link->is_over())
        for (auto* other : {a.get(), b.get()})
          other->link->close(make_link_error(link_error::closed));
    run();
    a->link->close(make_link_error(link_error::closed));
    b->link->close(make_link_error(link_error::closed));
    sched.run();
  }
  void check(std::uint64_t seed) {
    bool right = a->link->backlog_bytes() == 0 && b->link->backlog_bytes() == 0;
    right = right && a->link->pending() == 0 && a->link->imports() == 0 && b->link->exports() == 0;
    right = right && a->ends == b->ends;
    for (const auto& c : accounts)
      right = right && c.asked == c.answered + c.failed && c.downs == 1 && c.out_of_order == 0 &&
              c.failed_late == 0;
    CAF_CHECK(right);
    if (right)
      return;
    CAF_MESSAGE("seed " << seed);
    for (const auto& c : accounts)
      CAF_MESSAGE("asked " << c.asked << " answered " << c.answered << " failed " << c.failed << " downs "
                           << c.downs << " out of order " << c.out_of_order << " late " << c.failed_late);
  }
  std::mt19937_64 random;
  std::uint64_t number = 0;
  std::deque<account> accounts;
};

}  // namespace

CAF_TEST_FIXTURE_SCOPE(node_link_fault_tests, faulty_fixture)

CAF_TEST(every request is answered once and every monitor fires once whatever the wire does) {
  for (std::uint64_t seed = 0; seed < 400; ++seed) {
    one(seed);
    spawned.clear();
  }
}

CAF_TEST_FIXTURE_SCOPE_END()
