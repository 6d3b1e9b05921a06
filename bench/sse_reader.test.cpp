#define CAF_SUITE sse_reader

#include "bench/sse_reader.hpp"

#include <vector>

#include "tests/unit/caf_test.hpp"

using namespace cafmcp::bench;

namespace {

struct outcome {
  std::vector<std::string> events;
  bool fits = true;
};

outcome read(std::string_view stream, std::size_t piece, std::size_t limit = 1000) {
  sse_reader reader{limit};
  outcome out;
  while (!stream.empty() && out.fits) {
    out.fits = reader.take(stream.substr(0, piece), [&](std::string& data) { out.events.push_back(data); });
    stream.remove_prefix(std::min(piece, stream.size()));
  }
  return out;
}

}  // namespace

CAF_TEST(events come out whole whatever the pieces) {
  for (const std::string_view end : {"\n", "\r\n", "\r"}) {
    std::string stream;
    for (const char* line :
         {": comment", "", "id: 7", "data: ", "", "event: message", "data: {\"a\":", "data:1}", "",
          "retry: 10", "data", "", "dataset: no", "", "data:  x", "", "data: unfinished"})
      stream.append(line).append(end);
    const std::vector<std::string> expected{"", "{\"a\":\n1}", "", " x"};
    for (std::size_t piece = 1; piece <= stream.size(); ++piece)
      CAF_REQUIRE(read(stream, piece).events == expected);
  }
}

CAF_TEST(an event has a limit) {
  const std::string line = "data: " + std::string(40, 'x') + "\n";
  CAF_CHECK_EQUAL(read(line + "\n", 7, 40).events.size(), 1u);
  CAF_CHECK(!read(line + line + "\n", 7, 40).fits);
  CAF_CHECK(!read(std::string(200, 'x'), 200, 40).fits);  // a line without an end
  CAF_CHECK(!read(std::string(200, 'x'), 1, 40).fits);
}

CAF_TEST(a new stream begins with nothing of the last) {
  sse_reader reader{100};
  std::vector<std::string> events;
  const auto keep = [&](std::string& data) { events.push_back(data); };
  CAF_REQUIRE(reader.take("data: old\ndata: ol", keep));
  reader.clear();
  CAF_REQUIRE(reader.take("\n\ndata: new\n\n", keep));
  CAF_CHECK(events == std::vector<std::string>{"new"});
}
