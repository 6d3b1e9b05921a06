// Messages between nodes: what can be decoded is what it would be encoded as, and takes no more memory than
// its bytes allow.
#include <map>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "cluster/wire/reader.hpp"
#include "cluster/wire/writer.hpp"
#include "tests/fuzz/fuzz.hpp"

namespace {

using namespace cafmcp;

struct leaf {
  std::int32_t number = 0;
  std::string text;
};
template <class F>
typename F::result_type inspect(F& f, leaf& x) {
  return f(x.number, x.text);
}

struct tree {
  bool flag = false;
  double real = 0;
  std::uint64_t large = 0;
  std::vector<leaf> leaves;
  std::map<std::string, std::optional<std::int64_t>> map;
  std::variant<std::uint8_t, std::string, leaf> either;
  std::vector<tree> children;
};
template <class F>
typename F::result_type inspect(F& f, tree& x) {
  return f(x.flag, x.real, x.large, x.leaves, x.map, x.either, x.children);
}

std::size_t size_of(const tree& t) {
  std::size_t n = 1 + t.map.size();
  for (const auto& l : t.leaves)
    n += 1 + l.text.size();
  for (const auto& c : t.children)
    n += size_of(c);
  return n;
}

std::string encoded(const tree& t) {
  std::string out;
  wire::writer{out}.message(t);
  return out;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto bytes = fuzz::text_of(data, size);
  tree first;
  if (!wire::reader{bytes}.message(first))
    return 0;
  FUZZ_CHECK(size_of(first) <= 2 * bytes.size() + 2, bytes);
  const auto once = encoded(first);
  tree second;
  FUZZ_CHECK(wire::reader{once}.message(second), bytes);
  FUZZ_CHECK(encoded(second) == once, bytes);
  return 0;
}
