#define CAF_SUITE wire

#include <cmath>
#include <limits>
#include <map>
#include <string>
#include <vector>

#include "cluster/wire/message_table.hpp"
#include "tests/unit/caf_test.hpp"

using namespace cafmcp::wire;

namespace {

enum class colour : std::uint8_t { red, green = 200 };

struct point {
  std::int32_t x = 0;
  std::int64_t y = 0;
  bool operator==(const point&) const = default;
};
template <class F>
typename F::result_type inspect(F& f, point& p) {
  return f(p.x, p.y);
}

// The same, one release later.
struct point2 : point {
  std::string label = "none";
  std::optional<std::uint32_t> weight;
  bool operator==(const point2&) const = default;
};
template <class F>
typename F::result_type inspect(F& f, point2& p) {
  return f(p.x, p.y, p.label, p.weight);
}

template <class Point>
struct path {
  std::vector<Point> points;
  std::uint32_t after = 0;
};
template <class F, class Point>
typename F::result_type inspect(F& f, path<Point>& p) {
  return f(p.points, p.after);
}

struct everything {
  bool flag = false;
  colour hue = colour::red;
  std::uint8_t small = 0;
  std::int16_t negative = 0;
  std::uint64_t large = 0;
  std::int64_t smallest = 0;
  double real = 0;
  float single = 0;
  std::chrono::milliseconds time{0};
  std::string text;
  std::vector<std::byte> bytes;
  std::vector<std::string> list;
  std::map<std::string, std::vector<int>> map;
  std::optional<point> maybe;
  std::variant<int, std::string, point> either;
  point inner;
};
template <class F>
typename F::result_type inspect(F& f, everything& e) {
  return f(e.flag, e.hue, e.small, e.negative, e.large, e.smallest, e.real, e.single, e.time, e.text, e.bytes,
           e.list, e.map, e.maybe, e.either, e.inner);
}

struct nested {
  std::vector<nested> children;
};
template <class F>
typename F::result_type inspect(F& f, nested& n) {
  return f(n.children);
}

struct tiny {
  std::uint8_t value = 0;
};
template <class F>
typename F::result_type inspect(F& f, tiny& t) {
  return f(t.value);
}

template <class T>
std::string encoded(const T& x) {
  std::string out;
  writer{out}.message(x);
  return out;
}

template <class T>
bool decodes(std::string_view in, T& x) {
  return reader{in}.message(x);
}

std::string varint(std::uint64_t x) {
  std::string out;
  put_varint(out, x);
  return out;
}

everything sample() {
  everything e;
  e.flag = true;
  e.hue = colour::green;
  e.small = 255;
  e.negative = -32768;
  e.large = std::numeric_limits<std::uint64_t>::max();
  e.smallest = std::numeric_limits<std::int64_t>::min();
  e.real = -0.0;
  e.single = std::numeric_limits<float>::infinity();
  e.time = std::chrono::milliseconds{-5};
  e.text = std::string("a\0b", 3);
  e.bytes = {std::byte{0}, std::byte{255}};
  e.list = {"", "x", std::string(200, 'y')};
  e.map = {{"k", {1, -2}}, {"", {}}};
  e.maybe = point{1, -1};
  e.either = point{7, 8};
  e.inner = {-1, std::numeric_limits<std::int64_t>::max()};
  return e;
}

}  // namespace

CAF_TEST(numbers take one to ten bytes) {
  for (const std::uint64_t x : {0ULL, 1ULL, 127ULL, 128ULL, 16383ULL, 16384ULL, ~0ULL}) {
    const auto bytes = varint(x);
    reader in{bytes};
    CAF_CHECK_EQUAL(in.varint(), x);
    CAF_CHECK(in.ok());
    CAF_CHECK(in.rest().empty());
  }
  CAF_CHECK_EQUAL(varint(127).size(), 1u);
  CAF_CHECK_EQUAL(varint(128).size(), 2u);
  CAF_CHECK_EQUAL(varint(~0ULL).size(), 10u);
}

