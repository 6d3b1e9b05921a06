#define CAF_SUITE command_line

#include "node/command_line.hpp"

#include "tests/unit/caf_test.hpp"

using cafmcp::node::command_line;

namespace {

command_line parse(std::vector<const char*> arguments) {
  arguments.insert(arguments.begin(), "cafmcpd");
  return cafmcp::node::parse(static_cast<int>(arguments.size()), arguments.data());
}

}  // namespace

CAF_TEST(flags become keys) {
  const auto c = parse({"--name", "n1", "--seeds", "a:1,b:2", "--set", "log.level=debug", "--set",
                        "secret=a=b", "--config", "x.yaml"});
  CAF_CHECK(c.what == command_line::action::run);
  CAF_CHECK_EQUAL(c.sources.file, "x.yaml");
  CAF_REQUIRE_EQUAL(c.sources.flags.size(), 4u);
  CAF_CHECK_EQUAL(c.sources.flags[0].path, "name");
  CAF_CHECK_EQUAL(c.sources.flags[1].path, "cluster.seeds");
  CAF_CHECK_EQUAL(c.sources.flags[1].value, "a:1,b:2");
  CAF_CHECK_EQUAL(c.sources.flags[2].shown, "--set log.level");
  CAF_CHECK_EQUAL(c.sources.flags[3].value, "a=b");
}

CAF_TEST(the last of a repeated flag counts) {
  const auto c = parse({"--listen", "127.0.0.1:1", "--listen", "127.0.0.1:2"});
  CAF_REQUIRE_EQUAL(c.sources.flags.size(), 1u);
  CAF_CHECK_EQUAL(c.sources.flags[0].value, "127.0.0.1:2");
}

CAF_TEST(usage errors have exit code two) {
  for (const auto& wrong : std::vector<std::vector<const char*>>{
           {"--what"}, {"--listen"}, {"--set", "x"}, {"--set", "=x"}, {"surplus"}}) {
    const auto c = parse(wrong);
    CAF_CHECK(c.what == command_line::action::exit);
    CAF_CHECK_EQUAL(c.exit_code, 2);
  }
  CAF_CHECK_EQUAL(parse({"--version"}).exit_code, 0);
  CAF_CHECK(parse({"--check-config"}).what == command_line::action::check_config);
}
