// A target that is broken on purpose, for a test of the driver: it dies of an input that no seed is, and that
// takes two changes.
#include "tests/fuzz/fuzz.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto input = cafmcp::fuzz::text_of(data, size);
  FUZZ_CHECK(input.find("\"method\"1e400") == std::string_view::npos, input);
  return 0;
}