CAF_TEST(numbers that are too long or have no end are refused) {
  for (const std::string& bytes : {std::string{}, std::string("\x80", 1), std::string(11, '\x80'),
                                   std::string(9, '\xff') + '\x02', std::string(10, '\xff')}) {
    reader in{bytes};
    CAF_CHECK_EQUAL(in.varint(), 0u);
    CAF_CHECK(!in.ok());
  }
}

CAF_TEST(everything arrives as it was) {
  const auto in = sample();
  const auto bytes = encoded(in);
  everything out;
  CAF_REQUIRE(decodes(bytes, out));
  CAF_CHECK(out.flag && out.hue == colour::green && out.small == 255 && out.negative == -32768);
  CAF_CHECK(out.large == in.large && out.smallest == in.smallest);
  CAF_CHECK(std::signbit(out.real) && std::isinf(out.single));
  CAF_CHECK(out.time == in.time && out.text == in.text && out.bytes == in.bytes && out.list == in.list);
  CAF_CHECK(out.map == in.map && out.maybe == in.maybe && out.either == in.either && out.inner == in.inner);
  CAF_CHECK(encoded(out) == bytes);
}

CAF_TEST(an older reader skips what it does not know) {
  path<point2> newer;
  newer.points = {{{1, 2}, "a", 3}, {{4, 5}, std::string(300, 'b'), {}}};
  newer.after = 9;
  path<point> older;
  CAF_REQUIRE(decodes(encoded(newer), older));
  CAF_CHECK(older.points == (std::vector<point>{{1, 2}, {4, 5}}));
  CAF_CHECK_EQUAL(older.after, 9u);
  point top;
  CAF_CHECK(decodes(encoded(newer.points[0]), top));
  CAF_CHECK(top == (point{1, 2}));
}

CAF_TEST(a newer reader leaves what is missing at its default) {
  path<point> older;
  older.points = {{1, 2}, {3, 4}};
  older.after = 9;
  path<point2> newer;
  CAF_REQUIRE(decodes(encoded(older), newer));
  CAF_CHECK(newer.points == (std::vector<point2>{{{1, 2}, "none", {}}, {{3, 4}, "none", {}}}));
  CAF_CHECK_EQUAL(newer.after, 9u);
}

CAF_TEST(a field may be widened) {
  const tiny small{200};
  // An unsigned byte read as a larger unsigned number.
  std::uint64_t value = 0;
  const auto bytes = encoded(small);
  reader in{bytes};
  in(value);
  CAF_CHECK_EQUAL(value, 200u);
  // What doesn't fit is refused, and not cut.
  tiny out;
  CAF_CHECK(!decodes(varint(256), out));
}

CAF_TEST(counts are checked before anything is allocated) {
  path<point> out;
  CAF_CHECK(!decodes(varint(1ULL << 40), out));
  CAF_CHECK(out.points.empty());
  std::string text;
  reader in{"\xff\xff\xff\xff\x0f"};
  in(text);
  CAF_CHECK(!in.ok());
  CAF_CHECK(text.empty());
}

CAF_TEST(depth is bounded) {
  nested tree;
  auto* deepest = &tree;
  for (int i = 0; i < reader::max_depth; ++i)
    deepest = &deepest->children.emplace_back();
  nested out;
  CAF_CHECK(decodes(encoded(tree), out));
  deepest->children.emplace_back();
  CAF_CHECK(!decodes(encoded(tree), out));
  // A million levels in as many bytes.
  std::string bytes;
  for (int i = 0; i < 1000; ++i)
    bytes = varint(1) + varint(bytes.size()) + bytes;
  CAF_CHECK(!decodes(bytes, out));
}

CAF_TEST(bytes that are cut off are refused or leave defaults and never more) {
  const auto bytes = encoded(sample());
  for (std::size_t n = 0; n < bytes.size(); ++n) {
    everything out;
    const bool ok = decodes(std::string_view{bytes}.substr(0, n), out);
    CAF_CHECK(!ok || encoded(out).size() >= n);
  }
}

CAF_TEST(a variant or a bool that cannot be is refused) {
  std::variant<int, std::string> either;
  const auto second = varint(2) + varint(0);
  reader in{second};
  in(either);
  CAF_CHECK(!in.ok());
  bool flag = false;
  const auto two = varint(2);
  reader bit{two};
  bit(flag);
  CAF_CHECK(!bit.ok());
}
