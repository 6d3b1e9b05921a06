#include "admin/ctl_commands.hpp"

#include <algorithm>
#include <array>
#include <ostream>

#include "admin/tree_view.hpp"
#include "base/log.hpp"

namespace cafmcp::admin {

namespace {

using json = nlohmann::ordered_json;
using words = std::vector<std::string>;

// Percent-encodes what an id may hold.
std::string encoded(const std::string& text) {
  std::string out;
  for (const char c : text) {
    if (c == '/')
      out += "%2F";
    else if (c == '#')
      out += "%23";
    else
      out += c;
  }
  return out;
}

// Asks the API; a refusal is printed and becomes the exit code.
int get(const ctl_session& session, const std::string& path, json& body, std::ostream& err) {
  auto answer = send(session.target, "GET", "/admin/api/v1/" + path);
  if (!answer) {
    err << "cafmcpctl: " << answer.error().message << '\n';
    return ctl_unreachable;
  }
  if (answer->status == 200) {
    body = std::move(answer->body);
    return ctl_done;
  }
  std::string message = "HTTP " + std::to_string(answer->status);
  if (answer->body.is_object() && answer->body.contains("error") && answer->body["error"].is_object())
    message = answer->body["error"].value("message", message);
  err << "cafmcpctl: " << log::printable(message) << '\n';
  return ctl_refused;
}

int show(const ctl_session& session, const std::string& path, std::ostream& out, std::ostream& err,
         std::string (*draw)(const json&, bool)) {
  json body;
  if (const int code = get(session, path, body, err); code != ctl_done)
    return code;
  if (session.json)
    out << body.dump(2, ' ', false, json::error_handler_t::replace) << '\n';
  else
    out << draw(body, session.colours);
  return ctl_done;
}

int run_status(const ctl_session& session, const words&, std::ostream& out, std::ostream& err) {
  return show(session, "status", out, err, draw_status);
}

int run_tree(const ctl_session& session, const words& arguments, std::ostream& out, std::ostream& err) {
  return show(session, arguments.empty() ? "tree" : "tree?id=" + encoded(arguments.front()), out, err,
              draw_tree);
}

constexpr std::array<ctl_command, 2> table{{
    {"status", "", "who the node is and how it feels", 0, run_status},
    {"tree", "[ID]", "the supervision tree, or the part under ID (a path, or the end of one)", 1, run_tree},
}};

}  // namespace

std::span<const ctl_command> ctl_commands() {
  return table;
}

int run_command(const ctl_session& session, const words& given, std::ostream& out, std::ostream& err) {
  const auto command =
      std::find_if(table.begin(), table.end(), [&](const auto& c) { return c.name == given.front(); });
  if (command == table.end()) {
    err << "cafmcpctl: no command '" << log::printable(given.front()) << "'; there are:";
    for (const auto& c : table)
      err << ' ' << c.name;
    err << '\n';
    return ctl_usage;
  }
  if (given.size() - 1 > command->max_arguments) {
    err << "cafmcpctl: usage: " << command->name << ' ' << command->arguments << '\n';
    return ctl_usage;
  }
  return command->run(session, words{given.begin() + 1, given.end()}, out, err);
}

}  // namespace cafmcp::admin
