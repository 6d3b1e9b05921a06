#define CAF_SUITE base_actor

#include "supervisors/base_actor.hpp"

#include <unistd.h>

#include <latch>
#include <set>
#include <thread>

#include "supervisors/runtime.hpp"
#include "tests/unit/caf_test.hpp"

using namespace std::chrono_literals;
namespace otp = cafmcp::otp;

namespace {

// Knows integers only: 0 throws, others come back doubled. Text is refused with an error.
struct doubler final : otp::base_actor {
  using base_actor::base_actor;
  const char* name() const override { return "doubler"; }
  caf::behavior make_behavior() override {
    return {
        [](int x) {
          if (x == 0)
            throw std::runtime_error("zero");
          return 2 * x;
        },
        [](const std::string&) -> caf::result<int> { return caf::sec::invalid_argument; },
    };
  }
};

// Sends what it is told to, and asks.
struct client final : otp::base_actor {
  client(caf::actor_config& config, caf::actor other) : base_actor(config), other_(std::move(other)) {}
  const char* name() const override { return "client"; }
  caf::behavior make_behavior() override {
    return {
        [this](caf::put_atom, const std::string& text) { send(other_, text); },
        [this](caf::put_atom, double value) { send(other_, value); },
        [this](caf::get_atom, int value) {
          auto promise = make_response_promise<int>();
          ask(
              other_, 100ms, [promise](int x) mutable { promise.deliver(x); },
              [promise](caf::error& e) mutable { promise.deliver(e); }, value);
          return promise;
        },
        [](caf::ping_atom) { return caf::pong_atom_v; },
    };
  }
  caf::actor other_;
};

// Never answers.
struct hole final : otp::base_actor {
  using base_actor::base_actor;
  const char* name() const override { return "hole"; }
  caf::behavior make_behavior() override {
    return {[this](int) { return make_response_promise<int>(); }};
  }
};

// Cleans up before it goes.
struct tidy final : otp::base_actor {
  tidy(caf::actor_config& config, std::vector<std::string>* log) : base_actor(config), log_(log) {}
  const char* name() const override { return "tidy"; }
  caf::behavior make_behavior() override {
    return {[](int) {}};
  }
  void handle_exit(const caf::actor_addr&, const caf::error& reason) override {
    log_->push_back("exit");
    start_timer(20ms, [this, reason] { quit(reason); });
  }
  void terminate(const caf::error& reason) override { log_->push_back("terminate " + otp::describe(reason)); }
  std::vector<std::string>* log_;
};

struct fixture : test_coordinator_fixture<> {
  bool alive(const caf::actor& a) {
    return !static_cast<caf::monitorable_actor*>(caf::actor_cast<caf::abstract_actor*>(a))
                ->getf(caf::abstract_actor::is_terminated_flag);
  }
  void end(const caf::actor& a) {
    caf::anon_send_exit(a, caf::exit_reason::kill);
    sched.run();
  }
};

}  // namespace

CAF_TEST_FIXTURE_SCOPE(base_actor_tests, fixture)

CAF_TEST(an error answer or an unknown message kills neither side) {
  auto d = sys.spawn<doubler>();
  auto c = sys.spawn<client>(d);
  self->send(c, caf::put_atom_v, std::string{"refused with an error"});
  sched.run();
  self->send(c, caf::put_atom_v, 1.5);
  sched.run();
  CAF_CHECK(alive(d));
  CAF_CHECK(alive(c));
  CAF_CHECK_EQUAL(request<caf::pong_atom>(c, caf::ping_atom_v), caf::pong_atom_v);
  end(c);
  end(d);
}

CAF_TEST(an unknown request is answered with an error) {
  auto d = sys.spawn<doubler>();
  auto handle = self->request(d, caf::infinite, 1.5);
  sched.run();
  bool refused = false;
  handle.receive([](int) {}, [&](caf::error& e) { refused = e == otp::exit_code::unknown_message; });
  CAF_CHECK(refused);
  end(d);
}

CAF_TEST(an exception ends the actor with its text as reason) {
  auto d = sys.spawn<doubler>();
  self->monitor(d);
  self->send(d, 0);
  sched.run();
  self->receive([](caf::down_msg& down) {
    CAF_CHECK_EQUAL(down.reason, otp::exit_code::crashed);
    CAF_CHECK_EQUAL(otp::describe(down.reason), "crashed: zero");
  });
}

