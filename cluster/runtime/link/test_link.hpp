#pragma once
// What tests of links share: messages, actors, two links of one process against each other under CAF's
// deterministic scheduler, and the wire between them, which can be cut, slowed down and torn. For a test file
// that has included `caf_test.hpp` before. Not thread-safe.

#include <map>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "cluster/runtime/link/node_link.hpp"
#include "supervisors/base_actor.hpp"

namespace cafmcp::cluster::testing {

struct blob {
  std::string bytes;
};
template <class F>
typename F::result_type inspect(F& f, blob& x) {
  return f(x.bytes);
}

struct sample {
  double value = 0;
  std::optional<int> count;
  std::variant<int, std::string> extra;
  std::map<std::string, std::vector<double>> series;
};
template <class F>
typename F::result_type inspect(F& f, sample& x) {
  return f(x.value, x.count, x.extra, x.series);
}

struct command {
  std::string what;
};
template <class F>
typename F::result_type inspect(F& f, command& x) {
  return f(x.what);
}

/// In no list.
struct unlisted {
  int x = 0;
};

inline wire::message_table& test_types() {
  static auto table = [] {
    wire::message_table t;
    t.add<blob>(16, 1 << 20).add<sample>(17).add<command>(18);
    return t;
  }();
  return table;
}

}  // namespace cafmcp::cluster::testing

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(cafmcp::cluster::testing::blob)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(cafmcp::cluster::testing::sample)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(cafmcp::cluster::testing::command)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(cafmcp::cluster::testing::unlisted)

namespace cafmcp::cluster::testing {

using events = std::vector<std::string>;

/// Answers blobs and samples with themselves, and commands as they say.
class echo final : public otp::base_actor {
 public:
  explicit echo(caf::actor_config& config, events* log = nullptr) : base_actor(config), log_(log) {}
  const char* name() const override { return "echo"; }
  caf::behavior make_behavior() override {
    return {[this](blob& x) {
              note("blob " + x.bytes);
              return std::move(x);
            },
            [](sample& x) { return std::move(x); }, [this](const command& c) { return obey(c); }};
  }

 protected:
  // A promise holds its actor, which would hold the promise for ever.
  void terminate(const caf::error&) override { kept_.clear(); }

 private:
  caf::result<blob> obey(const command& c) {
    note(c.what);
    const auto asker = caf::actor_cast<caf::actor>(current_sender());
    if (c.what == "fail")
      return otp::make_exit(otp::exit_code::noproc, "no such thing");
    if (c.what == "quit")
      quit(otp::make_exit(otp::exit_code::noproc, "told to"));
    if (c.what == "end")
      quit();
    if (c.what == "call me")
      send(asker, blob{"called"});
    if (c.what == "wrong type")
      return caf::sec::unexpected_message;
    if (c.what == "silence") {
      kept_.push_back(make_response_promise<blob>());
      return caf::delegated<blob>{};
    }
    if (c.what == "delegate")
      return pass_on();
    return blob{c.what};
  }
  // To another actor, which answers in its place.
  caf::result<blob> pass_on() {
    delegate(otp::spawn_on<echo>(system(), nullptr, log_), blob{"by another"});
    return caf::delegated<blob>{};
  }
  void note(std::string what) {
    if (log_)
      log_->push_back(std::move(what));
  }

  events* log_;
  std::vector<caf::typed_response_promise<blob>> kept_;
};

/// Keeps what it gets unread until it is told to read.
class stuck final : public otp::base_actor {
 public:
  using base_actor::base_actor;
  const char* name() const override { return "stuck"; }
  caf::behavior make_behavior() override {
    set_default_handler(caf::skip);
    return {[this](caf::ok_atom) {
      become([this](const blob&) { ++read; }, [](const command&) { return blob{"read"}; });
    }};
  }
  int read = 0;
};

/// Sends what it is told to whom it watches, and notes what comes back.
struct say {
  std::string what;
};
class asker final : public otp::base_actor {
 public:
  asker(caf::actor_config& config, caf::actor whom, events& log)
      : base_actor(config), whom_(std::move(whom)), log_(log) {}
  const char* name() const override { return "asker"; }
  caf::behavior make_behavior() override {
    monitor(whom_);
    return {[this](const say& s) {
              request(whom_, caf::infinite, command{s.what})
                  .then([this](const blob& b) { log_.push_back("answer " + b.bytes); },
                        [this](caf::error& e) { log_.push_back("error " + otp::describe(e)); });
            },
            [this](const blob& b) { log_.push_back("blob " + b.bytes); },
            [](const command&) { return blob{"asker"}; }};
  }

 protected:
  void handle_down(const caf::down_msg& down) override {
    log_.push_back("down " + otp::describe(down.reason));
    whom_ = nullptr;
  }

 private:
  caf::actor whom_;
  events& log_;
};

}  // namespace cafmcp::cluster::testing

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(cafmcp::cluster::testing::say)

namespace cafmcp::cluster::testing {

/// One end of the wire.
struct side final : link_host {
  void wake() override { woken = true; }
  void went_down(const caf::error& why) override {
    ++ends;
    reason = why;
  }

