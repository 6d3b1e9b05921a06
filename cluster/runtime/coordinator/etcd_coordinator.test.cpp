#define CAF_SUITE etcd_coordinator

#include "cluster/runtime/coordinator/etcd_coordinator.hpp"

#include "tests/unit/caf_test.hpp"

#include "cluster/runtime/coordinator/base64.hpp"
#include "cluster/runtime/coordinator/test_etcd.hpp"
#include "cluster/runtime/coordinator/test_proxy.hpp"
#include "cluster/runtime/link/test_certificates.hpp"

namespace cafmcp::cluster::test {

namespace {

/// One for the whole suite.
etcd_processes& shared_etcd() {
  static etcd_processes etcd;
  static const bool up = [] {
    loop l;
    return serves(l, *must_make(l.io, etcd.options()));
  }();
  CAF_REQUIRE(up);
  return etcd;
}

std::unique_ptr<coordinator> make_coordinator(boost::asio::io_context& io) {
  auto options = shared_etcd().options();
  options.page_keys = 3;  // so that all tests read page by page
  return must_make(io, std::move(options));
}

}  // namespace

}  // namespace cafmcp::cluster::test

#include "cluster/runtime/coordinator/coordinator_suite.hpp"

namespace cafmcp::cluster {

using namespace std::chrono_literals;
using test::etcd_processes;
using test::must_make;

namespace {

struct lone_fixture : test::loop {
  etcd_processes etcd;
  std::unique_ptr<coordinator> c = must_make(io, etcd.options());
  test::asker ask{*this, *c};

