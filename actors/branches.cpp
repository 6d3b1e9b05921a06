#include "actors/branches.hpp"

#include "actors/registry.hpp"
#include "actors/server_worker.hpp"
#include "actors/shard.hpp"
#include "supervisors/supervisor.hpp"

namespace cafmcp::actors {

namespace {

using otp::child_spec;
using otp::start_context;
using otp::start_result;
using otp::strategy;

const otp::supervisor_flags flags{strategy::one_for_one, 10, std::chrono::seconds{10}};

// The same child, on a context of its own.
child_spec pinned(child_spec spec, otp::context_unit* unit) {
  spec.start = [inner = std::move(spec.start), unit](const start_context& c) {
    return inner({c.supervisor, unit, c.arguments, c.path, c.names});
  };
  return spec;
}

// Sessions are temporary: who restarts one is its shard, when somebody needs it. So a session that crashes
// whenever it is woken wears out nobody's patience but its own client's.
child_spec session_template() {
  child_spec spec;
  spec.id = "session";
  spec.module = "session";
  spec.restart = otp::restart::temporary;
  spec.start = [](const start_context& c) -> start_result {
    auto start = c.arguments.get_as<std::shared_ptr<const session_start>>(0);
    return otp::started{otp::spawn_on<session>(c.supervisor->system(), c.where, std::move(start))};
  };
  return spec;
}

child_spec shard_branch(const environment_ptr& env, std::size_t index, otp::context_unit* unit) {
  const auto members = "sessions/" + std::to_string(index);
  auto of_sessions =
      otp::supervisor_spec("members", {strategy::simple_one_for_one, 10, flags.period}, {session_template()});
  of_sessions.name = members;
  child_spec worker;
  worker.id = "shard";
  worker.module = "shard";
  worker.start = [env, index, members, unit](const start_context& c) -> start_result {
    return otp::started{otp::spawn_child<shard>(*c.supervisor, unit, env, index, members, c.names), true};
  };
  return pinned(otp::supervisor_spec("shard-" + std::to_string(index),
                                     {strategy::rest_for_one, flags.intensity, flags.period},
                                     {pinned(std::move(of_sessions), unit), std::move(worker)}),
                unit);
}

child_spec native_server(const environment_ptr& env, const std::shared_ptr<server>& impl) {
  child_spec spec;
  spec.id = impl->name();
  spec.module = "native";
  spec.start = [env, impl](const start_context& c) -> start_result {
    return otp::started{otp::spawn_child<server_worker>(*c.supervisor, c.where, impl, env->router, c.names),
                        true};
  };
  return spec;
}

}  // namespace

child_spec registry_branch(const environment_ptr& env) {
  auto spec = otp::worker<registry>("registry", "registry", env->registry, env->router);
  spec.name = "registry";
  return spec;
}

child_spec servers_branch(const environment_ptr& env, const std::vector<std::shared_ptr<server>>& native) {
  std::vector<child_spec> children;
  for (const auto& impl : native)
    children.push_back(native_server(env, impl));
  return otp::supervisor_spec("servers", flags, std::move(children));
}

child_spec sessions_branch(const environment_ptr& env, otp::runtime& runtime) {
  std::vector<child_spec> shards;
  for (std::size_t i = 0; i < runtime.pool().size(); ++i)
    shards.push_back(shard_branch(env, i, runtime.unit(i)));
  return otp::supervisor_spec("sessions", flags, std::move(shards));
}

}  // namespace cafmcp::actors
