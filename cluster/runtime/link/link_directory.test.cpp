#define CAF_SUITE link_directory

#include "cluster/runtime/link/link_directory.hpp"

#include "tests/unit/caf_test.hpp"

// After caf_test.hpp.
#include "cluster/runtime/link/test_link.hpp"

using namespace cafmcp::cluster;
using namespace cafmcp::cluster::testing;

namespace {

void count(node_link& link, std::uint64_t by) {
  auto& c = link.counters();
  c.bytes_out += by;
  c.bytes_in += 2 * by;
  c.messages_out += 3 * by;
  c.messages_in += 4 * by;
  c.dropped += 5 * by;
  c.refused += 6 * by;
}

bool are(const link_totals& t, std::uint64_t n) {
  return t.bytes_out == n && t.bytes_in == 2 * n && t.messages_out == 3 * n && t.messages_in == 4 * n &&
         t.dropped == 5 * n && t.refused == 6 * n;
}

struct fixture : link_fixture {
  // As all who ask see it.
  bool totals_are(std::uint64_t n) const {
    return are(directory.get("b").totals, n) && are(directory.list().at(0).second.totals, n);
  }
  void set(const std::shared_ptr<node_link>& link) {
    directory.change("b", [&](peer_view& view) { view.link = link; });
  }
  link_directory directory;
};

}  // namespace

CAF_TEST_FIXTURE_SCOPE(link_directory_tests, fixture)

CAF_TEST(what is counted of a peer only ever grows whatever becomes of its links) {
  const auto first = a->link;
  set(first);
  count(*first, 10);
  CAF_CHECK(totals_are(10));
  directory.change("b", [](peer_view& view) { view.trouble = "a change of something else"; });
  CAF_CHECK(totals_are(10));
  set(nullptr);
  CAF_CHECK(totals_are(10));
  count(*first, 1);  // too late
  CAF_CHECK(totals_are(10));
  const auto second = b->link;
  set(second);
  count(*second, 5);
  CAF_CHECK(totals_are(15));
  connect();
  const auto third = a->link;
  set(third);  // in the place of the other
  count(*third, 100);
  CAF_CHECK(totals_are(115));
  set(third);
  CAF_CHECK(totals_are(115));
  for (const auto& link : {first, second})
    link->close(make_link_error(link_error::closed));
}

CAF_TEST(a peer that is forgotten and comes back is a new one) {
  set(a->link);
  count(*a->link, 10);
  directory.forget("b");
  CAF_CHECK(!directory.knows("b"));
  CAF_CHECK(are(directory.get("b").totals, 0));
  directory.change("b", [](peer_view&) {});
  CAF_CHECK(totals_are(0));
}

CAF_TEST(a link has all of its window when it begins) {
  CAF_CHECK_EQUAL(a->link->counters().window_free, static_cast<std::int64_t>(bounds.window_bytes));
}

CAF_TEST_FIXTURE_SCOPE_END()
