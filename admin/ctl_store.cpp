// The commands of cafmcpctl that are about the session store.

#include <unistd.h>

#include <chrono>
#include <iomanip>
#include <thread>

#include "admin/ctl_run.hpp"
#include "admin/store_view.hpp"

namespace cafmcp::admin {

namespace {

using json = nlohmann::ordered_json;

constexpr std::chrono::milliseconds first_pause{20};
constexpr std::chrono::milliseconds longest_pause{500};

}  // namespace

int run_store_stats(const ctl_session& session, const ctl_arguments&, std::ostream& out, std::ostream& err) {
  return show(session, "store", out, err, draw_store);
}

// The check goes on in the node if this is interrupted, and the next one joins it.
int run_store_check(const ctl_session& session, const ctl_arguments&, std::ostream& out, std::ostream& err) {
  const json nothing = json::object();
  json answer;
  int code = ask(session, "store/check", &nothing, answer, err);
  const bool progress = ::isatty(STDERR_FILENO) == 1 && !session.json;
  const auto running = [&] { return code == ctl_done && answer.value("running", false); };
  bool said = false;
  for (auto pause = first_pause; running(); pause = std::min(2 * pause, longest_pause)) {
    if (progress && pause == longest_pause) {
      err << "\rchecking: " << std::setw(3) << static_cast<int>(100 * answer.value("part", 0.0)) << " %"
          << std::flush;
      said = true;
    }
    std::this_thread::sleep_for(pause);
    code = ask(session, "store/check", nullptr, answer, err);
  }
  if (said)
    err << "\r\x1b[K";
  if (code != ctl_done)
    return code;
  print(session, answer, out, draw_check);
  return is_sound(answer) ? ctl_done : ctl_refused;
}

}  // namespace cafmcp::admin
