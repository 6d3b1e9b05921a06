// cafmcpctl: the operator's console for a node. Exit codes: 0 done, 1 refused or failed, 2 usage, 3 cannot
// reach the node.

#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdlib>
#include <iostream>

#include "admin/console.hpp"
#include "admin/token.hpp"
#include "base/version.hpp"

namespace {

using namespace cafmcp;

std::string environment(const char* name, std::string otherwise) {
  const char* value = std::getenv(name);
  return value == nullptr || *value == '\0' ? std::move(otherwise) : std::string{value};
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app{"cafmcpctl shows and steers a cafmcp node: cafmcpctl [OPTIONS] [COMMAND [ARGUMENTS]]",
               "cafmcpctl"};
  app.set_version_flag("--version", std::string{"cafmcpctl "} + version);
  auto node = environment("CAFMCP_NODE", "http://127.0.0.1:8081");
  auto token = environment("CAFMCP_TOKEN", "");
  auto data_dir = environment("CAFMCP_DATA_DIR", "./data");
  bool json = false;
  std::vector<std::string> words;
  app.add_option("--node", node, "the node's admin listener (CAFMCP_NODE)")
      ->type_name("URL")
      ->capture_default_str();
  auto* token_option = app.add_option("--token", token, "the admin token (CAFMCP_TOKEN)")->type_name("TOKEN");
  auto* dir_option = app.add_option("--data-dir", data_dir,
                                    "where the node keeps admin.token (CAFMCP_DATA_DIR; default ./data)")
                         ->type_name("DIR");
  token_option->excludes(dir_option);
  app.add_flag("--json", json, "print one JSON document");
  app.footer("Commands (without one: an interactive console; COMMAND --help says more):\n" +
             admin::ctl_help() +
             "Exit codes: 0 done, 1 refused or failed, 2 usage, 3 cannot reach the node.");
  app.prefix_command();
  try {
    auto arguments = admin::own_options_first({argv + 1, argv + argc});
    std::reverse(arguments.begin(), arguments.end());  // CLI11 takes them from the end
    app.parse(std::move(arguments));
    words = app.remaining();
    if (!words.empty() && words.front().starts_with('-'))
      throw CLI::ExtrasError({words.front()});
  } catch (const CLI::ParseError& e) {
    return app.exit(e, std::cout, std::cerr) == 0 ? admin::ctl_done : admin::ctl_usage;
  }
  const auto target = admin::parse_node_url(node);
  if (!target) {
    std::cerr << "cafmcpctl: " << target.error().message << '\n';
    return admin::ctl_usage;
  }
  admin::ctl_session session{*target, json,
                             ::isatty(STDOUT_FILENO) != 0 && std::getenv("NO_COLOR") == nullptr};
  if (dir_option->count() > 0 || token.empty()) {
    const auto found = admin::read_token(data_dir);
    if (!found) {
      std::cerr << "cafmcpctl: " << found.error().message << "; give --token or the node's --data-dir\n";
      return admin::ctl_refused;
    }
    token = *found;
  }
  session.target.token = token;
  return words.empty() ? admin::run_console(session)
                       : admin::run_command(session, words, std::cout, std::cerr);
}
