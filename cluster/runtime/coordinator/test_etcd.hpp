#pragma once
// Real etcd processes for tests: members on loopback, in a folder that goes with them, ended by their process
// ids, and by the kernel if the test dies. Included behind CAF's test headers. Not thread-safe.

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <boost/asio/ip/tcp.hpp>
#include <filesystem>
#include <fstream>
#include <memory>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include "cluster/runtime/coordinator/etcd_client.hpp"
#include "cluster/runtime/coordinator/etcd_coordinator.hpp"
#include "cluster/runtime/coordinator/test_loop.hpp"

namespace cafmcp::cluster::test {

/// A port on which nobody listened a moment ago, and that was given to nobody else here.
inline std::uint16_t free_port() {
  static std::set<std::uint16_t> given;
  namespace asio = boost::asio;
  asio::io_context io;
  for (;;) {
    const asio::ip::tcp::acceptor probe{io, {asio::ip::address_v4::loopback(), 0}};
    const auto port = probe.local_endpoint().port();
    if (given.insert(port).second)
      return port;
  }
}

/// One process.
class etcd_member {
 public:
  explicit etcd_member(std::vector<std::string> arguments, std::string log)
      : arguments_(std::move(arguments)), log_(std::move(log)) {}
  etcd_member(const etcd_member&) = delete;
  etcd_member& operator=(const etcd_member&) = delete;
  ~etcd_member() { kill(); }

  void start() {
    CAF_REQUIRE(pid_ == 0);
    std::vector<char*> argv;
    for (auto& a : arguments_)
      argv.push_back(a.data());
    argv.push_back(nullptr);
    const auto parent = ::getpid();
    pid_ = ::fork();
    if (pid_ != 0) {
      CAF_REQUIRE(pid_ > 0);
      return;
    }
    const int out = ::open(log_.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600);
    ::dup2(out, STDOUT_FILENO);
    ::dup2(out, STDERR_FILENO);
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    // It may have died before it was asked for.
    if (::getppid() == parent)
      ::execvp(argv[0], argv.data());
    ::_exit(127);
  }

  /// As the kernel would: at once.
  void kill() {
    if (pid_ <= 0)
      return;
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
    pid_ = 0;
  }

  void stop() const { ::kill(pid_, SIGSTOP); }
  void go_on() const { ::kill(pid_, SIGCONT); }
  bool running() const { return pid_ > 0; }

 private:
  std::vector<std::string> arguments_;
  const std::string log_;
  ::pid_t pid_ = 0;
};

/// What is different from a plain one.
struct etcd_setup {
  std::size_t members = 1;
  std::string scheme = "http";  ///< of the clients' port
  std::vector<std::string> more = {};
};

/// A few of them that are one.
class etcd_processes {
 public:
  explicit etcd_processes(etcd_setup setup = {}) : scheme_(std::move(setup.scheme)) {
    std::string pattern = (std::filesystem::temp_directory_path() / "cafmcp-etcd-XXXXXX").string();
    folder_ = ::mkdtemp(pattern.data());
    std::vector<std::string> peers;
    std::string all;
    for (std::size_t i = 0; i < setup.members; ++i) {
      ports_.push_back(free_port());
      peers.push_back("http://127.0.0.1:" + std::to_string(free_port()));
      all += (i > 0 ? ",m" : "m") + std::to_string(i) + '=' + peers.back();
    }
    for (std::size_t i = 0; i < setup.members; ++i) {
      const auto name = "m" + std::to_string(i);
      std::vector<std::string> arguments{
          "etcd", "--name=" + name, "--data-dir=" + (folder_ / name).string(),
          "--listen-client-urls=" + url(i), "--advertise-client-urls=" + url(i),
          "--listen-peer-urls=" + peers[i], "--initial-advertise-peer-urls=" + peers[i],
          "--initial-cluster=" + all, "--heartbeat-interval=50", "--election-timeout=500",
          // A leader that comes back doesn't unseat its successor by asking for votes.
          "--pre-vote=true", "--logger=zap", "--log-outputs=stderr"};
      arguments.insert(arguments.end(), setup.more.begin(), setup.more.end());
      members_.push_back(std::make_unique<etcd_member>(arguments, (folder_ / (name + ".log")).string()));
      members_.back()->start();
    }
  }
  etcd_processes(const etcd_processes&) = delete;
  etcd_processes& operator=(const etcd_processes&) = delete;
  ~etcd_processes() {
    members_.clear();
    std::error_code ignored;
    std::filesystem::remove_all(folder_, ignored);
  }