  std::shared_ptr<node_link> link;
  const wire::message_table* types = &test_types();
  std::map<std::string, caf::actor, std::less<>> names;
  bool woken = false;
  int ends = 0;
  caf::error reason;
  std::string on_the_way;                                // from here to the other side
  bool cut = false;                                      // what is sent from here doesn't arrive
  std::size_t at_a_time = std::size_t(-1);               // bytes that arrive in a round
  std::vector<std::pair<frame_kind, std::size_t>> sent;  // frames, if they are noted
  bool note_frames = false;
};

/// Two nodes and their link.
struct link_fixture : test_coordinator_fixture<> {
  link_fixture() { connect(); }
  ~link_fixture() {
    for (auto* s : {a.get(), b.get()}) {
      s->names.clear();
      if (s->link)
        s->link->close(make_link_error(link_error::closed));
      s->link.reset();
    }
    for (auto& actor : spawned)
      caf::anon_send_exit(actor, caf::exit_reason::kill);
    spawned.clear();
    sched.run();
  }

  /// A new link, of a new incarnation.
  void connect() {
    ++incarnation;
    const auto make = [&](const std::shared_ptr<side>& s, const char* peer) {
      link_terms terms{
          peer, incarnation, version, bounds.window_bytes, bounds.actor_bytes, bounds.message_bytes};
      const auto resolve = [p = s.get()](std::string_view name) -> result<caf::actor> {
        const auto i = p->names.find(name);
        if (i == p->names.end())
          return fail(errc::not_found, "nobody is called " + std::string{name});
        return i->second;
      };
      s->link = std::make_shared<node_link>(sys, *s->types, resolve, bounds, terms);
      s->link->start(s, now);
    };
    make(a, "b");
    make(b, "a");
  }

  template <class T, class... Ts>
  caf::actor make(Ts&&... xs) {
    auto actor = caf::actor_cast<caf::actor>(sys.spawn<T>(std::forward<Ts>(xs)...));
    spawned.push_back(actor);
    return actor;
  }
  /// An actor that side b shows under that name.
  template <class T, class... Ts>
  caf::actor show(const std::string& name, Ts&&... xs) {
    return b->names[name] = make<T>(std::forward<Ts>(xs)...);
  }

  // A frame's bytes as the other side gets them.
  void move(side& from, side& to) {
    if (std::exchange(from.woken, false))
      from.link->run();
    std::string out;
    while (from.link->take(out)) {
      if (from.note_frames)
        note(from, out);
      from.on_the_way += out;
    }
    if (from.cut)
      from.on_the_way.clear();
    auto bytes = from.on_the_way.substr(0, from.at_a_time);
    from.on_the_way.erase(0, bytes.size());
    while (!bytes.empty() && !to.link->is_over()) {
      const auto room = to.link->space();
      const auto n = std::min(room.size(), bytes.size());
      std::copy_n(bytes.data(), n, room.data());
      bytes.erase(0, n);
      to.link->filled(n, now);
    }
  }
  static void note(side& s, std::string_view bytes) {
    frame_reader frames{1 << 20};
    frame f;
    while (!bytes.empty()) {
      const auto room = frames.space();
      const auto n = std::min(room.size(), bytes.size());
      std::copy_n(bytes.data(), n, room.data());
      bytes.remove_prefix(n);
      frames.filled(n);
      while (frames.next(f) == frame_reader::outcome::frame)
        s.sent.emplace_back(f.kind, f.body.size());
    }
  }
  bool quiet() const {
    const auto idle = [](const side& s) { return !s.woken && (s.on_the_way.empty() || s.at_a_time == 0); };
    return idle(*a) && idle(*b) && !sched.has_job();
  }
  /// Until nothing happens any more.
  void run() {
    for (int i = 0; i < 100'000; ++i) {
      sched.run();
      const auto in_a = a->link->counters().bytes_in + b->link->counters().bytes_in;
      const auto out_a = a->link->counters().bytes_out + b->link->counters().bytes_out;
      move(*a, *b);
      move(*b, *a);
      sched.run();
      const bool same = in_a == a->link->counters().bytes_in + b->link->counters().bytes_in &&
                        out_a == a->link->counters().bytes_out + b->link->counters().bytes_out;
      if (same && quiet())
        return;
    }
    CAF_FAIL("the link never comes to rest");
  }
  /// Time passes: `n` heartbeats.
  void beat(int n = 1) {
    for (; n > 0; --n) {
      now += bounds.heartbeat;
      advance_time(std::chrono::duration_cast<std::chrono::nanoseconds>(bounds.heartbeat));
      a->link->tick(now);
      b->link->tick(now);
      run();
    }
  }

  /// The actor of that name, as side a gets it.
  caf::actor lookup(const std::string& name) {
    caf::actor found;
    refusal = {};
    bool answered = false;
    a->link->lookup(name, [&](caf::actor who, const caf::error& why) {
      answered = true;
      found = std::move(who);
      refusal = why;
    });
    run();
    CAF_CHECK(answered);
    return found;
  }
  /// Asks and hands over the answer, or remembers the refusal; nothing if there is neither.
  template <class T, class M>
  std::optional<T> ask(const caf::actor& whom, M message) {
    std::optional<T> answer;
    refusal = {};
    auto handle = self->request(whom, caf::infinite, std::move(message));
    run();
    if (self->mailbox().empty())
      return answer;
    handle.receive([&](T& value) { answer = std::move(value); }, [&](caf::error& e) { refusal = e; });
    return answer;
  }

  link_bounds bounds{};
  std::uint32_t version = 1;
  std::uint64_t incarnation = 0;
  node_link::clock::time_point now{std::chrono::seconds{1000}};
  std::shared_ptr<side> a = std::make_shared<side>();
  std::shared_ptr<side> b = std::make_shared<side>();
  std::vector<caf::actor> spawned;
  caf::error refusal;
  events log;  // of actors
};

}  // namespace cafmcp::cluster::testing
