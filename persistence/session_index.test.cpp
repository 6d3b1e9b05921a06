#define CAF_SUITE session_index

#include "persistence/session_index.hpp"

#include <map>
#include <random>

#include "tests/unit/caf_test.hpp"

using namespace cafmcp::persistence;

namespace {

using place = session_index::place;

bool same(const place& a, const place& b) {
  return a.key == b.key && a.row == b.row && a.last_active_ms == b.last_active_ms && a.ended == b.ended;
}

std::vector<place> find(const session_index& index, std::uint32_t bucket, std::uint64_t key) {
  std::vector<place> out;
  index.find(bucket, key, out);
  return out;
}

}  // namespace

CAF_TEST(all that a place can hold comes back) {
  session_index index;
  const place smallest{0, 1, 0, false};
  const place largest{(1ull << 44) - 1, (1ull << 40) - 1, (1ll << 43) - 1, true};
  index.add(0, smallest);
  index.add(0, largest);
  CAF_REQUIRE_EQUAL(find(index, 0, smallest.key).size(), 1u);
  CAF_CHECK(same(find(index, 0, smallest.key)[0], smallest));
  CAF_CHECK(same(find(index, 0, largest.key)[0], largest));
  CAF_CHECK(find(index, 1, largest.key).empty());
  CAF_CHECK(session_index::key_of("some id") < 1ull << 44);
  index.add(2, {5, 5, -7, false});
  CAF_CHECK(find(index, 2, 5)[0].last_active_ms == 0);
  CAF_CHECK_EQUAL(index.size(), 3u);
  CAF_CHECK_EQUAL(index.ended(), 1u);
}

// Against a plain map, with keys that often collide.
CAF_TEST(random changes) {
  std::mt19937 random{1};
  session_index index;
  std::map<std::pair<std::uint64_t, std::uint64_t>, place> expected;
  std::uint64_t row = 0;
  for (int i = 0; i < 20'000; ++i) {
    const auto what = random() % 10;
    if (what < 5 || expected.empty()) {
      const place p{random() % 300, ++row, static_cast<std::int64_t>(random() % 1'000'000), false};
      index.add(3, p);
      expected.emplace(std::pair{p.key, p.row}, p);
      continue;
    }
    auto i_th = std::next(expected.begin(), static_cast<std::ptrdiff_t>(random() % expected.size()));
    if (what < 8) {
      i_th->second.last_active_ms += 50'000;
      i_th->second.ended = random() % 2 == 0;
      index.update(3, i_th->second);
    } else {
      index.remove(3, i_th->second);
      expected.erase(i_th);
    }
    if (i % 500 != 0)
      continue;
    CAF_REQUIRE_EQUAL(index.size(), expected.size());
    std::size_t ended = 0;
    for (const auto& [name, p] : expected) {
      ended += p.ended;
      int found = 0;
      for (const auto& q : find(index, 3, p.key))
        found += same(p, q);
      CAF_REQUIRE_EQUAL(found, 1);
    }
    CAF_REQUIRE_EQUAL(index.ended(), ended);
    for (const bool over : {false, true}) {
      const auto before = static_cast<std::int64_t>(random() % 1'500'000);
      std::size_t old = 0;
      for (const auto& [name, p] : expected)
        old += p.ended == over && p.last_active_ms < before;
      std::map<std::pair<std::uint64_t, std::uint64_t>, int> got;
      for (const auto& p : index.old(3, before, over, 1'000'000)) {
        CAF_REQUIRE(p.last_active_ms < before && p.ended == over);
        ++got[{p.key, p.row}];
      }
      CAF_REQUIRE_EQUAL(got.size(), old);
      CAF_REQUIRE(index.old(3, before, over, 5).size() <= old);
    }
  }
}

CAF_TEST(pages come in order and have everybody once) {
  std::mt19937 random{2};
  session_index index;
  std::map<std::pair<std::uint64_t, std::uint64_t>, place> expected;
  for (std::uint64_t row = 1; row <= 3000; ++row) {
    const place p{random() % 1000, row, 1, row % 7 == 0};
    index.add(9, p);
    if (!p.ended)
      expected.emplace(std::pair{p.key, p.row}, p);
  }
  for (const std::size_t size : {1u, 7u, 1000u, 5000u}) {
    auto next = expected.begin();
    place after;
    for (bool more = true; more;) {
      const auto page = index.page(9, after, size);
      for (const auto& p : page) {
        CAF_REQUIRE(next != expected.end() && same(p, next->second));
        ++next;
      }
      more = page.size() == size;
      if (more)
        after = page.back();
    }
    CAF_REQUIRE(next == expected.end());
  }
}

CAF_TEST(a session in the index takes little) {
  session_index index;
  constexpr std::size_t count = 1'000'000;
  for (std::uint64_t row = 1; row <= count; ++row)
    index.add(static_cast<std::uint32_t>(row % bucket_count),
              {session_index::key_of(std::to_string(row)), row, static_cast<std::int64_t>(row), false});
  CAF_MESSAGE(index.bytes() / count << " bytes a session");
  CAF_CHECK(index.bytes() / count < 64);
}
