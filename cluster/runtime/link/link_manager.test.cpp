#define CAF_SUITE link_manager

#include "cluster/runtime/link/link_manager.hpp"

#include "cluster/runtime/link/test_certificates.hpp"
#include "supervisors/test_reports.hpp"
#include "tests/unit/caf_test.hpp"

// After caf_test.hpp.
#include "cluster/runtime/link/test_node.hpp"

using namespace cafmcp;
using namespace cafmcp::cluster;
using namespace cafmcp::cluster::testing;

namespace {

constexpr long day = 24L * 3600;

struct fixture {
  // A node whose certificate ends in so many seconds, and that looks at it all the time.
  std::unique_ptr<test_node> start(const std::string& name, long until) {
    const auto own = test::make({.dns = {name}, .until = until}, &ca);
    node_options options{name};
    options.tls = tls_identity::load(files.write(name, own, ca), name).value();
    options.manners.expiry_pause = std::chrono::milliseconds{5};
    end = options.tls->expires();
    expires = shown_time(end);
    return std::make_unique<test_node>(options);
  }
  // Waits for so many lines with that value; all that came until then are in `seen`.
  bool says(const char* key, const std::string& value, std::size_t times) {
    std::size_t found = 0;
    return until([&] {
      for (auto& line : log.take()) {
        found += line.value(key, "") == value ? 1 : 0;
        seen.push_back(std::move(line));
      }
      return found >= times;
    });
  }

  otp::testing::log_capture log;
  test::folder files;
  test::identity ca = test::make_authority(365 * day);
  std::chrono::system_clock::time_point end;  // of the last one's certificate
  std::string expires;                        // the same as text
  otp::testing::lines seen;
};

}  // namespace

CAF_TEST_FIXTURE_SCOPE(link_manager_tests, fixture)

CAF_TEST(a certificate that ends within two weeks is told of again and again and no other) {
  const auto later = start("later", 15 * day);
  const auto others = expires;
  const auto soon = start("soon", 13 * day);
  CAF_CHECK(says("expires", expires, 3));
  for (const auto& line : seen)
    CAF_CHECK_NOT_EQUAL(line.value("expires", ""), others);
}

CAF_TEST(a certificate that has ended is an error) {
  const auto node = start("a", 3);
  CAF_CHECK(until([&] { return std::chrono::system_clock::now() > end; }));
  CAF_CHECK(says("expired", expires, 2));
  CAF_CHECK_EQUAL(seen.back().value("level", ""), "error");
}

CAF_TEST_FIXTURE_SCOPE_END()
