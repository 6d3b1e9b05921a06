#pragma once
// Children whose starts follow a script: they fail, hang, say no or go well, one after the other. For a test
// file that has included `caf_test.hpp` before. Not thread-safe.

#include <deque>
#include <map>

#include "supervisors/test_supervisor.hpp"

namespace cafmcp::otp::testing {

/// How a start goes. A start function that fails says "!id".
enum class step {
  ok,                   // the child acknowledges
  at_once,              // the child runs, and need not acknowledge; the start function tells something
  info,                 // the start function tells something
  ignore,               // the start function chooses not to
  error,                // the start function says why not
  raise,                // the start function throws an exception
  raise_int,            // the start function throws something else
  nobody,               // the start function returns no actor
  dead,                 // the start function returns an actor that never acknowledges, being dead
  later,                // the child acknowledges when it is told to, or never
  info_in_init,         // the child tells something, as the start function does
  ignore_in_init,       // the child chooses not to run
  error_in_init,        // the child says why not
  raise_in_init,        // the child throws
  raise_in_constructor  // the child throws before it is there
};

/// What a child is told besides what a probe is: `step::later` is over.
enum class verdict { acknowledge, ignore, error, late_acknowledge };

/// How the next starts go, and then all others. Copies are one script.
class script {
 public:
  struct state {
    std::deque<step> next;
    step rest = step::ok;
    int calls = 0;
  };
  script(std::deque<step> next = {}, step rest = step::ok)  // NOLINT: a list of steps is a script
      : state_(std::make_shared<state>(state{std::move(next), rest})) {}

  state* operator->() const noexcept { return state_.get(); }

  /// One more start.
  step take() const {
    ++state_->calls;
    if (state_->next.empty())
      return state_->rest;
    const auto how = state_->next.front();
    state_->next.pop_front();
    return how;
  }

 private:
  std::shared_ptr<state> state_;
};

/// The child of a script.
struct scripted final : probe {
  scripted(caf::actor_config& config, worker_options options, step how)
      : probe(config, std::move(options)), how_(how) {
    if (how_ == step::raise_in_constructor)
      throw std::runtime_error("no memory");
  }
  caf::behavior make_behavior() override {
    if (how_ == step::later)
      acknowledge_later();
    else if (how_ == step::info_in_init)
      start_info(caf::make_message("init of " + options_.id));
    else if (how_ == step::ignore_in_init)
      ignore_start();
    else if (how_ == step::error_in_init)
      refuse();
    else if (how_ == step::raise_in_init)
      throw std::runtime_error("no luck");
    return commands().or_else([this](verdict v) { obey(v); });
  }
  void refuse() { refuse_start(make_exit(exit_code::noproc, "no database")); }
  void obey(verdict v) {
    if (v == verdict::acknowledge)
      acknowledge();
    else if (v == verdict::ignore)
      ignore_start();
    else if (v == verdict::error)
      refuse();
    else if (const auto to = caf::actor_cast<caf::actor>(parent()))
      send(to, init_ack{});
  }
  step how_;
};

inline caf::actor spawn_dead(const start_context& context, worker_options options) {
  auto actor = spawn_probe(context, std::move(options));
  caf::anon_send_exit(actor, caf::exit_reason::kill);
  return actor;
}

/// One start as the script has it.
inline start_result play(const script& s, const worker_options& options, const start_context& context) {
  const auto how = s.take();
  if (options.log && (how == step::error || how == step::raise || how == step::raise_int))
    options.log->push_back("!" + options.id);
  const auto info = caf::make_message("info of " + options.id);
  switch (how) {
    case step::at_once:
      return started{spawn_probe(context, options), false, info};
    case step::ignore:
      return ignored{};
    case step::error:  // with a code that is not of the library
      return caf::make_error(caf::sec::cannot_open_port, "no luck");
    case step::raise:
      throw std::runtime_error("no luck");
    case step::raise_int:
      throw 42;
    case step::nobody:
      return started{};
    case step::dead:
      return started{spawn_dead(context, options), true};
    default:
      break;
  }
  started result{spawn_child<scripted>(*context.supervisor, context.where, options, how), true};
  if (how == step::info || how == step::info_in_init)
    result.info = info;
  return result;
}

/// A child whose starts follow a script.
inline child_spec scripted_spec(script s, worker_options options, restart r = restart::permanent) {
  child_spec spec;
  spec.id = options.id;
  spec.module = "scripted";
  spec.restart = r;
  spec.start = [s = std::move(s), options = std::move(options)](const start_context& context) {
    return play(s, options, context);
  };
  return spec;
}

/// With a script for each child, by name. They run at once unless their scripts say otherwise.
struct script_fixture : fixture {
  ~script_fixture() { drop(); }
  script& script_of(const std::string& name) {
    return scripts_.try_emplace(name, script{{}, step::at_once}).first->second;
  }
  /// The next starts of that child fail, so many times.
  void failing(const std::string& name, std::size_t times) {
    script_of(name)->next.assign(times, step::error);
  }
  /// Its first starts go like this, if it is said.
  child_spec flaky(const std::string& id, std::deque<step> next = {}) {
    if (!next.empty())
      script_of(id)->next = std::move(next);
    return scripted_spec(script_of(id), options(id));
  }
  /// Instances, with their names as their arguments.
  child_spec instances(restart r = restart::permanent) {
    auto spec = probe_spec({"instance"}, r);
    spec.start = [this](const start_context& context) {
      const auto name = context.arguments.get_as<std::string>(0);
      return play(script_of(name), options(name), context);
    };
    return spec;
  }

 private:
  std::map<std::string, script> scripts_;
};

}  // namespace cafmcp::otp::testing

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(cafmcp::otp::testing::verdict)
