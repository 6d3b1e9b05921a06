// supervision: what starting, restarting and stopping children costs, and how many bytes a child takes at its
// supervisor. The measurements of bench/peers/supervision.escript, which does the same on Erlang/OTP.

#include <malloc.h>

#include <CLI/CLI.hpp>
#include <caf/scoped_actor.hpp>
#include <iostream>
#include <nlohmann/json.hpp>

#include "base/log.hpp"
#include "supervisors/runtime.hpp"
#include "supervisors/supervisor.hpp"

namespace cafmcp::bench {

/// A child tells that it is there.
struct child_started {
  caf::actor who;
};

/// Told to the driver: what to measure. The answer is in microseconds.
struct measure_starts {
  caf::actor supervisor;
  std::uint32_t count;
  bool simple;
};
struct measure_kills {
  caf::actor first;
  std::uint32_t count;
};
struct measure_recovery {
  std::vector<caf::actor> victims;
};

}  // namespace cafmcp::bench

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(cafmcp::bench::child_started)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(cafmcp::bench::measure_starts)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(cafmcp::bench::measure_kills)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(cafmcp::bench::measure_recovery)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(std::vector<double>)

namespace cafmcp::bench {

namespace {

using clock = std::chrono::steady_clock;
using microseconds = std::chrono::duration<double, std::micro>;

class child final : public otp::base_actor {
 public:
  child(caf::actor_config& config, caf::actor_addr driver) : base_actor(config), driver_(std::move(driver)) {}
  const char* name() const override { return "child"; }
  caf::behavior make_behavior() override {
    if (const auto to = caf::actor_cast<caf::actor>(driver_))
      send(to, child_started{caf::actor_cast<caf::actor>(this)});
    return {[](caf::ok_atom) { return caf::ok_atom_v; }};
  }

 private:
  const caf::actor_addr driver_;
};

// The same specification with another id: what starts the children is shared by all of them.
otp::child_spec with_id(otp::child_spec spec, std::uint32_t number) {
  spec.id = std::to_string(number);
  return spec;
}

otp::child_spec spec_of(const caf::actor_addr& driver) {
  return otp::worker<child>("child", "child", driver);
}

// Asks and is told, on the supervisor's own context.
class driver final : public otp::base_actor {
 public:
  using base_actor::base_actor;
  const char* name() const override { return "driver"; }

  caf::behavior make_behavior() override {
    return {
        [this](const measure_starts& what) -> caf::result<double> {
          promise_ = make_response_promise<double>();
          starts_ = what;
          left_ = what.count;
          begin_ = clock::now();
          start_next();
          return promise_;
        },
        [this](const measure_kills& what) -> caf::result<std::vector<double>> {
          kills_promise_ = make_response_promise<std::vector<double>>();
          left_ = what.count;
          times_.clear();
          kill(what.first);
          return kills_promise_;
        },
        [this](const measure_recovery& what) -> caf::result<double> {
          promise_ = make_response_promise<double>();
          recovering_ = what.victims.size();
          begin_ = clock::now();
          for (const auto& victim : what.victims)
            caf::anon_send_exit(victim, caf::exit_reason::kill);
          return promise_;
        },
        [this](const child_started& what) { on_started(what.who); },
    };
  }

 private:
  void start_next() {
    if (left_-- == 0) {
      promise_.deliver(microseconds{clock::now() - begin_}.count());
      return;
    }
    const auto next = [this](const otp::child_started&) { start_next(); };
    const auto failed = [this](const caf::error& e) { promise_.deliver(e); };
    if (starts_.simple)
      request(starts_.supervisor, caf::infinite, otp::start_instance{}).then(next, failed);
    else
      request(starts_.supervisor, caf::infinite, otp::start_child{with_id(spec_, left_)}).then(next, failed);
  }

  void kill(const caf::actor& who) {
    begin_ = clock::now();
    caf::anon_send_exit(who, caf::exit_reason::kill);
    killing_ = true;
  }

  void on_started(const caf::actor& who) {
    if (recovering_ > 0 && --recovering_ == 0)
      promise_.deliver(microseconds{clock::now() - begin_}.count());
    if (!killing_)
      return;
    times_.push_back(microseconds{clock::now() - begin_}.count());
    killing_ = false;
    if (--left_ == 0)
      kills_promise_.deliver(std::move(times_));
    else
      kill(who);
  }

  caf::typed_response_promise<double> promise_;
  caf::typed_response_promise<std::vector<double>> kills_promise_;
  measure_starts starts_{};
  const otp::child_spec spec_ = spec_of({});
  std::uint32_t left_ = 0;
  std::size_t recovering_ = 0;
  bool killing_ = false;
  clock::time_point begin_;
  std::vector<double> times_;
};

std::size_t allocated() {
  return ::mallinfo2().uordblks + ::mallinfo2().hblkhd;
}

// One node of the benchmark.
class bed {
 public:
  explicit bed(otp::runtime& runtime)
      : runtime_(runtime),
        self_(runtime.system()),
        driver_(otp::spawn_on<driver>(runtime.system(), runtime.unit(0))) {}
  ~bed() { caf::anon_send_exit(driver_, caf::exit_reason::user_shutdown); }

