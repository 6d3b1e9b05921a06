#include "node/program.hpp"

#include <signal.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/signal_set.hpp>
#include <iostream>

#include "base/log.hpp"
#include "base/version.hpp"
#include "node/command_line.hpp"
#include "node/node.hpp"
#include "sdk/embed.hpp"

namespace cafmcp::node {

namespace {

log::logger& logger() {
  static auto& instance = log::get("node");
  return instance;
}

log::options log_options(const config::settings& s) {
  return {s.log.level, s.log.format, s.log.file};
}

int print_errors(const config::outcome& configuration) {
  for (const auto& line : configuration.errors)
    std::cerr << "cafmcpd: " << line << '\n';
  return 2;
}

// Loads the configuration again and takes over what can be; a broken one changes nothing.
void reload(node& n, const config::sources& sources) {
  const auto next = config::load(sources);
  if (!next.ok()) {
    for (const auto& line : next.errors)
      logger().error("reload refused, the old configuration stays", {{"reason", line}});
    return;
  }
  // The file is opened anew in any case: that is how logs are rotated.
  if (const auto opened = log::init(log_options(next.values)); !opened)
    logger().error("cannot open the log file again", {{"reason", opened.error().message}});
  const auto lines = n.reload(next.values);
  for (const auto& line : lines)
    logger().info("reload", {{"key", line}});
  if (lines.empty())
    logger().info("reload: nothing has changed");
}

// Caught from before the node starts: whoever has read the ready line may send them.
struct signals {
  explicit signals(boost::asio::io_context& events) : stop{events, SIGTERM, SIGINT}, hup{events, SIGHUP} {}
  boost::asio::signal_set stop;
  boost::asio::signal_set hup;
};

// Runs until a signal or the tree's own end says stop.
int serve(node& n, boost::asio::io_context& events, signals& caught, const std::string& death,
          const std::function<void()>& on_hup) {
  auto& [stop_signals, hup] = caught;
  std::function<void()> wait_hup = [&] {
    hup.async_wait([&](const boost::system::error_code& ec, int) {
      if (ec)
        return;
      on_hup();
      wait_hup();
    });
  };
  wait_hup();
  stop_signals.async_wait([&](const boost::system::error_code& ec, int signal) {
    if (!ec) {
      logger().info("stopping", {{"signal", ::sigabbrev_np(signal)}});
      events.stop();
    }
  });
  events.run();
  // From here a second signal ends the process at once.
  stop_signals.clear();
  hup.clear();
  if (!death.empty())
    logger().critical("the supervision tree has given up", {{"reason", death}});
  const bool clean = n.stop();
  if (clean)
    logger().info("stopped");
  log::shutdown();
  if (!clean)
    std::_Exit(1);  // threads may hang in handlers: nothing can be destroyed safely
  return death.empty() ? 0 : 1;
}

int run(const command_line& command, const config::outcome& configuration, std::vector<sdk::server> servers) {
  const auto& settings = configuration.values;
  if (const auto opened = log::init(log_options(settings)); !opened) {
    std::cerr << "cafmcpd: " << opened.error().message << '\n';
    return 1;
  }
  for (const auto key : config::without_effect(settings))
    logger().warn("this version accepts a key but does nothing with it yet", {{"key", key}});

  boost::asio::io_context events{1};
  const auto guard = boost::asio::make_work_guard(events);
  signals caught{events};
  std::string death;
  node n{settings, std::move(servers)};
  const auto started = n.start([&](std::string reason) {
    boost::asio::post(events, [&, reason = std::move(reason)] {
      death = reason;
      events.stop();
    });
  });
  if (!started) {
    log::shutdown();
    std::cerr << "cafmcpd: " << started.error().message << '\n';
    return 1;
  }
  std::cout << "cafmcpd " << settings.name << " ready " << n.service_url() << '\n';
  if (const auto console = n.console_url(); !console.empty())
    std::cout << "cafmcpd " << settings.name << " console " << console << '\n';
  std::cout.flush();
  logger().info("ready", {{"name", settings.name}, {"url", n.service_url()}, {"version", version}});
  return serve(n, events, caught, death, [&] { reload(n, command.sources); });
}

}  // namespace

int run_program(int argc, char** argv, std::vector<sdk::server> servers) {
  ::signal(SIGPIPE, SIG_IGN);
  const auto command = parse(argc, argv);
  if (command.what == command_line::action::exit)
    return command.exit_code;
  const auto configuration = config::load(command.sources);
  if (!configuration.ok())
    return print_errors(configuration);
  if (command.what == command_line::action::check_config) {
    std::cout << "cafmcpd: the configuration is valid\n";
    return 0;
  }
  return run(command, configuration, std::move(servers));
}

}  // namespace cafmcp::node

int cafmcp::sdk::run(int argc, char** argv, std::vector<server> servers) {
  return node::run_program(argc, argv, std::move(servers));
}
