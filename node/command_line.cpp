#include "node/command_line.hpp"

#include <CLI/CLI.hpp>
#include <iostream>

#include "base/version.hpp"

namespace cafmcp::node {

namespace {

// Flags that are short for a configuration key.
struct shorthand {
  const char* flag;
  const char* key;
  const char* type;
  const char* about;
};
constexpr shorthand shorthands[] = {
    {"--name", "name", "NAME", "name of this node (default: the host's)"},
    {"--listen", "listen", "HOST:PORT",
     "service port: MCP, /health, /metrics (default 127.0.0.1:8080; port 0 picks one)"},
    {"--cluster-listen", "cluster.listen", "HOST:PORT", "listen for other nodes of a cluster"},
    {"--seeds", "cluster.seeds", "HOST:PORT,...", "nodes to join"},
    {"--data-dir", "data_dir", "DIR", "where this node keeps what must last (default ./data)"},
    {"--region", "region", "R", "region of this node"},
    {"--zone", "zone", "Z", "zone of this node"},
};

}  // namespace

command_line parse(int argc, const char* const* argv) {
  command_line out;
  CLI::App app{"cafmcpd runs one node of cafmcp, a highly available MCP server.", "cafmcpd"};
  app.set_version_flag("--version", std::string{"cafmcpd "} + version);
  app.get_formatter()->column_width(34);
  bool check = false;
  bool keys = false;
  std::vector<std::string> sets;
  std::vector<std::string> values(std::size(shorthands));
  app.add_option("--config", out.sources.file, "configuration file (YAML)")->type_name("FILE")->take_last();
  std::vector<CLI::Option*> options;
  for (std::size_t i = 0; i < std::size(shorthands); ++i)
    options.push_back(app.add_option(shorthands[i].flag, values[i], shorthands[i].about)
                          ->type_name(shorthands[i].type)
                          ->take_last());
  app.add_option("--set", sets, "set any configuration key, as often as you like")
      ->type_name("KEY=VALUE")
      ->allow_extra_args(false);
  app.add_flag("--check-config", check, "check the configuration, say what is wrong, and exit (0 or 2)");
  app.add_flag("--keys", keys, "list all configuration keys with type, range and default, and exit");
  app.footer(
      "A flag overrides CAFMCP_* in the environment (CAFMCP_LOG_LEVEL is log.level), which overrides the "
      "file.");
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& e) {
    // CLI11 knows many exit codes; ours are 0 and 2.
    const int code = app.exit(e, std::cout, std::cerr);
    return {command_line::action::exit, code == 0 ? 0 : 2, {}};
  }
  if (keys) {
    std::cout << config::describe_keys();
    return {command_line::action::exit, 0, {}};
  }
  for (std::size_t i = 0; i < std::size(shorthands); ++i)
    if (options[i]->count() > 0)
      out.sources.flags.push_back({shorthands[i].key, values[i], shorthands[i].flag});
  for (const auto& set : sets) {
    const auto equals = set.find('=');
    if (equals == std::string::npos || equals == 0) {
      std::cerr << "cafmcpd: --set " << set << ": write --set key.path=value\n";
      return {command_line::action::exit, 2, {}};
    }
    const auto path = set.substr(0, equals);
    out.sources.flags.push_back({path, set.substr(equals + 1), "--set " + path});
  }
  out.sources.environment = config::process_environment();
  if (check)
    out.what = command_line::action::check_config;
  return out;
}

}  // namespace cafmcp::node
