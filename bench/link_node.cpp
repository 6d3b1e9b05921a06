#include "bench/link_node.hpp"

#include <caf/scoped_actor.hpp>
#include <future>
#include <random>

#include "cluster/runtime/link/link_directory.hpp"
#include "supervisors/supervisor.hpp"

namespace cafmcp::bench {

namespace {

constexpr std::chrono::seconds longest_wait{20};

const wire::message_table& link_types() {
  static const auto table = [] {
    wire::message_table t;
    t.add<blob>(16, 2 << 20).add<count_wanted>(17).add<arrived>(18);
    return t;
  }();
  return table;
}

std::shared_ptr<cluster::tls_identity> identity(const std::string& folder, const std::string& name) {
  if (folder.empty())
    return nullptr;
  const auto loaded = cluster::tls_identity::load(
      {folder + "/ca.pem", folder + "/" + name + ".pem", folder + "/" + name + ".key"}, name);
  if (!loaded)
    throw std::runtime_error(loaded.error().message);
  return *loaded;
}

}  // namespace

link_node::link_node(link_node_options o)
    : runtime_(std::make_unique<otp::runtime>(otp::runtime_options{o.threads})),
      directory_(std::make_shared<cluster::link_directory>()),
      socket_(std::make_shared<const net::listener>(net::listen("127.0.0.1", 0).value())) {
  const otp::supervisor_flags flags{otp::strategy::one_for_one, 10, std::chrono::seconds{10}};
  root_ = otp::start_tree(runtime_->system(), runtime_->unit(0),
                          {"bench",
                           flags,
                           {cluster::links_branch(environment(o), socket_, o.seeds)},
                           std::make_shared<otp::name_table>(),
                           nullptr})
              .value();
}

link_node::~link_node() {
  for (auto& [name, actor] : shown_)
    caf::anon_send_exit(actor, caf::exit_reason::kill);
  shown_.clear();
  otp::send_shutdown(root_);
  root_ = nullptr;
  runtime_->await_actors(longest_wait);
}

cluster::link_environment_ptr link_node::environment(const link_node_options& o) {
  auto env = std::make_shared<cluster::link_environment>();
  env->pool = &runtime_->pool();
  env->system = &runtime_->system();
  env->types = &link_types();
  env->resolve = [this](std::string_view name) { return resolve(name); };
  env->bounds = o.bounds;
  env->self.node = env->self.id = o.name;
  env->self.incarnation = std::random_device{}() | 1U;
  env->self.version = env->self.min_version = 1;
  env->self.address = "127.0.0.1:" + std::to_string(port());
  env->tls = identity(o.certs, o.name);
  env->directory = directory_;
  return env;
}

result<caf::actor> link_node::resolve(std::string_view name) {
  const std::lock_guard lock{mutex_};
  const auto i = shown_.find(name);
  return i == shown_.end() ? result<caf::actor>{fail(errc::not_found, "nobody is called that")}
                           : result<caf::actor>{i->second};
}

void link_node::show(const std::string& name, caf::actor actor) {
  const std::lock_guard lock{mutex_};
  shown_[name] = std::move(actor);
}

std::shared_ptr<cluster::node_link> link_node::link_to(const std::string& node) {
  caf::scoped_actor self{runtime_->system()};
  directory_->subscribe(caf::actor_cast<caf::actor>(self));
  bool late = false;
  while (!late) {
    if (auto link = directory_->find(node))
      return link;
    self->receive([](const cluster::link_event&) {}, caf::after(longest_wait) >> [&] { late = true; });
  }
  throw std::runtime_error("no link to " + node + ": " + directory_->get(node).trouble);
}

remote_actor link_node::find(cluster::node_link& link, const std::string& name) {
  std::promise<remote_actor> found;
  link.lookup(name, [&](caf::actor who, const caf::error& why) {
    if (who)
      found.set_value({std::move(who), runtime_->pool().current()});
    else
      found.set_exception(std::make_exception_ptr(std::runtime_error(caf::to_string(why))));
  });
  return found.get_future().get();
}

}  // namespace cafmcp::bench
