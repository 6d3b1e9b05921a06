#define CAF_SUITE etcd_hostile

#include <algorithm>

#include "cluster/runtime/coordinator/etcd_coordinator.hpp"

#include "tests/unit/caf_test.hpp"

#include "cluster/runtime/coordinator/base64.hpp"
#include "cluster/runtime/coordinator/test_etcd.hpp"
#include "cluster/runtime/coordinator/test_fake.hpp"

namespace cafmcp::cluster {

using namespace std::chrono_literals;
using test::as_chunk;
using test::as_json;
using test::as_stream;
using test::fake_answer;
using test::fake_request;

namespace {

constexpr auto answer_bytes = std::size_t{64} << 10U;

std::string header(revision at) {
  return R"("header":{"cluster_id":"7","revision":")" + std::to_string(at) + R"(","raft_term":"2"})";
}

std::string refusal(const std::string& message, int code) {
  return R"({"error":")" + message + R"(","message":")" + message + R"(","code":)" + std::to_string(code) +
         '}';
}

/// A fact as etcd shows it: a key of `p/`, a letter, and as value its revision.
std::string shown(const std::string& key, revision modified, revision created = 1) {
  return R"({"key":")" + to_base64("p/" + key) + R"(","create_revision":")" + std::to_string(created) +
         R"(","mod_revision":")" + std::to_string(modified) + R"(","value":")" +
         to_base64(std::to_string(modified)) + R"("})";
}

std::string events(revision at, const std::vector<std::string>& what) {
  std::string out = R"({"result":{)" + header(at) + R"(,"events":[)";
  for (std::size_t i = 0; i < what.size(); ++i)
    out += (i > 0 ? ",{" : "{") + std::string(R"("kv":)") + what[i] + '}';
  return out + "]}}\n";
}

std::string created(revision at) {
  return R"({"result":{)" + header(at) + R"(,"created":true}})" + '\n';
}

/// An etcd with one fact `p/a`, last changed at `at`.
struct script {
  revision at = 5;
  std::string stream = {};  // behind `created`

  fake_answer operator()(const fake_request& r) const {
    if (r.path == "/v3/watch")
      return as_stream(created(at) + stream);
    return as_json("{" + header(at) + R"(,"kvs":[)" + shown("a", at) + R"(],"count":"1"})");
  }
};

struct fixture : test::loop {
  std::function<fake_answer(const fake_request&)> say;
  test::fake_etcd fake{io, [this](const fake_request& r) { return say(r); }};

  etcd_options options() const {
    etcd_options out;
    out.endpoints = {{fake.url(), {}}};
    out.answer_bytes = answer_bytes;
    out.snapshot_bytes = answer_bytes;
    out.attempt = 100ms;
    out.longest_back_off = 40ms;
    out.probe = 100ms;
    out.lag = 200ms;
    return out;
  }
  std::unique_ptr<coordinator> c = test::must_make(io, options());
  test::asker ask{*this, *c};

  std::size_t asked_for(const std::string& path) const {
    return static_cast<std::size_t>(std::count_if(fake.asked.begin(), fake.asked.end(),
                                                  [&](const fake_request& r) { return r.path == path; }));
  }
  outcome commit() { return ask.commit({{}, {test::put("p/a", "1")}}, 300ms).what; }
};

}  // namespace

CAF_TEST_FIXTURE_SCOPE(etcd_hostile, fixture)

