#define CAF_SUITE work_list

#include "bench/work_list.hpp"

#include <thread>
#include <vector>

#include "tests/unit/caf_test.hpp"

using namespace cafmcp::bench;

CAF_TEST(each piece is taken once and the end is told once) {
  constexpr std::uint64_t pieces = 10'000;
  std::atomic<int> ends = 0;
  work_list work{pieces, [&] { ++ends; }};
  std::vector<std::atomic<int>> taken(pieces);
  {
    std::vector<std::jthread> threads;
    for (int i = 0; i < 4; ++i)
      threads.emplace_back([&] {
        while (const auto piece = work.take()) {
          ++taken[*piece];
          work.done();
        }
      });
  }
  for (const auto& times : taken)
    CAF_REQUIRE_EQUAL(times.load(), 1);
  CAF_CHECK_EQUAL(ends.load(), 1);
  CAF_CHECK_EQUAL(work.pieces_done(), pieces);
}

CAF_TEST(what is given back is taken again) {
  int ends = 0;
  work_list work{2, [&] { ++ends; }};
  CAF_CHECK(work.take() == 0u);
  CAF_CHECK(work.take() == 1u);
  CAF_CHECK(!work.take());
  work.give_back();
  work.again();
  work.done();
  CAF_CHECK_EQUAL(ends, 0);
  CAF_CHECK(work.take().has_value());
  work.done();
  CAF_CHECK_EQUAL(ends, 1);
  CAF_CHECK_EQUAL(work.times_again(), 1u);
}

CAF_TEST(no work has no end) {
  work_list work{0, [] { CAF_FAIL("an end"); }};
  CAF_CHECK(!work.take());
}
