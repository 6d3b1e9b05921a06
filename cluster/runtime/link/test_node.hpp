#pragma once
// A node in a test: contexts, actors, a port on loopback, and the branch of links; several in one process
// make a cluster. What takes time is waited for by condition, with a deadline that only a broken program
// reaches. For a test file that has included `caf_test.hpp` before. Not thread-safe.

#include <atomic>
#include <functional>
#include <memory>
#include <random>
#include <string>
#include <thread>

#include "base/log.hpp"
#include "cluster/runtime/link/links_branch.hpp"
#include "cluster/runtime/link/test_link.hpp"
#include "supervisors/runtime.hpp"
#include "supervisors/supervisor.hpp"

namespace cafmcp::cluster::testing {

/// Waits until `what` holds; false after a minute.
inline bool until(const std::function<bool()>& what) {
  const auto end = std::chrono::steady_clock::now() + std::chrono::minutes{1};
  while (!what()) {
    if (std::chrono::steady_clock::now() > end)
      return false;
    std::this_thread::sleep_for(std::chrono::milliseconds{1});
  }
  return true;
}

/// What a test node is started with.
struct node_options {
  std::string name;
  std::vector<config::address> seeds = {};
  std::string secret = {};
  std::shared_ptr<tls_identity> tls = nullptr;
  std::shared_ptr<const net::listener> socket = nullptr;  ///< null: a free port
  std::string id = {};                                    ///< empty: made from the name
  std::uint32_t version = 1;
  link_manners manners = quick();
  link_bounds bounds = {};

  static link_manners quick() {
    link_manners m;
    m.first_retry = std::chrono::milliseconds{10};
    m.longest_retry = std::chrono::milliseconds{100};
    return m;
  }
};

/// The node.
class test_node {
 public:
  explicit test_node(node_options options)
      : runtime_(std::make_unique<otp::runtime>(otp::runtime_options{2})),
        socket_(options.socket ? options.socket
                               : std::make_shared<const net::listener>(net::listen("127.0.0.1", 0).value())) {
    auto env = std::make_shared<link_environment>();
    env->pool = &runtime_->pool();
    env->system = &runtime_->system();
    env->types = &test_types();
    env->resolve = [this](std::string_view name) -> result<caf::actor> {
      const std::lock_guard lock{mutex_};
      const auto i = shown_.find(name);
      return i == shown_.end() ? result<caf::actor>{fail(errc::not_found, "nobody is called that")}
                               : result<caf::actor>{i->second};
    };
    env->bounds = options.bounds;
    env->manners = options.manners;
    env->self.node = options.name;
    env->self.id = options.id.empty() ? "id of " + options.name : options.id;
    env->self.incarnation = std::random_device{}() | 1U;
    env->self.version = env->self.min_version = options.version;
    env->self.min_version = 1;
    env->self.address = "127.0.0.1:" + std::to_string(port());
    env->secret = options.secret;
    env->tls = options.tls;
    env->directory = directory;
    names_ = std::make_shared<otp::name_table>();
    root_ = otp::start_tree(runtime_->system(), runtime_->unit(0),
                            {"test",
                             {otp::strategy::one_for_one, 10, std::chrono::seconds{10}},
                             {links_branch(env, socket_, std::move(options.seeds))},
                             names_,
                             nullptr})
                .value();
  }
  ~test_node() { stop(); }

  /// As at SIGTERM.
  void stop() {
    if (!runtime_)
      return;
    {
      const std::lock_guard lock{mutex_};
      for (auto& [name, actor] : shown_)
        caf::anon_send_exit(actor, caf::exit_reason::kill);
      shown_.clear();
    }
    otp::send_shutdown(root_);
    CAF_CHECK_EQUAL(runtime_->await_actors(std::chrono::minutes{1}), 0u);
    root_ = nullptr;
    directory.reset();
    runtime_.reset();
  }

  std::uint16_t port() const { return socket_->endpoint().port(); }
  config::address address() const { return {"127.0.0.1", port()}; }
  std::shared_ptr<const net::listener> socket() const { return socket_; }
  caf::actor_system& system() { return runtime_->system(); }
  otp::runtime& runtime() { return *runtime_; }
  otp::name_table& names() { return *names_; }

  template <class T, class... Ts>
  caf::actor show(const std::string& name, Ts&&... xs) {
    auto actor = otp::spawn_on<T>(system(), runtime_->unit(1), std::forward<Ts>(xs)...);
    const std::lock_guard lock{mutex_};
    shown_[name] = actor;
    return actor;
  }
  bool linked_to(const std::string& node) const { return directory->find(node) != nullptr; }
  bool waits_for_link_to(const std::string& node) const {
    return until([&] { return linked_to(node); });
  }
  /// The actor that `node` shows under a name; null, and `refusal`, if there is none.
  caf::actor find(const std::string& node, const std::string& name) {
    const auto links = names_->lookup(links_name);
    CAF_REQUIRE(links.has_value());
    return ask<caf::actor>(*links, find_remote{node, name}).value_or(caf::actor{});
  }
  template <class T, class M>
  std::optional<T> ask(const caf::actor& whom, M message) {
    std::optional<T> answer;
    caf::scoped_actor self{system()};
    refusal = {};
    self->request(whom, std::chrono::minutes{1}, std::move(message))
        .receive([&](T& value) { answer = std::move(value); }, [&](caf::error& e) { refusal = e; });
    return answer;
  }

  caf::error refusal;
  std::shared_ptr<link_directory> directory = std::make_shared<link_directory>();

 private:
  std::unique_ptr<otp::runtime> runtime_;
  std::shared_ptr<const net::listener> socket_;
  std::shared_ptr<otp::name_table> names_;
  caf::actor root_;
  std::mutex mutex_;
  std::map<std::string, caf::actor, std::less<>> shown_;
};

}  // namespace cafmcp::cluster::testing