  lone_fixture() { CAF_REQUIRE(serves(*this, *c)); }
};

}  // namespace

CAF_TEST_FIXTURE_SCOPE(lone_etcd, lone_fixture)

CAF_TEST(what nobody answers is over at its deadline) {
  test::recorder seen{*c, "d/"};
  CAF_REQUIRE(until([&] { return seen.contact(); }));
  etcd[0].stop();
  const auto in_time = [&] { return ask.took() >= 300ms && ask.took() < 500ms; };
  CAF_CHECK(ask.commit({{}, {test::put("d/a", "1")}}, 300ms).what == outcome::unknown);
  CAF_CHECK(in_time());
  CAF_CHECK(!ask.read("d/", 300ms));
  CAF_CHECK(in_time());
  CAF_CHECK(until([&] { return !seen.contact(); }, 2s));
  etcd[0].go_on();
  CAF_CHECK(until([&] { return seen.contact(); }));
  CAF_CHECK(ask.commit({{}, {test::put("d/b", "1")}}).what == outcome::done);
}

CAF_TEST(what finds no room has surely not happened) {
  auto options = etcd.options();
  options.connections = 1;
  options.waiting = 2;
  options.request_bytes = 2000;
  auto full = must_make(io, options);
  CAF_REQUIRE(serves(*this, *full));
  etcd[0].stop();
  std::vector<std::pair<std::string, outcome>> answers;
  const auto commit = [&](const std::string& key, std::size_t size = 1) {
    full->commit({{}, {test::put("q/" + key, std::string(size, 'x'))}}, 400ms,
                 [&answers, key](transaction_result r) { answers.emplace_back(key, r.what); });
  };
  const auto begin = test::clock::now();
  for (const auto* key : {"1", "2", "3", "4"})
    commit(key);
  CAF_REQUIRE(until([&] { return answers.size() == 1; }, 300ms));
  CAF_CHECK((answers[0] == std::pair{std::string("4"), outcome::unavailable}));
  CAF_REQUIRE(until([&] { return answers.size() == 4; }));
  CAF_CHECK(test::clock::now() - begin < 700ms);
  std::sort(answers.begin(), answers.end());
  CAF_CHECK(answers[0].second == outcome::unknown);
  CAF_CHECK(answers[1].second == outcome::unavailable && answers[2].second == outcome::unavailable);
  answers.clear();
  commit("5");
  commit("6", 3000);  // too many bytes
  CAF_REQUIRE(until([&] { return answers.size() == 1; }, 300ms));
  CAF_CHECK((answers[0] == std::pair{std::string("6"), outcome::unavailable}));
  full.reset();
  etcd[0].go_on();
  CAF_REQUIRE(serves(*this, *c));
  const auto all = ask.read("q/");
  for (const auto& f : all->facts)
    CAF_CHECK(f.key == "q/1" || f.key == "q/5");
}

CAF_TEST(when nobody is there all is refused at once and goes on when somebody is) {
  CAF_REQUIRE(ask.commit({{}, {test::put("a", "1")}}).what == outcome::done);
  test::recorder seen{*c, ""};
  CAF_REQUIRE(until([&] { return seen.contact(); }));
  etcd[0].kill();
  CAF_REQUIRE(until([&] { return !seen.contact(); }));
  settle();  // so that it has seen all its connections end
  for (int i = 0; i < 10; ++i) {
    CAF_CHECK(ask.commit({{}, {test::put("a", "2")}}).what == outcome::unavailable);
    CAF_CHECK(ask.took() < 300ms);
    CAF_CHECK(!ask.read("a"));
    CAF_CHECK(ask.took() < 300ms);
  }
  etcd[0].start();
  CAF_REQUIRE(until([&] { return seen.contact(); }));
  // A connection that has died meanwhile is not trusted with it.
  CAF_CHECK(ask.commit({{}, {test::put("a", "3")}}).what == outcome::done);
  CAF_CHECK(until([&] { return seen.mirror.find("a")->value == "3"; }));
  CAF_CHECK_EQUAL(seen.snapshots, 1);
}

CAF_TEST(an etcd that has begun anew is read anew) {
  CAF_REQUIRE(ask.commit({{}, {test::put("a", "1")}}).what == outcome::done);
  test::test_proxy way{io, etcd.port(0)};
  auto options = etcd.options();
  options.endpoints[0].url = way.url();
  const auto over = must_make(io, options);
  test::recorder seen{*over, ""};
  CAF_REQUIRE(until([&] { return seen.contact(); }));
  seen.may_be_another = true;
  etcd_processes other;
  CAF_REQUIRE(serves(*this, *must_make(io, other.options())));
  way.lead_to(other.port(0));
  way.cut();
  CAF_REQUIRE(until([&] { return seen.snapshots == 2 && seen.contact(); }));
  CAF_CHECK(seen.mirror.all().empty());
}

CAF_TEST(users and passwords) {
  test::raw_client raw{*this, etcd.options()};
  const auto must = [&](const char* path, const nlohmann::json& body) {
    const auto reply = raw.call(path, body);
    CAF_REQUIRE(reply.what == etcd_reply::kind::done);
  };
  const auto options_of = [&](const char* user, const char* password) {
    auto out = etcd.options();
    out.user = user;
    out.password = password;
    return out;
  };
  // As long as etcd wants nobody's name, one that is given does no harm.
  CAF_CHECK(test::asker(*this, *must_make(io, options_of("me", "x"))).read("mine/").has_value());
  must("/v3/auth/role/add", {{"name", "root"}});
  must("/v3/auth/role/add", {{"name", "mine"}});
  must("/v3/auth/role/grant",
       {{"name", "mine"},
        {"perm",
         {{"permType", "READWRITE"}, {"key", to_base64("mine/")}, {"range_end", to_base64("mine0")}}}});
  must("/v3/auth/user/add", {{"name", "root"}, {"password", "r"}});
  must("/v3/auth/user/add", {{"name", "me"}, {"password", "m\"\n"}});
  must("/v3/auth/user/grant", {{"user", "root"}, {"role", "root"}});
  must("/v3/auth/user/grant", {{"user", "me"}, {"role", "mine"}});
  must("/v3/auth/enable", nlohmann::json::object());

  CAF_CHECK(!ask.read("mine/"));
  CAF_CHECK(ask.commit({{}, {test::put("mine/a", "0")}}).what == outcome::unavailable);
  const auto wrong = must_make(io, options_of("me", "n"));
  const auto refused = test::asker(*this, *wrong).read("mine/");
  CAF_REQUIRE(!refused);
  CAF_CHECK(refused.error().message.find("authentication failed") != std::string::npos);

  const auto mine = must_make(io, options_of("me", "m\"\n"));
  test::asker as_me{*this, *mine};
  test::recorder seen{*mine, "mine/"};
  CAF_CHECK(as_me.commit({{}, {test::put("mine/a", "1")}}).what == outcome::done);
  CAF_CHECK(as_me.commit({{}, {test::put("yours/a", "1")}}).what == outcome::unavailable);
  CAF_CHECK(as_me.read("yours/").error().code == errc::denied);
  CAF_REQUIRE(until([&] { return seen.contact() && seen.mirror.find("mine/a") != nullptr; }));
  // A member that was restarted knows none of the tokens.
  etcd[0].kill();
  etcd[0].start();
  CAF_REQUIRE(until([&] { return !seen.contact(); }));
  CAF_REQUIRE(until([&] { return seen.contact(); }));
  CAF_CHECK(as_me.commit({{}, {test::put("mine/a", "2")}}).what == outcome::done);
  CAF_CHECK(until([&] { return seen.mirror.find("mine/a")->value == "2"; }));
}

CAF_TEST_FIXTURE_SCOPE_END()

namespace {

struct tls_fixture : test::loop, test::folder {
  test::identity ca = test::make_authority();
  tls_files server = write("etcd", test::make({.dns = {"localhost", "etcd-1"}}, &ca), ca);
  tls_files client = write("me", test::make({.dns = {"me"}}, &ca), ca);
  etcd_processes etcd{{.scheme = "https",
                       .more = {"--cert-file=" + server.cert, "--key-file=" + server.key,
                                "--trusted-ca-file=" + server.ca, "--client-cert-auth"}}};

