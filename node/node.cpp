#include "node/node.hpp"

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstring>
#include <filesystem>
#include <system_error>

#include "actors/branches.hpp"
#include "actors/session_gateway.hpp"
#include "admin/heartbeat.hpp"
#include "admin/token.hpp"
#include "base/listener.hpp"
#include "base/log.hpp"
#include "base/version.hpp"
#include "sdk/blocking_pool.hpp"
#include "sdk/demo.hpp"
#include "transport/streamable_http.hpp"

namespace cafmcp::node {

namespace {

// What a drain leaves of `shutdown.timeout` for the rest of the tree.
std::chrono::milliseconds drain_limit_of(const config::settings& s) {
  return s.shutdown.timeout * 8 / 10;
}

std::string url_of(const net::listener& socket, const char* path) {
  const auto& endpoint = socket.endpoint();
  auto host = endpoint.address().to_string();
  if (endpoint.address().is_v6())
    host = '[' + host + ']';
  return "http://" + host + ':' + std::to_string(endpoint.port()) + path;
}

// Every connection is a descriptor: as many as this user may have.
void raise_descriptor_limit() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < limit.rlim_max) {
    limit.rlim_cur = limit.rlim_max;
    ::setrlimit(RLIMIT_NOFILE, &limit);
  }
}

}  // namespace

// A listening port: what outlives the actor that serves it.
struct node::port {
  std::shared_ptr<const net::listener> socket;
  std::shared_ptr<transport::metrics> counters = std::make_shared<transport::metrics>();
  std::shared_ptr<transport::router> routes = std::make_shared<transport::router>();
  std::shared_ptr<transport::connection_set> connections;
};

node::node(config::settings settings, std::vector<sdk::server> servers)
    : settings_(std::move(settings)),
      native_(std::move(servers)),
      drains_(std::make_shared<transport::drain_plan>(drain_limit_of(settings_))),
      root_(std::make_shared<admin::root_handle>()) {}

node::~node() {
  stop();
}

result<void> node::start(std::function<void(std::string)> on_death) {
  raise_descriptor_limit();
  if (auto opened = open_data_dir(); !opened)
    return opened;
  if (auto opened = open_ports(); !opened)
    return opened;
  return start_tree(std::move(on_death));
}