CAF_TEST(ask delivers the answer and forgets its timer) {
  auto d = sys.spawn<doubler>();
  auto c = sys.spawn<client>(d);
  CAF_CHECK_EQUAL(request<int>(c, caf::get_atom_v, 21), 42);
  advance_time(1s);
  sched.run();
  CAF_CHECK(alive(c));
  end(c);
  end(d);
}

CAF_TEST(ask fails after its timeout and when the other side dies) {
  auto h = sys.spawn<hole>();
  auto c = sys.spawn<client>(h);
  auto handle = self->request(c, caf::infinite, caf::get_atom_v, 1);
  sched.run();
  advance_time(99ms);
  sched.run();
  CAF_CHECK(self->mailbox().empty());
  advance_time(1ms);
  sched.run();
  caf::error reason;
  handle.receive([](int) {}, [&](caf::error& e) { reason = e; });
  CAF_CHECK_EQUAL(reason, caf::sec::request_timeout);
  end(h);
  auto again = self->request(c, caf::infinite, caf::get_atom_v, 1);
  sched.run();
  again.receive([](int) {}, [&](caf::error& e) { reason = e; });
  CAF_CHECK_NOT_EQUAL(reason, caf::sec::request_timeout);
  end(c);
}

CAF_TEST(an actor may clean up before it goes but not refuse a kill) {
  std::vector<std::string> log;
  auto t = sys.spawn<tidy>(&log);
  caf::anon_send_exit(t, caf::exit_reason::user_shutdown);
  sched.run();
  CAF_CHECK_EQUAL(log, std::vector<std::string>{"exit"});
  advance_time(20ms);
  sched.run();
  CAF_CHECK_EQUAL(log, (std::vector<std::string>{"exit", "terminate user_shutdown"}));
  log.clear();
  auto k = sys.spawn<tidy>(&log);
  end(k);
  CAF_CHECK_EQUAL(log, std::vector<std::string>{"terminate kill"});
}

CAF_TEST_FIXTURE_SCOPE_END()

namespace {

// Tells on which context its messages are handled.
struct where final : otp::base_actor {
  using base_actor::base_actor;
  const char* name() const override { return "where"; }
  caf::behavior make_behavior() override {
    return {
        [this](caf::get_atom) { return static_cast<std::uint64_t>(home()->here() ? home()->index() : 99); },
        [this](caf::get_atom, int) {
          const auto child = caf::actor_cast<caf::actor>(spawn<where>());
          return delegate(child, caf::get_atom_v);
        },
        [this](caf::put_atom, std::shared_ptr<std::latch> hold) { hold->wait(); },
        [this](caf::put_atom, int timers) {
          for (int i = 0; i < timers; ++i)
            start_timer(1h, [] {});
          return caf::ok_atom_v;
        },
        [this](caf::update_atom, std::uint64_t n, const caf::actor& observer) {
          for (std::uint64_t i = 0; i < n; ++i)
            cancel_timer(start_timer(1h, [] {}));
          start_timer(1ms, [this, observer] { send(observer, caf::ok_atom_v); });
        },
    };
  }
};

}  // namespace

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(std::shared_ptr<std::latch>)

CAF_TEST(actors stay on the context that their spawner chose) {
  otp::runtime rt{{3}};
  caf::scoped_actor self{rt.system()};
  for (std::uint64_t i = 0; i < 3; ++i) {
    auto a = otp::spawn_on<where>(rt.system(), rt.unit(i));
    for (int k = 0; k < 20; ++k)
      self->request(a, 10s, caf::get_atom_v)
          .receive([&](std::uint64_t n) { CAF_CHECK_EQUAL(n, i); },
                   [](caf::error&) { CAF_FAIL("no answer"); });
    self->request(a, 10s, caf::get_atom_v, 1)
        .receive([&](std::uint64_t n) { CAF_CHECK_EQUAL(n, i); }, [](caf::error&) { CAF_FAIL("no answer"); });
    caf::anon_send_exit(a, caf::exit_reason::user_shutdown);
  }
  std::set<std::size_t> homes;
  for (int i = 0; i < 3; ++i) {
    auto a = rt.system().spawn<where>();
    homes.insert(static_cast<otp::base_actor*>(caf::actor_cast<caf::abstract_actor*>(a))->home()->index());
    caf::anon_send_exit(a, caf::exit_reason::user_shutdown);
  }
  CAF_CHECK_EQUAL(homes.size(), 3u);
}

