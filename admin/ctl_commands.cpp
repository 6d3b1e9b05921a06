#include "admin/ctl_commands.hpp"

#include <algorithm>
#include <array>
#include <optional>
#include <ostream>

#include "admin/ctl_run.hpp"
#include "admin/tree_view.hpp"
#include "base/log.hpp"

namespace cafmcp::admin {

namespace {

using words = std::vector<std::string>;

int run_status(const ctl_session& session, const ctl_arguments&, std::ostream& out, std::ostream& err) {
  return show(session, "status", out, err, draw_status);
}

int run_tree(const ctl_session& session, const ctl_arguments& given, std::ostream& out, std::ostream& err) {
  std::string path = "tree";
  if (!given.words.empty())
    path += "?id=" + encoded(given.words.front());
  else if (given.options.contains("--all"))
    path += "?limit=200";
  return show(session, path, out, err, draw_tree);
}

constexpr std::array<ctl_option, 1> tree_options{{{"--all", ""}}};
constexpr std::array<ctl_option, 2> list_options{{{"--limit", "K"}, {"--node", "NAME"}}};

constexpr std::array<ctl_option, 2> cluster_options{{{"--buckets", ""}, {"--watch", ""}}};
constexpr std::array<ctl_option, 1> leave_options{{{"--cancel", ""}}};

constexpr std::array<ctl_command, 12> table{{
    {"status", "", "who the node is and how it feels", 0, 0, {}, run_status},
    {"tree", "[--all] [ID]",
     "the supervision tree, or the part under ID (a path, or the end of one); --all: up to 200 instances", 0,
     1, tree_options, run_tree},
    {"session list", "[--limit K] [--node NAME]", "sessions, active and passive ones (100 unless K is given)",
     0, 0, list_options, run_session_list},
    {"session show",
     "ID",
     "all about a session; ID is its handle, or the whole id",
     1,
     1,
     {},
     run_session_show},
    {"session kill", "ID", "ends a session for good", 1, 1, {}, run_session_kill},
    {"why", "ID", "why a session is where it is, and what happened to it", 1, 1, {}, run_why},
    {"server list",
     "",
     "the servers behind the sessions, what they offer and how their calls went",
     0,
     0,
     {},
     run_server_list},
    {"cluster", "[--buckets] [--watch]",
     "the nodes and who owns how much; --buckets: each bucket; --watch: again at each change", 0, 0,
     cluster_options, run_cluster},
    {"leave", "[--cancel]",
     "gives the node's buckets to the others and takes it out of the cluster; --cancel: while it drains", 0,
     0, leave_options, run_leave},
    {"node remove", "NAME|ID", "forgets a node that is down and won't come back", 1, 1, {}, run_node_remove},
    {"store stats",
     "",
     "the session store: how much there is, how fast it writes, what went wrong",
     0,
     0,
     {},
     run_store_stats},
    {"store check",
     "",
     "looks at every record and operation on disk while the node works; damaged records are set aside",
     0,
     0,
     {},
     run_store_check},
}};

// Options that every command has.
constexpr std::array<std::string_view, 2> common_options{"--json", "--help"};

std::string usage_of(const ctl_command& c) {
  return std::string{c.name} + (c.arguments.empty() ? "" : " ") + std::string{c.arguments};
}

// The command that `given` begins with, and how many words it took.
std::pair<const ctl_command*, std::size_t> find_command(const words& given) {
  for (const auto& c : table) {
    const std::size_t count = c.name.find(' ') == std::string_view::npos ? 1 : 2;
    if (given.size() < count)
      continue;
    if (c.name == (count == 1 ? given[0] : given[0] + ' ' + given[1]))
      return {&c, count};
  }
  return {nullptr, 0};
}

int refuse_unknown(const words& given, std::ostream& err) {
  const auto first = log::printable(given.front(), 100);
  std::string known;
  for (const auto& c : table)
    if (c.name.starts_with(given.front() + ' '))
      known += (known.empty() ? "" : ", ") + std::string{c.name};
  if (!known.empty()) {
    err << "cafmcpctl: there are " << known << '\n';
    return ctl_usage;
  }
  err << "cafmcpctl: no command '" << first << "'; there are:";
  for (const auto& c : table)
    err << (&c == table.data() ? " " : ", ") << c.name;
  err << '\n';
  return ctl_usage;
}

// Takes a word that begins with two dashes, and the next one if that is its value. False: no such option.
bool take_option(const ctl_command& command, const words& given, std::size_t& i, ctl_arguments& out) {
  const auto equals = given[i].find('=');
  const auto name = given[i].substr(0, equals);
  for (const auto known : common_options)
    if (given[i] == known)
      return out.options.emplace(name, "").second;
  const auto option = std::find_if(command.options.begin(), command.options.end(),
                                   [&](const auto& o) { return o.name == name; });
  if (option == command.options.end() || (option->value.empty() && equals != std::string::npos))
    return false;
  std::string value;
  if (equals != std::string::npos)
    value = given[i].substr(equals + 1);
  else if (!option->value.empty()) {
    if (++i == given.size())
      return false;
    value = given[i];
  }
  return out.options.emplace(name, std::move(value)).second;
}

// What stands behind the command; nothing if that is not as the command wants it.
std::optional<ctl_arguments> parse(const ctl_command& command, const words& given, std::size_t begin) {
  ctl_arguments out;
  for (auto i = begin; i < given.size(); ++i) {
    if (!given[i].starts_with("--"))
      out.words.push_back(given[i]);
    else if (!take_option(command, given, i, out))
      return std::nullopt;
  }
  const bool fits = out.words.size() >= command.min_words && out.words.size() <= command.max_words;
  if (!fits && !out.options.contains("--help"))
    return std::nullopt;
  return out;
}

}  // namespace

std::span<const ctl_command> ctl_commands() {
  return table;
}

std::string ctl_help() {
  std::size_t width = 0;
  for (const auto& c : table)
    width = std::max(width, usage_of(c).size());
  std::string out;
  for (const auto& c : table) {
    const auto usage = usage_of(c);
    out += "  " + usage + std::string(width + 2 - usage.size(), ' ') + std::string{c.about} + '\n';
  }
  return out;
}

int run_command(const ctl_session& session, const words& given, std::ostream& out, std::ostream& err) {
  const auto [command, taken] = find_command(given);
  if (command == nullptr)
    return refuse_unknown(given, err);
  const auto arguments = parse(*command, given, taken);
  if (!arguments) {
    err << "cafmcpctl: usage: " << usage_of(*command) << '\n';
    return ctl_usage;
  }
  if (arguments->options.contains("--help")) {
    out << "cafmcpctl " << usage_of(*command) << "\n  " << command->about << '\n';
    return ctl_done;
  }
  auto mine = session;
  mine.json = session.json || arguments->options.contains("--json");
  return command->run(mine, *arguments, out, err);
}

std::vector<std::string> next_words(const words& line) {
  std::vector<std::string> out;
  for (const auto& c : table) {
    const auto space = c.name.find(' ');
    if (line.empty())
      out.emplace_back(c.name.substr(0, space));
    else if (line.size() == 1 && space != std::string_view::npos && c.name.substr(0, space) == line[0])
      out.emplace_back(c.name.substr(space + 1));
  }
  if (const auto* command = find_command(line).first) {
    for (const auto& option : command->options)
      out.emplace_back(option.name);
    out.insert(out.end(), common_options.begin(), common_options.end());
  }
  std::sort(out.begin(), out.end());
  out.erase(std::unique(out.begin(), out.end()), out.end());
  return out;
}

std::vector<std::string> own_options_first(const words& arguments) {
  constexpr std::array<std::string_view, 3> own{"--node", "--token", "--data-dir"};
  words first;
  words rest;
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    const auto equals = arguments[i].find('=');
    const auto name = arguments[i].substr(0, equals);
    const bool apart = equals == std::string::npos;
    const bool known = std::find(own.begin(), own.end(), name) != own.end();
    if (!known || (apart && i + 1 == arguments.size())) {
      rest.push_back(arguments[i]);
      continue;
    }
    const auto value = apart ? arguments[i + 1] : arguments[i].substr(equals + 1);
    const bool before =
        std::all_of(rest.begin(), rest.end(), [](const auto& w) { return w.starts_with('-'); });
    auto& to = before || name != "--node" || value.find("://") != std::string::npos ? first : rest;
    to.push_back(name);
    to.push_back(value);
    i += apart ? 1 : 0;
  }
  first.insert(first.end(), rest.begin(), rest.end());
  return first;
}

}  // namespace cafmcp::admin