result<void> node::open_data_dir() const {
  const auto& dir = settings_.data_dir;
  std::error_code failed;
  std::filesystem::create_directories(dir, failed);
  if (failed)
    return fail(errc::io, "cannot create the data directory " + dir + ": " + failed.message());
  // Root may write anywhere, so try instead of asking.
  const auto probe = dir + "/.writable." + std::to_string(::getpid());
  const int fd = ::open(probe.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (fd < 0)
    return fail(errc::io, "cannot write into the data directory " + dir + ": " + std::strerror(errno) +
                              "; choose another one with --data-dir");
  ::close(fd);
  ::unlink(probe.c_str());
  return {};
}

result<void> node::open_ports() {
  const auto open = [](const config::address& where) -> result<std::unique_ptr<port>> {
    auto socket = net::listen(where.host, where.port);
    if (!socket)
      return socket.error();
    auto p = std::make_unique<port>();
    p->socket = std::make_shared<const net::listener>(std::move(*socket));
    return p;
  };
  auto service = open(settings_.listen);
  if (!service)
    return service.error();
  service_ = std::move(*service);
  if (settings_.cluster.listen) {
    auto part = cluster_part::open(settings_);
    if (!part)
      return part.error();
    cluster_ = std::move(*part);
  }
  if (!settings_.admin.listen)
    return {};
  auto admin = open(*settings_.admin.listen);
  if (!admin)
    return admin.error();
  admin_ = std::move(*admin);
  return {};
}

transport::limits node::limits() const {
  const auto& l = settings_.limits;
  transport::limits out;
  out.connections = l.connections;
  out.connections_per_address = l.connections_per_ip;
  out.header_bytes = l.header_bytes;
  out.body_bytes = l.body_bytes;
  out.header_timeout = l.header_timeout;
  out.idle_timeout = l.idle_timeout;
  out.write_timeout = l.write_timeout;
  out.request_timeout = l.request_timeout;
  return out;
}

std::vector<otp::child_spec> node::watch_children() {
  std::vector<otp::child_spec> children;
  for (std::size_t i = 0; i < runtime_->pool().size(); ++i) {
    otp::child_spec spec;
    spec.id = "heartbeat-" + std::to_string(i);
    spec.module = "heartbeat";
    spec.start = [status = status_,
                  unit = runtime_->unit(i)](const otp::start_context& context) -> otp::start_result {
      return otp::started{otp::spawn_child<admin::heartbeat>(*context.supervisor, unit, status), true};
    };
    children.push_back(std::move(spec));
  }
  return children;
}

otp::child_spec node::port_spec(const std::string& id, const port& p) const {
  auto spec = otp::worker<transport::http_worker>(
      id, "http_worker", transport::http_port{&runtime_->pool(), p.socket, p.connections, drains_});
  // The worker drains for at most the plan's time, which a reload may change: no limit of its own here.
  spec.shutdown = otp::shutdown_rule::infinity();
  spec.name = id;
  return spec;
}

// The servers of the configuration and the program, ready to be registered.
result<void> node::open_servers() {
  sdk::blocking_pool::limits bounds;
  bounds.threads = settings_.runtime.blocking_threads;
  blocking_ = std::make_shared<sdk::blocking_pool>(bounds);
  if (settings_.builtin.demo)
    native_.push_back(sdk::demo_server());
  for (auto& s : native_) {
    auto attached = s.attach(blocking_);
    if (!attached)
      return fail(attached.error().code, "server '" + s.name() + "': " + attached.error().message);
    servers_.push_back(std::move(*attached));
  }
  return {};
}

// In the order in which they start; they stop in reverse.
std::vector<otp::child_spec> node::branches() {
  const otp::supervisor_flags flags{otp::strategy::one_for_one, 10, std::chrono::seconds{10}};
  std::vector<otp::child_spec> out;
  out.push_back(actors::registry_branch(sessions_));
  if (cluster_)
    out.push_back(cluster_->branch(*runtime_, names_));
  out.push_back(actors::servers_branch(sessions_, servers_));
  out.push_back(actors::sessions_branch(sessions_, *runtime_));
  out.push_back(otp::supervisor_spec("watch", flags, watch_children()));
  if (admin_)
    out.push_back(otp::supervisor_spec("admin", flags, {port_spec("admin-listener", *admin_)}));
  out.push_back(otp::supervisor_spec("transport", flags, {port_spec("listener", *service_)}));
  return out;
}

std::shared_ptr<const admin::api_context> node::make_api(std::string token) const {
  auto api = std::make_shared<admin::api_context>();
  api->runtime = runtime_.get();
  api->root = root_;
  api->status = status_;
  api->metrics = {status_, {{"service", service_->counters}}, &runtime_->system()};
  if (admin_)
    api->metrics.ports.push_back({"admin", admin_->counters});
  api->directory = sessions_->router->shared_directory();
  api->store = sessions_->store;
  api->registry = sessions_->registry;
  if (cluster_) {
    api->links = cluster_->directory();
    api->cluster = cluster_->state();
    api->names = names_;
    api->cluster_address = cluster_->address();
    api->metrics.tls = cluster_->tls();
  }
  api->gateway = gateway_;
  api->token = std::move(token);
  api->test_hooks = settings_.admin.test_hooks;
  return api;
}

result<void> node::start_tree(std::function<void(std::string)> on_death) {
  auto token = admin::load_or_create_token(settings_.data_dir);
  if (!token)
    return token.error();
  runtime_ = std::make_unique<otp::runtime>(otp::runtime_options{settings_.runtime.threads});
  status_ = std::make_shared<admin::node_status>(settings_.name, settings_.region, settings_.zone,
                                                 runtime_->pool().size());
  auto store = open_store(settings_);
  if (!store)
    return store.error();
  store_ = std::move(*store);
  status_->watch([store = store_] {
    const auto health = store->health();
    return health ? std::string{} : health.error().message;
  });
  if (const auto state = cluster_ ? cluster_->state() : nullptr)
    status_->watch_cluster([state] { return state->why_isolated(); });
  sessions_ = make_sessions(settings_, *runtime_, store_,
                            settings_.public_url.empty() ? service_url() : settings_.public_url);
  gateway_ = std::make_shared<actors::session_gateway>(*runtime_, sessions_);
  if (auto opened = open_servers(); !opened)
    return opened;
  const auto api = make_api(std::move(*token));
  admin::add_service_routes(*service_->routes, api);
  transport::add_mcp_routes(*service_->routes, gateway_, make_mcp_options(settings_, service_->counters));
  if (admin_)
    admin::add_admin_routes(*admin_->routes, api);

  const auto log_event = [](const transport::event& e) {
    log::get("transport").warn("http", {{"detail", e.detail}});
  };
  for (auto* p : {service_.get(), admin_.get()})
    if (p != nullptr)
      p->connections =
          transport::connection_set::make(runtime_->pool(), p->routes, limits(), p->counters, log_event);

  const otp::supervisor_flags flags{otp::strategy::one_for_one, 10, std::chrono::seconds{10}};
  auto root =
      otp::start_tree(runtime_->system(), runtime_->unit(0), {"cafmcp", flags, branches(), names_, nullptr});
  if (!root)
    return fail(errc::internal, "the supervision tree did not start: " + root.error().message);
  caf::actor_cast<caf::abstract_actor*>(*root)->attach_functor(
      [on_death = std::move(on_death)](const caf::error& reason) { on_death(otp::describe(reason)); });
  root_->set(std::move(*root));
  status_->set_phase(admin::node_phase::serving);
  return {};
}

bool node::stop() {
  if (!runtime_)
    return true;
  const auto deadline = std::chrono::steady_clock::now() + settings_.shutdown.timeout;
  status_->set_phase(admin::node_phase::draining);
  drains_->set_end(transport::drain_plan::clock::now() + drain_limit_of(settings_));
  auto root = root_->get();  // held to the end: an actor that nobody holds any more ends at once
  root_->set(nullptr);
  otp::send_shutdown(root);
  const auto left = runtime_->await_actors(
      std::chrono::duration_cast<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now()));
  if (left > 0) {
    log::get("node").error("actors did not stop in time", {{"actors", left}});
    return false;
  }
  root = nullptr;
  // Connections that are left may hold sessions and servers, and these know the runtime.
  blocking_.reset();
  runtime_.reset();
  const auto closed = store_ ? store_->close() : result<void>{};
  if (!closed)
    log::get("node").error("the store did not close well", {{"reason", closed.error().message}});
  return closed.has_value();
}

std::vector<std::string> node::reload(const config::settings& next) {
  std::vector<std::string> lines;
  for (const auto& change : config::diff_reload(settings_, next)) {
    const auto what = std::string{change.path} + ": " + change.before + " -> " + change.after;
    lines.push_back(change.reloadable ? "changed " + what : "needs a restart: " + what);
  }
  if (cluster_)
    for (auto& line : cluster_->reload())
      lines.push_back(std::move(line));
  settings_.log = next.log;
  settings_.shutdown = next.shutdown;
  settings_.limits = next.limits;
  drains_->set_limit(drain_limit_of(settings_));
  for (auto* p : {service_.get(), admin_.get()})
    if (p != nullptr)
      p->connections->set_limits(limits());
  return lines;
}

std::string node::service_url() const {
  return url_of(*service_->socket, "/mcp");
}

std::string node::console_url() const {
  return admin_ ? url_of(*admin_->socket, "/admin/") : std::string{};
}

}  // namespace cafmcp::node