CAF_TEST(the mailbox gauge shows what waits) {
  otp::runtime rt{{1}};
  caf::scoped_actor self{rt.system()};
  auto a = otp::spawn_on<where>(rt.system(), rt.unit(0));
  auto hold = std::make_shared<std::latch>(1);
  auto* gauge = static_cast<otp::base_actor*>(caf::actor_cast<caf::abstract_actor*>(a));
  self->send(a, caf::put_atom_v, hold);
  for (int i = 0; i < 10; ++i)
    self->send(a, 1.5);
  CAF_CHECK(gauge->mailbox_size() >= 10u);
  hold->count_down();
  self->request(a, 10s, caf::get_atom_v)
      .receive([](std::uint64_t) {}, [](caf::error&) { CAF_FAIL("no answer"); });
  rt.pool().run_on_each([](std::size_t) {});
  CAF_CHECK_EQUAL(gauge->mailbox_size(), 0u);
  caf::anon_send_exit(a, caf::exit_reason::user_shutdown);
}

namespace {

// How many timers wait on context `index`.
std::size_t timers_on(otp::runtime& rt, std::size_t index) {
  struct nothing final : otp::timer_entry {
    void on_timer() override {}
  };
  std::atomic<std::size_t> waiting{0};
  rt.pool().run_on_each([&](std::size_t i) {
    nothing probe;
    if (i != index)
      return;
    rt.pool().timers(i).schedule_after(probe, 1h);
    waiting = rt.pool().timers(i).size() - 1;
  });
  return waiting;
}

}  // namespace

CAF_TEST(timers run on the wheel of the context and cancelled ones cost nothing) {
  otp::runtime rt{{2}};
  caf::scoped_actor self{rt.system()};
  auto a = otp::spawn_on<where>(rt.system(), rt.unit(1));
  self->send(a, caf::update_atom_v, std::uint64_t{10000}, caf::actor_cast<caf::actor>(self));
  self->receive([](caf::ok_atom) {}, caf::after(10s) >> [] { CAF_FAIL("no timer"); });
  CAF_CHECK_EQUAL(timers_on(rt, 1), 0u);
  caf::anon_send_exit(a, caf::exit_reason::user_shutdown);
}

CAF_TEST(timers end with their actor) {
  otp::runtime rt{{2}};
  caf::scoped_actor self{rt.system()};
  auto a = otp::spawn_on<where>(rt.system(), rt.unit(1));
  self->request(a, caf::infinite, caf::put_atom_v, 3).receive([](caf::ok_atom) {}, [](caf::error&) {});
  CAF_CHECK_EQUAL(timers_on(rt, 1), 3u);
  self->monitor(a);
  caf::anon_send_exit(a, caf::exit_reason::kill);
  self->receive([](const caf::down_msg&) {});
  CAF_CHECK_EQUAL(timers_on(rt, 1), 0u);
}

CAF_TEST(a thousand starts and stops) {
  for (int i = 0; i < 1000; ++i) {
    otp::runtime rt{{2}};
    auto a = otp::spawn_on<where>(rt.system(), rt.unit(0));
    auto b = otp::spawn_on<client>(rt.system(), rt.unit(1), a);
    caf::anon_send(b, caf::get_atom_v, 1);
    caf::anon_send_exit(a, caf::exit_reason::user_shutdown);
    caf::anon_send_exit(b, caf::exit_reason::kill);
  }
  CAF_CHECK(true);
}

CAF_TEST(foreign actors do not print to standard output) {
  int pipe_ends[2];
  CAF_REQUIRE_EQUAL(::pipe(pipe_ends), 0);
  std::cout.flush();
  std::fflush(stdout);
  const int saved = ::dup(1);
  ::dup2(pipe_ends[1], 1);
  {
    otp::runtime rt{{1}};
    auto a = rt.system().spawn([](caf::event_based_actor*) -> caf::behavior { return {[](int) {}}; });
    caf::anon_send(a, 1.5);
    caf::anon_send_exit(a, caf::exit_reason::user_shutdown);
  }
  std::cout.flush();
  std::fflush(stdout);
  ::dup2(saved, 1);
  ::close(saved);
  ::close(pipe_ends[1]);
  char byte;
  CAF_CHECK_EQUAL(::read(pipe_ends[0], &byte, 1), 0);
  ::close(pipe_ends[0]);
}
