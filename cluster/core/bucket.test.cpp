#define CAF_SUITE bucket

#include "cluster/core/bucket.hpp"

#include "cluster/core/member.hpp"
#include "tests/unit/caf_test.hpp"

using namespace cafmcp::cluster;

namespace {

bucket row() {
  return {"a", 7, 3, {"a", "b"}, {"c"}, ""};
}

std::string why(const bucket& after, const proposal& how = {"controller", false, false}) {
  return illegal(row(), after, &how);
}

template <class F>
bucket with(F change) {
  auto b = row();
  change(b);
  return b;
}

}  // namespace

CAF_TEST(rows are read as they were written) {
  for (const auto& b :
       {row(), bucket{}, bucket{"", 0, 9, {"x"}, {}, ""}, bucket{"a", 1, 1, {"a", "b"}, {}, "b"}}) {
    const auto again = decode_bucket(encode(b));
    CAF_REQUIRE(again.has_value());
    CAF_CHECK(*again == b);
  }
}

CAF_TEST(rows that cannot be are refused) {
  const auto good = encode(row());
  CAF_CHECK(decode_bucket(good));
  const auto changed = [&](const std::string& from, const std::string& to) {
    auto text = good;
    text.replace(text.find(from), from.size(), to);
    return decode_bucket(text).has_value();
  };
  CAF_CHECK(!changed("\"owner\":\"a\"", "\"owner\":\"z\""));  // not in sync
  CAF_CHECK(!changed("\"lease\":7", "\"lease\":0"));
  CAF_CHECK(!changed("\"epoch\":3", "\"epoch\":0"));
  CAF_CHECK(!changed("\"epoch\":3", "\"epoch\":-3"));
  CAF_CHECK(!changed("[\"a\",\"b\"]", "[\"b\",\"a\"]"));  // no set
  CAF_CHECK(!changed("[\"a\",\"b\"]", "[\"a\",\"a\"]"));
  CAF_CHECK(!changed("[\"c\"]", "[\"b\"]"));  // learns what it holds
  CAF_CHECK(!changed("[\"c\"]", "[3]"));
  CAF_CHECK(!changed("\"next\":\"\"", "\"next\":\"c\""));
  CAF_CHECK(!changed("\"next\":\"\"", "\"next\":\"a\""));
  for (const char* text : {"", "{}", "[]", "null", "{\"owner\":1}", "{"})
    CAF_CHECK(!decode_bucket(text));
}

CAF_TEST(an owner comes from the in sync set alone) {
  const proposal over{"controller", true, false};
  const auto take = [](const char* who, lease_id lease) {
    return with([&](bucket& b) {
      b.owner = who;
      b.lease = lease;
      ++b.epoch;
      b.next.clear();
    });
  };
  CAF_CHECK_EQUAL(why(take("b", 9), over), "");
  CAF_CHECK_EQUAL(why(take("a", 9), over), "");  // the same node, started anew
  CAF_CHECK_NOT_EQUAL(why(with([](bucket& b) {
                            b.owner = "c";
                            b.lease = 9;
                            ++b.epoch;
                            b.in_sync = {"c"};
                            b.learners = {};
                          }),
                          {"controller", true, true}),
                      "");
  // Whoever sees only the rows sees that, too.
  CAF_CHECK_NOT_EQUAL(illegal(row(), {"c", 9, 4, {"c"}, {}, ""}, nullptr), "");
}

CAF_TEST(an owner is not replaced before it is over or agrees) {
  const auto after = with([](bucket& b) {
    b.owner = "b";
    b.lease = 9;
    ++b.epoch;
  });
  CAF_CHECK_NOT_EQUAL(why(after), "");
  CAF_CHECK_EQUAL(why(after, {"a", false, false}), "");          // it hands over itself
  CAF_CHECK_EQUAL(why(after, {"controller", true, false}), "");  // its lease is over
}

CAF_TEST(epochs count owners) {
  CAF_CHECK_NOT_EQUAL(why(with([](bucket& b) { b.epoch = 2; })), "");
  CAF_CHECK_NOT_EQUAL(why(with([](bucket& b) { b.epoch = 4; })), "");
  CAF_CHECK_NOT_EQUAL(why(with([](bucket& b) { b.lease = 8; }), {"a", true, false}), "");
  CAF_CHECK_NOT_EQUAL(why(with([](bucket& b) {
                            b.lease = 8;
                            b.epoch = 5;
                          }),
                          {"a", true, false}),
                      "");
}

CAF_TEST(learners get in sync when they have everything and not before) {
  const auto joined = with([](bucket& b) {
    b.in_sync = {"a", "b", "c"};
    b.learners = {};
  });
  CAF_CHECK_NOT_EQUAL(why(joined), "");
  CAF_CHECK_EQUAL(why(joined, {"controller", false, true}), "");
  CAF_CHECK_NOT_EQUAL(why(with([](bucket& b) {
                            b.in_sync = {"a", "b", "d"};
                          }),
                          {"controller", true, true}),
                      "");
  CAF_CHECK_EQUAL(why(with([](bucket& b) { b.learners = {"c", "d"}; })), "");
  CAF_CHECK_EQUAL(why(with([](bucket& b) { b.in_sync = {"a"}; })), "");
  CAF_CHECK_NOT_EQUAL(why(with([](bucket& b) { b.in_sync = {"b"}; })), "");  // the owner stays in
}

CAF_TEST(a bucket begins with an owner that is alone in sync) {
  const auto begins = [](const bucket& b) { return illegal({}, b, nullptr).empty(); };
  CAF_CHECK(begins({"a", 1, 1, {"a"}, {}, ""}));
  CAF_CHECK(begins({"a", 1, 1, {"a"}, {"b"}, ""}));
  CAF_CHECK(!begins({"a", 1, 1, {"a", "b"}, {}, ""}));
  CAF_CHECK(!begins({"", 0, 1, {"a"}, {}, ""}));
}

CAF_TEST(members are read as they were written and only if they can be) {
  member m{"id", "name", "eu", "1", 40, "h:1", member_state::draining};
  const auto again = decode_member("id", encode(m));
  CAF_CHECK(again && *again == m);
  m.weight = 0;
  CAF_CHECK(!decode_member("id", encode(m)));
  m.weight = 10'001;
  CAF_CHECK(!decode_member("id", encode(m)));
  CAF_CHECK(!decode_member("id", "{}"));
  CAF_CHECK(!decode_member("id", "x"));
  m.weight = 1;
  CAF_CHECK(!decode_member("", encode(m)));
}
