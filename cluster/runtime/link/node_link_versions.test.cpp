#define CAF_SUITE node_link_versions

#include "cluster/runtime/link/node_link.hpp"
#include "supervisors/supervisor.hpp"
#include "tests/unit/caf_test.hpp"

// After caf_test.hpp, whose fixture it uses.
#include "cluster/runtime/link/test_link.hpp"

using namespace cafmcp;
using namespace cafmcp::cluster;
using namespace cafmcp::cluster::testing;

namespace {

/// `blob`, one release later.
struct newer_blob {
  std::string bytes;
  std::optional<std::string> label = "default";
};
template <class F>
typename F::result_type inspect(F& f, newer_blob& x) {
  return f(x.bytes, x.label);
}

/// A message that the release before doesn't have.
struct brand_new {
  int x = 0;
};
template <class F>
typename F::result_type inspect(F& f, brand_new& x) {
  return f(x.x);
}

}  // namespace

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(newer_blob)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(brand_new)

namespace {

const wire::message_table& newer_types() {
  static const auto table = [] {
    wire::message_table t;
    t.add<newer_blob>(16, 1 << 20).add<sample>(17).add<command>(18).add<brand_new>(19);
    return t;
  }();
  return table;
}

/// Answers what the newer release sends.
class newer_echo final : public otp::base_actor {
 public:
  using base_actor::base_actor;
  const char* name() const override { return "newer_echo"; }
  caf::behavior make_behavior() override {
    return {[](newer_blob& x) {
      x.bytes += x.label ? " (" + *x.label + ')' : " ()";
      x.label = "from the newer one";
      return std::move(x);
    }};
  }
};

/// Side a has the newer release.
struct mixed_fixture : link_fixture {
  mixed_fixture() {
    a->types = &newer_types();
    connect();
  }
};

}  // namespace

CAF_TEST_FIXTURE_SCOPE(node_link_version_tests, mixed_fixture)

CAF_TEST(an older node takes what it knows of a newer message and its answers are understood) {
  show<echo>("echo", &log);
  const auto remote = lookup("echo");
  const auto answer = ask<newer_blob>(remote, newer_blob{"hi", "a label"});
  CAF_REQUIRE(answer.has_value());
  CAF_CHECK(answer->bytes == "hi");
  CAF_CHECK(answer->label == "default");
  CAF_CHECK_EQUAL(log, events{"blob hi"});
}

CAF_TEST(a newer node understands an older message) {
  a->names["echo"] = make<newer_echo>();
  caf::actor remote;
  b->link->lookup("echo", [&](caf::actor who, const caf::error&) { remote = std::move(who); });
  run();
  CAF_REQUIRE(remote);
  const auto answer = ask<blob>(remote, blob{"hi"});
  CAF_REQUIRE(answer.has_value());
  CAF_CHECK(answer->bytes == "hi (default)");
}

CAF_TEST(a message that the other side does not know is refused and nothing else suffers) {
  show<echo>("echo");
  const auto remote = lookup("echo");
  CAF_CHECK(!ask<newer_blob>(remote, brand_new{1}));
  CAF_CHECK(is(refusal, link_error::refused_type));
  const auto answer = ask<newer_blob>(remote, newer_blob{"still", {}});
  CAF_CHECK(answer && answer->bytes == "still");
}

CAF_TEST_FIXTURE_SCOPE_END()

CAF_TEST_FIXTURE_SCOPE(remote_children, link_fixture)

CAF_TEST(a supervisor restarts a child on another node as one of its own) {
  std::vector<caf::actor> remotes;
  for (const std::string name : {"one", "two", "three"}) {
    show<echo>(name);
    remotes.push_back(lookup(name));
  }
  std::size_t starts = 0;
  otp::child_spec child;
  child.id = "remote";
  child.start = [&](const otp::start_context&) -> otp::start_result {
    if (starts == remotes.size())
      return otp::make_exit(otp::exit_code::start_failed, "no node left");
    return otp::started{remotes[starts++]};
  };
  const auto root = make<otp::supervisor>(otp::supervisor_options{
      "root", {otp::strategy::one_for_one, 2, std::chrono::seconds{5}}, {child}, nullptr, nullptr});
  run();
  CAF_CHECK_EQUAL(starts, 1u);
  CAF_CHECK_EQUAL(ask<caf::actor>(root, otp::find_child{"remote"}).value_or(caf::actor{}), remotes[0]);
  // The actor dies there, and then the link to it.
  caf::anon_send_exit(b->names["one"], caf::exit_reason::kill);
  run();
  CAF_CHECK_EQUAL(starts, 2u);
  CAF_CHECK_EQUAL(ask<caf::actor>(root, otp::find_child{"remote"}).value_or(caf::actor{}), remotes[1]);
  self->monitor(root);
  a->link->close(make_link_error(link_error::closed));
  run();
  CAF_CHECK_EQUAL(starts, 3u);  // and the third is dead when it starts, as any local one would be
  bool down = false;
  self->receive([&](const caf::down_msg& d) { down = otp::is_normal_exit(d.reason); },
                caf::after(std::chrono::seconds{0}) >> [] {});
  CAF_CHECK(down);  // more restarts than it puts up with
}

CAF_TEST(a supervisor stops a child on another node as one of its own) {
  for (const bool brutal : {false, true}) {
    show<echo>("echo");
    const auto remote = lookup("echo");
    const auto there = b->names["echo"];
    otp::child_spec child;
    child.id = "remote";
    child.shutdown =
        brutal ? otp::shutdown_rule::brutal_kill() : otp::shutdown_rule::within(std::chrono::seconds{5});
    child.start = [&](const otp::start_context&) -> otp::start_result { return otp::started{remote}; };
    const auto root = make<otp::supervisor>(otp::supervisor_options{"root", {}, {child}, nullptr, nullptr});
    run();
    self->monitor(root);
    otp::send_shutdown(root);
    run();
    CAF_CHECK(caf::actor_cast<echo*>(there)->has_ended());
    bool down = false;
    self->receive([&](const caf::down_msg& d) { down = otp::is_normal_exit(d.reason); },
                  caf::after(std::chrono::seconds{0}) >> [] {});
    CAF_CHECK(down);
  }
}

CAF_TEST_FIXTURE_SCOPE_END()