CAF_TEST(what is not an answer is none) {
  const std::string random = [] {
    std::string out;
    for (std::uint32_t x = 1; out.size() < 100'000; x = x * 1664525U + 1013904223U)
      out += static_cast<char>(x >> 24U);
    return out;
  }();
  const auto deep = std::string(answer_bytes / 2, '[');
  const fake_answer answers[] = {
      {"", true},
      {random, true},
      {random},
      {"SSH-2.0-OpenSSH_9.2\r\n"},
      {"HTTP/1.1 200 OK\r\n", true},
      {"HTTP/1.1 200 OK\r\nX: " + std::string(100'000, 'x') + "\r\n\r\n"},
      {"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{\"header\":", true},
      {"HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n"},
      {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffffff\r\n"},
      {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" +
       as_chunk(std::string(2 * answer_bytes, ' '))},
      {"HTTP/1.1 200 OK\r\n\r\n" + std::string(2 * answer_bytes, '{'), true},
      {"HTTP/1.1 100 Continue\r\n\r\n"},
      {"HTTP/1.1 301 Moved\r\nLocation: http://127.0.0.1/\r\nContent-Length: 0\r\n\r\n"},
      as_json(""),
      as_json("{}"),
      as_json("[]"),
      as_json("null"),
      as_json("\"x\""),
      as_json(deep),
      as_json("{\"header\":"),
      as_json("{}", "500 Internal"),
      as_json("<html>", "502 Bad Gateway"),
      as_json(R"({"header":{"revision":"x"},"succeeded":true})"),
      as_json(R"({"header":{"revision":"-5"},"succeeded":true})"),
      as_json(R"({"header":{"revision":"5"},"succeeded":true,"kvs":[{"key":"?"}]})", "500 Internal"),
      as_json(R"({"header":[],"kvs":{},"succeeded":"true"})"),
      as_json(R"({"error":{"message":[]},"message":7})", "503 Unavailable"),
      as_json(refusal("etcdserver: request timed out", 14), "503 Service Unavailable"),
      as_json(refusal("etcdserver: leader changed", 14), "503 Service Unavailable"),
      as_json(refusal("context deadline exceeded", 2), "500 Internal Server Error"),
      as_json(refusal("etcdserver: corrupt cluster", 15), "500 Internal Server Error"),
      as_json(refusal("permission denied by a proxy", 7), "403 Forbidden"),
  };
  std::size_t i = 0;
  say = [&](const fake_request&) { return answers[i]; };
  for (; i < std::size(answers); ++i) {
    const auto before = asked_for("/v3/kv/txn");
    if (commit() != outcome::unknown || ask.took() > 450ms || asked_for("/v3/kv/txn") != before + 1)
      CAF_ERROR("commit, answer " << i);
    if (ask.read("p/", 60ms) || ask.took() > 200ms)
      CAF_ERROR("read, answer " << i);
  }
}

CAF_TEST(what etcd has refused has not happened) {
  const auto answer = [&](const std::string& message, int code) {
    say = [=](const fake_request&) { return as_json(refusal(message, code), "400 Bad Request"); };
    return commit();
  };
  CAF_CHECK(answer("etcdserver: request is too large", 3) == outcome::unavailable);
  CAF_CHECK(answer("etcdserver: mvcc: database space exceeded", 8) == outcome::unavailable);
  CAF_CHECK(answer("etcdserver: no leader", 14) == outcome::unavailable);
  CAF_CHECK_EQUAL(asked_for("/v3/kv/txn") > 3, true);
}

CAF_TEST(what a member without leader has not done is asked again and in time is done) {
  int refusals = 3;
  say = [&](const fake_request&) {
    return refusals-- > 0 ? as_json(refusal("etcdserver: no leader", 14), "503 Service Unavailable")
                          : as_json("{" + header(9) + R"(,"succeeded":true})");
  };
  const auto done = ask.commit({{}, {test::put("p/a", "1")}}, 2s);
  CAF_CHECK(done.what == outcome::done && done.at == 9);
  CAF_CHECK_EQUAL(asked_for("/v3/kv/txn"), 4U);
}

CAF_TEST(a read is asked again and all requests say what they want) {
  int failures = 2;
  say = [&](const fake_request& r) { return failures-- > 0 ? fake_answer{"", true} : script{}(r); };
  const auto read = ask.read("p/", 2s);
  CAF_REQUIRE(read && read->facts.size() == 1);
  CAF_CHECK(read->at == 5 && read->facts[0] == (fact{"p/a", "5", 1, 5}));
  CAF_REQUIRE(fake.asked.size() == 3);
  CAF_CHECK(fake.asked[0].head.find("Grpc-Metadata-hasleader: true\r\n") != std::string::npos);
  CAF_CHECK(fake.asked[0].head.find("Host: 127.0.0.1:") != std::string::npos);
}

CAF_TEST(pages that don 't end or don' t fit together are no snapshot) {
  const auto page = [](const std::string& kvs) {
    return as_json("{" + header(5) + R"(,"kvs":[)" + kvs + R"(],"more":true,"count":"9"})");
  };
  say = [&](const fake_request&) { return page(""); };
  CAF_CHECK(!ask.read("p/", 300ms));
  say = [&](const fake_request&) { return page(shown("a", 3)); };
  CAF_CHECK(!ask.read("p/", 300ms));
  CAF_CHECK(ask.took() < 250ms);
  say = [&](const fake_request&) { return page(shown("b", 3) + ',' + shown("a", 3)); };
  CAF_CHECK(!ask.read("p/", 300ms));
  CAF_CHECK(!ask.read("q/", 300ms));
  int n = 10'000;
  say = [&](const fake_request&) { return page(shown(std::to_string(++n) + std::string(5000, 'x'), 3)); };
  CAF_CHECK(!ask.read("p/", 2s));
  CAF_CHECK(n < 10'100);
}

CAF_TEST(all pages are of one moment) {
  bool forgotten = false;
  say = [&](const fake_request& r) {
    if (r.body.find("revision") == std::string::npos)
      return as_json("{" + header(forgotten ? 7 : 5) + R"(,"kvs":[)" + shown("a", 3) + R"(],"more":true})");
    if (!std::exchange(forgotten, true))
      return as_json(refusal("etcdserver: mvcc: required revision has been compacted", 11),
                     "400 Bad Request");
    return as_json("{" + header(9) + R"(,"kvs":[)" + shown("b", 3) + "]}");
  };
  const auto read = ask.read("p/", 1s);
  CAF_REQUIRE(read && read->facts.size() == 2);
  CAF_CHECK_EQUAL(read->at, 7);
  CAF_REQUIRE(fake.asked.size() == 4);
  CAF_CHECK(fake.asked[1].body.find(R"("revision":"5")") != std::string::npos);
  CAF_CHECK(fake.asked[3].body.find(R"("revision":"7")") != std::string::npos);
  CAF_CHECK(fake.asked[3].body.find(to_base64(std::string("p/a") + '\0')) != std::string::npos);
}

CAF_TEST(a watch takes each change once and in order whatever it is told) {
  script etcd;
  say = [&](const fake_request& r) { return etcd(r); };
  test::recorder seen{*c, "p/"};
  CAF_REQUIRE(until([&] { return seen.contact(); }));
  fake.say_on_streams(as_chunk(events(6, {shown("a", 5), shown("a", 6)})));
  CAF_REQUIRE(until([&] { return seen.events.size() == 1; }));
  fake.say_on_streams(as_chunk(events(6, {shown("a", 6)})));
  // In pieces, and two at once.
  const auto both = events(7, {shown("a", 7)}) + events(9, {shown("a", 8), shown("a", 9)});
  for (std::size_t i = 0; i < both.size(); i += 7)
    fake.say_on_streams(as_chunk(both.substr(i, 7)));
  etcd.at = 9;
  CAF_REQUIRE(until([&] { return seen.events.size() == 4; }));
  CAF_CHECK((seen.values_of("p/a") == std::vector<std::string>{"6", "7", "8", "9"}));
  CAF_CHECK_EQUAL(asked_for("/v3/watch"), 1U);
  // What runs back, or is no message, is the end of the stream, and it goes on behind what was told.
  etcd.at = 11;
  etcd.stream = events(11, {shown("a", 10), shown("a", 11)});
  fake.say_on_streams(as_chunk(events(12, {shown("a", 12), shown("a", 11)})));
  CAF_REQUIRE(until([&] { return seen.events.size() == 6; }));
  CAF_CHECK(fake.asked.back().body.find("\"start_revision\":\"10\"") != std::string::npos ||
            std::any_of(fake.asked.begin(), fake.asked.end(), [](const fake_request& r) {
              return r.body.find("\"start_revision\":\"10\"") != std::string::npos;
            }));
  CAF_CHECK((seen.values_of("p/a") == std::vector<std::string>{"6", "7", "8", "9", "10", "11"}));
  CAF_CHECK_EQUAL(seen.snapshots, 1);
}

CAF_TEST(a watch survives whatever it is told) {
  const auto fail = [](const std::string& line) { return as_chunk(line + '\n'); };
  const std::string bad[] = {
      fail("{"),
      fail("[]"),
      fail("{}"),
      fail(R"({"result":{}})"),
      fail(R"({"result":{"header":{"revision":{}}}})"),
      fail(R"({"result":{)" + header(6) + R"(,"events":[{}]}})"),
      fail(R"({"result":{)" + header(6) + R"(,"events":[{"type":"HUH","kv":)" + shown("a", 6) + "}]}}"),
      fail(R"({"result":{)" + header(6) + R"(,"events":{"kv":1}}})"),
      fail(R"({"error":{"grpc_code":14,"http_code":503,"message":"etcdserver: no leader"}})"),
      fail(R"({"error":7})"),
      fail(R"({"result":{)" + header(6) + R"(,"canceled":true,"cancel_reason":"no"}})"),
      as_chunk(std::string(2 * answer_bytes, 'x')),
      "0\r\n\r\n",
      "ffffffffffffffffffff\r\n",
      "\r\n",
  };
  script etcd;
  say = [&](const fake_request& r) { return etcd(r); };
  test::recorder seen{*c, "p/"};
  for (std::size_t i = 0; i < std::size(bad); ++i) {
    CAF_REQUIRE(until([&] { return seen.contact(); }));
    const auto streams = asked_for("/v3/watch");
    fake.say_on_streams(bad[i]);
    if (!until([&] { return asked_for("/v3/watch") > streams; }, 2s))
      CAF_ERROR("stream " << i << " went on");
  }
  CAF_REQUIRE(until([&] { return seen.contact(); }));
  CAF_CHECK(seen.events.empty());
  CAF_CHECK_EQUAL(seen.snapshots, 1);
  // What is forgotten is read anew.
  etcd.at = 20;
  fake.say_on_streams(
      fail(R"({"result":{"header":{"revision":"0"},"canceled":true,"compact_revision":"19"}})"));
  CAF_CHECK(until([&] { return seen.snapshots == 2 && seen.contact(); }));
  CAF_CHECK(seen.mirror.find("p/a")->value == "20");
}

CAF_TEST(one who is never there costs little) {
  say = [&](const fake_request&) { return fake_answer{"", true}; };
  test::recorder seen{*c, "p/"};
  pass(500ms);
  CAF_CHECK(!seen.contact());
  CAF_CHECK_EQUAL(seen.snapshots, 0);
  CAF_CHECK(fake.connections > 1 && fake.connections < 40);
}

CAF_TEST(the next member is asked when one does not answer) {
  test::fake_etcd other{io, script{}};
  auto both = options();
  both.endpoints.push_back({other.url(), {}});
  say = [](const fake_request&) { return fake_answer{}; };
  const auto over = test::must_make(io, both);
  test::asker ask_both{*this, *over};
  CAF_CHECK(ask_both.read("p/", 1s).has_value());
  CAF_CHECK(ask_both.took() < 300ms);
  // And it is remembered.
  CAF_CHECK(ask_both.read("p/", 1s).has_value());
  CAF_CHECK_EQUAL(fake.asked.size(), 1U);
  CAF_CHECK_EQUAL(other.asked.size(), 2U);
}

CAF_TEST_FIXTURE_SCOPE_END()

}  // namespace cafmcp::cluster