  std::string url(std::size_t i) const { return scheme_ + "://127.0.0.1:" + std::to_string(ports_[i]); }
  std::uint16_t port(std::size_t i) const { return ports_[i]; }
  std::size_t size() const { return members_.size(); }
  etcd_member& operator[](std::size_t i) { return *members_[i]; }

  /// With patience for tests.
  etcd_options options() const {
    etcd_options out;
    for (std::size_t i = 0; i < members_.size(); ++i)
      out.endpoints.push_back({url(i), {}});
    out.probe = 200ms;
    out.lag = 300ms;
    return out;
  }
  etcd_options options(std::size_t i) const {
    auto out = options();
    out.endpoints = {{url(i), {}}};
    return out;
  }

  /// What the members have written, for when something is wrong.
  std::string logs() const {
    std::ostringstream out;
    for (std::size_t i = 0; i < members_.size(); ++i)
      out << std::ifstream(folder_ / ("m" + std::to_string(i) + ".log")).rdbuf();
    return out.str();
  }

 private:
  const std::string scheme_;
  std::filesystem::path folder_;
  std::vector<std::uint16_t> ports_;
  std::vector<std::unique_ptr<etcd_member>> members_;
};

inline std::unique_ptr<coordinator> must_make(boost::asio::io_context& io, etcd_options options) {
  auto made = etcd_coordinator::make(io, std::move(options));
  CAF_REQUIRE(made.has_value());
  return std::move(*made);
}

/// Calls of the gateway that are no part of the interface.
class raw_client {
 public:
  raw_client(loop& l, etcd_options options) : loop_(l) {
    std::vector<etcd_target> targets;
    for (const auto& e : options.endpoints)
      targets.push_back(parse_endpoint(e).value());
    client_ = std::make_shared<etcd_client>(l.io, std::move(options), std::move(targets));
  }
  ~raw_client() { client_->close(); }

  etcd_reply call(const char* path, const nlohmann::json& body, milliseconds deadline = 10s) {
    const auto answer = std::make_shared<std::optional<etcd_reply>>();
    client_->call(path, body.dump(), etcd_client::repeat::yes, clock::now() + deadline,
                  [answer](etcd_reply r) { *answer = std::move(r); });
    CAF_REQUIRE(loop_.until([&] { return answer->has_value(); }, deadline + 1s));
    return **answer;
  }

 private:
  loop& loop_;
  std::shared_ptr<etcd_client> client_;
};

/// Which member leads; nothing if none says so.
inline std::optional<std::size_t> leader_of(loop& l, const etcd_processes& etcd) {
  for (std::size_t i = 0; i < etcd.size(); ++i) {
    const auto status =
        raw_client{l, etcd.options(i)}.call("/v3/maintenance/status", nlohmann::json::object(), 500ms);
    if (status.what == etcd_reply::kind::done && status.answer.contains("leader") &&
        status.answer["leader"] == status.answer["header"]["member_id"])
      return i;
  }
  return std::nullopt;
}

/// Whether it serves, within a time that suffices for its start.
inline bool serves(loop& l, coordinator& c) {
  asker ask{l, c};
  return l.until([&] { return ask.read("nothing/", 1s).has_value(); }, 30s);
}

}  // namespace cafmcp::cluster::test