  caf::actor supervisor(otp::strategy how, std::vector<otp::child_spec> children) {
    const otp::supervisor_flags flags{how, 1'000'000'000, std::chrono::seconds{1}};
    auto root = otp::start_tree(runtime_.system(), runtime_.unit(0),
                                {"bench", flags, std::move(children), nullptr, nullptr});
    if (!root)
      throw std::runtime_error(root.error().message);
    return *root;
  }

  template <class Answer, class Message>
  Answer ask(Message message) {
    Answer out{};
    self_->request(driver_, caf::infinite, std::move(message))
        .receive([&](Answer& a) { out = std::move(a); },
                 [](const caf::error& e) { throw std::runtime_error(otp::describe(e)); });
    return out;
  }

  caf::actor child_of(const caf::actor& root, const std::string& id) {
    caf::actor out;
    self_->request(root, caf::infinite, otp::find_child{id})
        .receive([&](const caf::actor& a) { out = a; },
                 [](const caf::error& e) { throw std::runtime_error(otp::describe(e)); });
    return out;
  }

  double stop(caf::actor root) {
    const auto begin = clock::now();
    self_->monitor(root);
    otp::send_shutdown(root);
    self_->receive([](const caf::down_msg&) {});
    return microseconds{clock::now() - begin}.count();
  }

  caf::actor_addr driver_address() const { return driver_.address(); }

 private:
  otp::runtime& runtime_;
  caf::scoped_actor self_;
  caf::actor driver_;
};

// What `count` children take that nobody supervises, in bytes.
double bytes_of_children(std::uint32_t count) {
  otp::runtime runtime{otp::runtime_options{1}};
  std::vector<caf::actor> bare;
  bare.reserve(count);
  const auto before = allocated();
  for (std::uint32_t i = 0; i < count; ++i)
    bare.push_back(otp::spawn_on<child>(runtime.system(), runtime.unit(0), caf::actor_addr{}));
  caf::scoped_actor self{runtime.system()};
  self->request(bare.back(), caf::infinite, caf::ok_atom_v)  // when it answers, all of them have begun
      .receive([](caf::ok_atom) {}, [](const caf::error& e) { throw std::runtime_error(otp::describe(e)); });
  const auto after = allocated();
  for (const auto& actor : bare)
    caf::anon_send_exit(actor, caf::exit_reason::kill);
  bare.clear();
  runtime.await_actors(std::chrono::seconds{60});
  return static_cast<double>(after - before);
}

struct figures {
  double start_us, stop_us, memory_bytes;
};

// In a runtime of its own, as the others: what an earlier one still had to free would be counted.
figures start_and_stop(bool simple, std::uint32_t count) {
  const auto children = bytes_of_children(count);
  otp::runtime runtime{otp::runtime_options{1}};
  bed b{runtime};
  const auto root = simple ? b.supervisor(otp::strategy::simple_one_for_one, {spec_of({})})
                           : b.supervisor(otp::strategy::one_for_one, {});
  const auto before = allocated();
  const auto started = b.ask<double>(measure_starts{root, count, simple});
  const auto all = static_cast<double>(allocated() - before);
  const auto stopped = b.stop(root);
  return {started / count, stopped / count, (all - children) / count};
}

std::vector<double> kill_one(std::uint32_t restarts) {
  otp::runtime runtime{otp::runtime_options{1}};
  bed b{runtime};
  const auto root = b.supervisor(otp::strategy::one_for_one, {spec_of(b.driver_address())});
  auto times = b.ask<std::vector<double>>(measure_kills{b.child_of(root, "child"), restarts});
  b.stop(root);
  std::sort(times.begin(), times.end());
  return times;
}

double kill_many(std::uint32_t children, std::uint32_t killed) {
  otp::runtime runtime{otp::runtime_options{1}};
  bed b{runtime};
  const auto spec = spec_of(b.driver_address());
  std::vector<otp::child_spec> specs;
  for (std::uint32_t i = 0; i < children; ++i)
    specs.push_back(with_id(spec, i));
  const auto root = b.supervisor(otp::strategy::one_for_one, std::move(specs));
  measure_recovery what;
  for (std::uint32_t i = 0; i < killed; ++i)
    what.victims.push_back(b.child_of(root, std::to_string(i)));
  const auto took = b.ask<double>(std::move(what));
  b.stop(root);
  return took / 1e6;
}

int run(int argc, char** argv) {
  CLI::App app{"What starting, restarting and stopping supervised children costs."};
  std::uint32_t children = 100'000, killed = 50'000, restarts = 2'000;
  app.add_option("--children", children, "children of a supervisor")
      ->capture_default_str()
      ->check(CLI::Range(1, 1'000'000));
  app.add_option("--killed", killed, "how many of them are killed at once")
      ->capture_default_str()
      ->check(CLI::Range(1, 1'000'000));
  app.add_option("--restarts", restarts, "how often one child is killed")
      ->capture_default_str()
      ->check(CLI::Range(1, 1'000'000));
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& e) {
    return app.exit(e) == 0 ? 0 : 2;
  }
  log::options quiet;  // reports of deaths are not written, here as there
  quiet.level = log::level::critical;
  if (auto set = log::init(quiet); !set)
    throw std::runtime_error(set.error().message);
  const auto one = start_and_stop(false, children);
  const auto simple = start_and_stop(true, children);
  const auto times = kill_one(restarts);
  const auto recovery = kill_many(children, std::min(killed, children));
  std::cout << nlohmann::ordered_json{{"start_us", one.start_us},
                                      {"stop_us", one.stop_us},
                                      {"memory_bytes", one.memory_bytes},
                                      {"simple_start_us", simple.start_us},
                                      {"simple_stop_us", simple.stop_us},
                                      {"simple_memory_bytes", simple.memory_bytes},
                                      {"restart_p50_us", times[times.size() / 2]},
                                      {"restart_p99_us", times[times.size() * 99 / 100]},
                                      {"recovery_s", recovery}}
            << std::endl;
  return 0;
}

}  // namespace

}  // namespace cafmcp::bench

int main(int argc, char** argv) {
  try {
    return cafmcp::bench::run(argc, argv);
  } catch (const std::exception& e) {
    std::cerr << "supervision: " << e.what() << "\n";
    return 1;
  }
}
