#define CAF_SUITE supervisor_types

#include <algorithm>

#include "supervisors/supervisor.hpp"
#include "tests/unit/caf_test.hpp"

#include "supervisors/test_reports.hpp"
#include "supervisors/test_supervisor.hpp"

using namespace cafmcp::otp;
using namespace cafmcp::otp::testing;

namespace {

// A way to end, and what OTP calls it.
struct death {
  const char* name;
  bool abnormal;
  bool kill;
  bool exception;
  caf::error why;
};

std::vector<death> deaths() {
  return {
      {"normal", false, false, false, {}},
      {"shutdown", false, false, false, make_exit(exit_code::shutdown)},
      {"user_shutdown", false, false, false, caf::make_error(caf::exit_reason::user_shutdown)},
      {"shutdown with a context", false, false, false, make_exit(exit_code::shutdown, "enough")},
      {"exception", true, false, true, {}},
      {"kill", true, true, false, {}},
      {"quit with an error", true, false, false, caf::make_error(caf::sec::runtime_error)},
  };
}

const restart types[] = {restart::permanent, restart::transient, restart::temporary};

bool comes_back(restart r, const death& d) {
  return r == restart::permanent || (r == restart::transient && d.abnormal);
}

struct types_fixture : fixture {
  void die(const caf::actor& who, const death& d) {
    if (d.kill)
      kill(who);
    else if (d.exception)
      crash(who);
    else
      end(who, d.why);
  }
};

}  // namespace

CAF_TEST_FIXTURE_SCOPE(supervisor_types_tests, types_fixture)

CAF_TEST(restart type and reason decide on restart specification and report) {
  for (const auto r : types) {
    for (const auto& d : deaths()) {
      CAF_MESSAGE(to_string(r) << ", " << d.name);
      start({}, {plain("a", r), plain("z")});
      log.clear();
      log_capture capture;
      die(kid("a"), d);
      const auto said = capture.reports();
      const bool back = comes_back(r, d);
      CAF_CHECK_EQUAL(log, back ? list({"-a", "+a"}) : list({"-a"}));
      CAF_CHECK_EQUAL(children(), back                      ? list({"a running", "z running"})
                                  : r == restart::transient ? list({"a stopped", "z running"})
                                                            : list({"z running"}));
      const bool reported = r == restart::permanent || d.abnormal;
      CAF_CHECK_EQUAL(said.size(), reported ? 1u : 0u);
      if (reported)
        CAF_CHECK_EQUAL(said.front().substr(0, 19), "child_terminated a:");
      CAF_CHECK(!root_is_down());
    }
  }
}

CAF_TEST(an instance is restarted or forgotten and never stays stopped) {
  for (const auto r : types) {
    for (const auto& d : deaths()) {
      CAF_MESSAGE(to_string(r) << ", " << d.name);
      start({strategy::simple_one_for_one}, {plain("i", r)});
      const auto first = instance();
      instance();
      log.clear();
      die(first, d);
      const bool back = comes_back(r, d);
      CAF_CHECK_EQUAL(log, back ? list({"-i", "+i"}) : list({"-i"}));
      CAF_CHECK_EQUAL(counts(), back ? "1 2 0 2" : "1 1 0 1");
      CAF_CHECK(!root_is_down());
    }
  }
}

CAF_TEST(only a restart is counted and not an end) {
  start({strategy::one_for_one, 0}, {plain("a", restart::transient), plain("t", restart::temporary)});
  end("a");
  crash("t");
  CAF_CHECK(!root_is_down());
  ask(restart_child{"a"});
  crash("a");
  CAF_CHECK(root_is_down());
}

CAF_TEST(a transient child that has ended can be started again by request and a temporary one not ) {
  start({}, {plain("a", restart::transient), plain("t", restart::temporary)});
  end("a");
  end("t");
  log.clear();
  CAF_CHECK(!ask(restart_child{"a"}));
  CAF_CHECK_EQUAL(log, list({"+a"}));
  CAF_CHECK_EQUAL(ask(restart_child{"t"}), exit_code::not_found);
  CAF_CHECK_EQUAL(ask(delete_child{"t"}), exit_code::not_found);
}

CAF_TEST(the end of a temporary child touches nobody) {
  for (const auto s : {strategy::one_for_one, strategy::one_for_all, strategy::rest_for_one}) {
    for (const auto& d : deaths()) {
      CAF_MESSAGE(to_string(s) << ", " << d.name);
      start({s, 0}, {plain("a"), plain("t", restart::temporary), plain("z")});
      log.clear();
      die(kid("t"), d);
      CAF_CHECK_EQUAL(log, list({"-t"}));
      CAF_CHECK_EQUAL(children(), list({"a running", "z running"}));
      CAF_CHECK(!root_is_down());
    }
  }
}

CAF_TEST(a transient child that ended normally touches nobody either) {
  for (const auto s : {strategy::one_for_one, strategy::one_for_all, strategy::rest_for_one}) {
    start({s, 0}, {plain("a"), plain("t", restart::transient), plain("z")});
    log.clear();
    end("t");
    CAF_CHECK_EQUAL(log, list({"-t"}));
    CAF_CHECK_EQUAL(children(), list({"a running", "t stopped", "z running"}));
    CAF_CHECK(!root_is_down());
  }
}

CAF_TEST(a transient child that ended normally is started by the restart of its group) {
  for (const auto s : {strategy::one_for_all, strategy::rest_for_one}) {
    start({s}, {plain("a"), plain("t", restart::transient)});
    end("t");
    log.clear();
    crash("a");
    CAF_CHECK_EQUAL(log, list({"-a", "+a", "+t"}));
    CAF_CHECK_EQUAL(children(), list({"a running", "t running"}));
  }
}

CAF_TEST(a permanent supervisor that was told to stop by others comes back and a transient one does not ) {
  start({}, {supervisor_spec("p", {}, {plain("a")}), [this] {
               auto t = supervisor_spec("t", {}, {plain("b")});
               t.restart = restart::transient;
               return t;
             }()});
  log.clear();
  send_shutdown(kid("p"));
  send_shutdown(kid("t"));
  run();
  CAF_CHECK_EQUAL(children(), list({"p running", "t stopped"}));
  CAF_CHECK_EQUAL(std::count(log.begin(), log.end(), "+a"), 1);
  CAF_CHECK_EQUAL(std::count(log.begin(), log.end(), "+b"), 0);
}

CAF_TEST_FIXTURE_SCOPE_END()
