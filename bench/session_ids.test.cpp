#define CAF_SUITE session_ids

#include "bench/session_ids.hpp"

#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <set>

#include "tests/unit/caf_test.hpp"

using namespace cafmcp::bench;

namespace {

struct temporary_file {
  temporary_file() { ::close(mkstemp(path.data())); }
  ~temporary_file() { ::unlink(path.c_str()); }
  std::string path = "/tmp/cafmcp-ids-XXXXXX";
};

bool refused(const std::string& path, std::string_view because) {
  const auto read = read_ids(path);
  return read.has_error() && read.error().message.find(because) != std::string::npos;
}

}  // namespace

CAF_TEST(a sample has its size and nothing twice) {
  id_sample few{5};
  for (int i = 0; i < 3; ++i)
    few.add(std::to_string(i));
  CAF_CHECK_EQUAL(few.ids().size(), 3u);
  id_sample none;
  none.add("a");
  CAF_CHECK(none.ids().empty());
  id_sample many{100, 1};
  for (int i = 0; i < 10'000; ++i)
    many.add(std::to_string(i));
  const auto ids = many.ids();
  CAF_CHECK_EQUAL(ids.size(), 100u);
  CAF_CHECK_EQUAL(std::set<std::string>(ids.begin(), ids.end()).size(), 100u);
}

CAF_TEST(a sample is the same for the same seed) {
  const auto drawn = [](std::uint64_t seed) {
    id_sample s{10, seed};
    for (int i = 0; i < 1000; ++i)
      s.add(std::to_string(i));
    return s.ids();
  };
  CAF_CHECK(drawn(1) == drawn(1));
  CAF_CHECK(drawn(1) != drawn(2));
}

CAF_TEST(samples merge in proportion to what they have seen) {
  // One has seen nine times as many as the other: 900 of 1000 are its own, give or take six deviations.
  id_sample a{1000, 1};
  id_sample b{1000, 2};
  for (int i = 0; i < 90'000; ++i)
    a.add("a" + std::to_string(i));
  for (int i = 0; i < 10'000; ++i)
    b.add("b" + std::to_string(i));
  id_sample both;
  both.merge(a);
  both.merge(b);
  const auto ids = both.ids();
  CAF_CHECK_EQUAL(ids.size(), 1000u);
  const auto of_a = std::count_if(ids.begin(), ids.end(), [](const auto& id) { return id[0] == 'a'; });
  CAF_CHECK(of_a > 843 && of_a < 957);
}

CAF_TEST(a file gives back what was written) {
  const temporary_file file;
  const std::vector<std::string> ids{"s-1", std::string(256, 'x')};
  CAF_REQUIRE(write_ids(file.path, ids).has_value());
  CAF_CHECK(read_ids(file.path).value() == ids);
}

CAF_TEST(what is no file of ids is refused) {
  const temporary_file file;
  CAF_CHECK(refused(file.path, "has no ids"));
  for (const char* line : {"", "a b", "\xc3\xa4", "\r"}) {
    std::ofstream{file.path} << "a\n" << line << "\n";
    CAF_CHECK(refused(file.path, "line 2 is no id"));
  }
  std::ofstream{file.path} << std::string(257, 'x');
  CAF_CHECK(refused(file.path, "line 1"));
  CAF_CHECK(refused("/nowhere/ids", "cannot read"));
  CAF_CHECK(write_ids("/nowhere/ids", {}).has_error());
}
