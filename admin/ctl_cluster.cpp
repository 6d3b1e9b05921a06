// The commands of cafmcpctl that are about the cluster.

#include <unistd.h>

#include <chrono>
#include <thread>

#include "admin/cluster_view.hpp"
#include "admin/ctl_run.hpp"

namespace cafmcp::admin {

namespace {

using json = nlohmann::ordered_json;

constexpr std::chrono::milliseconds watch_pause{1'000};
constexpr std::chrono::milliseconds leave_pause{200};

// Until it is interrupted: on a terminal the picture of the moment, else one after each change.
int watch(const ctl_session& session, const std::string& path, std::ostream& out, std::ostream& err,
          ctl_drawing draw) {
  const bool terminal = ::isatty(STDOUT_FILENO) == 1 && !session.json;
  json last;
  for (;;) {
    json answer;
    if (const int code = ask(session, path, nullptr, answer, err); code != ctl_done)
      return code;
    auto now = without_pulse(answer);
    if (terminal)
      out << "\x1b[H\x1b[2J";
    if (terminal || now != last)
      print(session, answer, out, draw);
    out << std::flush;
    last = std::move(now);
    if (!out)
      return ctl_refused;  // nobody reads it any more
    std::this_thread::sleep_for(watch_pause);
  }
}

}  // namespace

int run_cluster(const ctl_session& session, const ctl_arguments& given, std::ostream& out,
                std::ostream& err) {
  const bool buckets = given.options.contains("--buckets");
  const std::string path = buckets ? "cluster/buckets" : "cluster";
  const ctl_drawing draw = buckets ? draw_buckets : draw_cluster;
  return given.options.contains("--watch") ? watch(session, path, out, err, draw)
                                           : show(session, path, out, err, draw);
}

// The node goes on giving away if this is interrupted, and the next one goes on waiting.
int run_leave(const ctl_session& session, const ctl_arguments& given, std::ostream& out, std::ostream& err) {
  const json body = given.options.contains("--cancel") ? json{{"cancel", true}} : json::object();
  std::string said;
  for (;;) {
    json answer;
    if (const int code = ask(session, "cluster/leave", &body, answer, err); code != ctl_done)
      return code;
    const auto line = draw_leaving(answer);
    const bool over = answer.value("state", "") != "draining";
    if (session.json && over)
      print(session, answer, out, nullptr);
    else if (!session.json && line != said)
      out << line << '\n' << std::flush;
    if (over)
      return ctl_done;
    said = line;
    std::this_thread::sleep_for(leave_pause);
  }
}

int run_node_remove(const ctl_session& session, const ctl_arguments& given, std::ostream& out,
                    std::ostream& err) {
  const json body{{"node", given.words[0]}};
  json answer;
  const int code = ask(session, "cluster/remove", &body, answer, err);
  if (code == ctl_done)
    print(session, answer, out, draw_removed);
  return code;
}

}  // namespace cafmcp::admin
