#define CAF_SUITE revision

#include "mcp/revision.hpp"

#include "mcp/methods.hpp"
#include "tests/unit/caf_test.hpp"

using namespace cafmcp::mcp;

CAF_TEST(known revisions are answered with themselves and others with the latest of the session era) {
  for (const auto r : all_session_revisions) {
    CAF_CHECK(negotiate(to_string(r)) == r);
    CAF_CHECK(parse_revision(to_string(r)) == r);
  }
  for (const auto* text : {"2026-07-28", "1.0.0", "", "2024-11-05 ", "2099-01-01"}) {
    CAF_CHECK(negotiate(text) == revision::v2025_11_25);
  }
  CAF_CHECK(parse_revision("2026-07-28") == revision::v2026_07_28);
  CAF_CHECK(!parse_revision("2024-11-5"));
}

CAF_TEST(features come and go with the revisions) {
  using enum revision;
  CAF_CHECK(!has(v2024_11_05, feature::batches));
  CAF_CHECK(has(v2025_03_26, feature::batches));
  CAF_CHECK(!has(v2025_06_18, feature::batches));
  CAF_CHECK(!has(v2024_11_05, feature::audio));
  CAF_CHECK(has(v2026_07_28, feature::audio));
  CAF_CHECK(!has(v2025_03_26, feature::structured_content));
  CAF_CHECK(has(v2025_06_18, feature::resource_link));
  CAF_CHECK(!has(v2025_06_18, feature::input_error_as_result));
  CAF_CHECK(has(v2025_11_25, feature::icons));
  CAF_CHECK(!has(v2026_07_28, feature::session));
  CAF_CHECK(v2024_11_05 < v2025_03_26);
}

CAF_TEST(methods are found by name and known by revision and direction) {
  using enum revision;
  for (unsigned i = 0; i <= static_cast<unsigned>(method::tools_list); ++i) {
    const auto m = static_cast<method>(i);
    CAF_REQUIRE(find_method(to_string(m)) != nullptr);
    CAF_CHECK(find_method(to_string(m))->method == m);
  }
  for (const auto* name : {"", "tools", "tools/cal", "tools/callx", "zzz", "Tools/call"}) {
    CAF_CHECK(find_method(name) == nullptr);
  }
  const auto is = [](const char* name, revision r, direction to) {
    return available(*find_method(name), r, to);
  };
  CAF_CHECK(is("tools/call", v2024_11_05, direction::to_server));
  CAF_CHECK(!is("tools/call", v2025_11_25, direction::to_client));
  CAF_CHECK(is("ping", v2025_11_25, direction::to_client));
  CAF_CHECK(!is("ping", v2026_07_28, direction::to_server));
  CAF_CHECK(!is("elicitation/create", v2025_03_26, direction::to_client));
  CAF_CHECK(!is("server/discover", v2025_11_25, direction::to_server));
  CAF_CHECK(!is("tasks/get", v2025_06_18, direction::to_server));
}
