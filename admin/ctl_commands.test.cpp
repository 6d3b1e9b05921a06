#define CAF_SUITE ctl_commands

#include "admin/ctl_commands.hpp"

#include <algorithm>
#include <sstream>

#include "admin/ctl_run.hpp"
#include "tests/unit/caf_test.hpp"
#include "transport/streamable_http_headers.hpp"

using namespace cafmcp;
using words = std::vector<std::string>;

namespace {

struct fixture {
  // Nobody listens there: a command that is as it should be fails to reach the node.
  int run(words given) {
    const admin::ctl_session nowhere{{"127.0.0.1", "1", "token"}, false, false};
    out.str({});
    err.str({});
    return admin::run_command(nowhere, given, out, err);
  }
  std::ostringstream out;
  std::ostringstream err;
};

bool has(const words& list, const std::string& word) {
  return std::find(list.begin(), list.end(), word) != list.end();
}

}  // namespace

CAF_TEST_FIXTURE_SCOPE(ctl_commands_tests, fixture)

CAF_TEST(commands of one word and of two are found and their arguments counted) {
  for (const auto& good : std::vector<words>{{"status"},
                                             {"tree"},
                                             {"tree", "a/b"},
                                             {"tree", "--all"},
                                             {"session", "list"},
                                             {"session", "list", "--limit", "5"},
                                             {"session", "list", "--limit=5", "--node", "n", "--json"},
                                             {"session", "show", "s-x"},
                                             {"session", "kill", "s-x"},
                                             {"why", "s-x"},
                                             {"cluster"},
                                             {"cluster", "--buckets", "--watch"},
                                             {"leave"},
                                             {"leave", "--cancel"},
                                             {"node", "remove", "n1"},
                                             {"server", "list"}}) {
    CAF_CHECK_EQUAL(run(good), admin::ctl_unreachable);
    CAF_CHECK_NOT_EQUAL(err.str().find("cannot reach"), std::string::npos);
  }
}

CAF_TEST(what is wrong with a command is said and nobody is asked) {
  for (const auto& bad : std::vector<words>{{"nonsense"},
                                            {"session"},
                                            {"session", "nonsense"},
                                            {"session", "list", "superfluous"},
                                            {"session", "list", "--limit"},
                                            {"session", "list", "--limit", "1", "--limit", "2"},
                                            {"session", "list", "--all"},
                                            {"session", "show"},
                                            {"session", "show", "a", "b"},
                                            {"tree", "--all=yes"},
                                            {"status", "--limit", "1"},
                                            {"cluster", "--all"},
                                            {"leave", "n1"},
                                            {"node"},
                                            {"node", "remove"},
                                            {"why"}}) {
    CAF_CHECK_EQUAL(run(bad), admin::ctl_usage);
    CAF_CHECK(err.str().starts_with("cafmcpctl: "));
    CAF_CHECK(out.str().empty());
  }
  run({"session"});
  CAF_CHECK_NOT_EQUAL(err.str().find("session list, session show, session kill"), std::string::npos);
  run({"session", "show"});
  CAF_CHECK_NOT_EQUAL(err.str().find("usage: session show ID"), std::string::npos);
}

CAF_TEST(help needs neither a node nor arguments) {
  CAF_CHECK_EQUAL(run({"session", "show", "--help"}), admin::ctl_done);
  CAF_CHECK_NOT_EQUAL(out.str().find("session show ID"), std::string::npos);
  const auto help = admin::ctl_help();
  for (const auto& c : admin::ctl_commands()) {
    CAF_CHECK_NOT_EQUAL(help.find("  " + std::string{c.name}), std::string::npos);
    CAF_CHECK_NOT_EQUAL(help.find(std::string{c.about}), std::string::npos);
  }
}

CAF_TEST_FIXTURE_SCOPE_END()

CAF_TEST(the console knows what may come next) {
  const auto first = admin::next_words({});
  for (const auto* word : {"status", "tree", "session", "server", "why"})
    CAF_CHECK_EQUAL(std::count(first.begin(), first.end(), word), 1);
  CAF_CHECK(admin::next_words({"session"}) == words({"kill", "list", "show"}));
  CAF_CHECK(has(admin::next_words({"session", "list"}), "--limit"));
  CAF_CHECK(has(admin::next_words({"tree"}), "--all"));
  CAF_CHECK(!has(admin::next_words({"session", "show"}), "--limit"));
  CAF_CHECK(admin::next_words({"nonsense"}).empty());
}

CAF_TEST(options of the program may stand behind the command) {
  using admin::own_options_first;
  CAF_CHECK(own_options_first({"--node", "http://h:1", "status"}) ==
            words({"--node", "http://h:1", "status"}));
  CAF_CHECK(own_options_first({"--json", "--node", "h", "status"}) ==
            words({"--node", "h", "--json", "status"}));
  CAF_CHECK(own_options_first({"session", "list", "--node", "n1"}) ==
            words({"session", "list", "--node", "n1"}));
  CAF_CHECK(own_options_first({"session", "list", "--node=n1"}) ==
            words({"session", "list", "--node", "n1"}));
  CAF_CHECK(own_options_first({"session", "list", "--node", "http://h:1", "--node", "n1"}) ==
            words({"--node", "http://h:1", "session", "list", "--node", "n1"}));
  CAF_CHECK(own_options_first({"status", "--token=a=b", "--json"}) ==
            words({"--token", "a=b", "status", "--json"}));
  CAF_CHECK(own_options_first({"status", "--data-dir"}) == words({"status", "--data-dir"}));
}

CAF_TEST(what is encoded for a query comes out again) {
  std::string all;
  for (int c = 0; c < 256; ++c)
    all += static_cast<char>(c);
  for (const auto& text : {all, std::string{"a/b#c&d=e+f%20 ä"}, std::string{}})
    CAF_CHECK_EQUAL(transport::query_value("x=1&id=" + admin::encoded(text) + "&y=2", "id"), text);
  CAF_CHECK_EQUAL(admin::encoded("s-abc_~.1"), "s-abc_~.1");
}