  std::shared_ptr<boost::asio::ssl::context> context(const etcd_tls_files& files) {
    auto made = etcd_tls(files);
    CAF_REQUIRE(made.has_value());
    return *made;
  }
  etcd_options options(const std::string& host, std::string certified_for,
                       std::shared_ptr<boost::asio::ssl::context> tls) {
    auto out = etcd.options();
    out.endpoints = {{"https://" + host + ':' + std::to_string(etcd.port(0)), std::move(certified_for)}};
    out.tls = std::move(tls);
    return out;
  }
};

}  // namespace

CAF_TEST_FIXTURE_SCOPE(etcd_by_tls, tls_fixture)

CAF_TEST(certificates are shown and looked at) {
  const auto mine = context({client.ca, client.cert, client.key});
  const auto by_name = must_make(io, options("localhost", "", mine));
  CAF_REQUIRE(serves(*this, *by_name));
  test::recorder seen{*by_name, "t/"};
  CAF_CHECK(test::asker(*this, *by_name).commit({{}, {test::put("t/a", "1")}}).what == outcome::done);
  CAF_CHECK(until([&] { return seen.contact() && seen.mirror.find("t/a") != nullptr; }));
  const auto by_other_name = must_make(io, options("127.0.0.1", "etcd-1", mine));
  CAF_CHECK(test::asker(*this, *by_other_name).read("t/").has_value());

  const auto refused = [&](const etcd_options& how) {
    const auto c = must_make(io, how);
    test::asker ask{*this, *c};
    const auto read = ask.read("t/", 1s);
    if (!read)
      CAF_MESSAGE(read.error().message);
    return !read && ask.commit({{}, {test::put("t/b", "1")}}, 1s).what != outcome::done;
  };
  // The address is not in the certificate, nor is that name.
  CAF_CHECK(refused(options("127.0.0.1", "", mine)));
  CAF_CHECK(refused(options("127.0.0.1", "etcd-2", mine)));
  const auto other = test::make_authority();
  CAF_CHECK(refused(
      options("localhost", "", context({write("other", other.cert_pem()), client.cert, client.key}))));
  CAF_CHECK(refused(options("localhost", "", context({client.ca, {}, {}}))));
  CAF_CHECK(!test::asker(*this, *by_name).get("t/b"));
  auto plain = options("localhost", "", nullptr);
  plain.endpoints[0].url.erase(4, 1);
  CAF_CHECK(refused(plain));
}

CAF_TEST(what can not be used is refused by name) {
  const auto refusal = [&](const etcd_tls_files& files) {
    const auto made = etcd_tls(files);
    return made ? std::string{} : made.error().message;
  };
  CAF_CHECK(refusal({path("none"), {}, {}}).find(path("none")) != std::string::npos);
  CAF_CHECK(refusal({client.ca, client.cert, {}}).find("go together") != std::string::npos);
  CAF_CHECK(refusal({client.ca, write("bad", "x"), client.key}).find(path("bad")) != std::string::npos);
  CAF_CHECK(refusal({client.ca, client.cert, path("bad")}).find(path("bad")) != std::string::npos);
  CAF_CHECK(refusal({client.ca, client.cert, server.key}).find(server.key) != std::string::npos);
  CAF_CHECK(!etcd_coordinator::make(io, {}));
  CAF_CHECK(!etcd_coordinator::make(io, options("localhost", "", nullptr)));
}

CAF_TEST_FIXTURE_SCOPE_END()

}  // namespace cafmcp::cluster
