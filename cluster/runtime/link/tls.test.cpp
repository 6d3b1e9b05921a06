#define CAF_SUITE tls

#include "cluster/runtime/link/tls.hpp"

#include <openssl/err.h>
#include <openssl/ssl.h>

#include <atomic>
#include <filesystem>
#include <thread>

#include "cluster/runtime/link/test_certificates.hpp"

#include "tests/unit/caf_test.hpp"

namespace cafmcp::cluster {

using test::make;
using test::make_authority;
using test::to_pem;

namespace {

struct fixture : test::folder {
  test::identity ca = make_authority();

  test::identity for_names(std::vector<std::string> names) const {
    return make({.dns = std::move(names)}, &ca);
  }

  /// Why files are not accepted for the node `a`, without their folder; empty if they are.
  std::string refusal(const tls_files& files, const std::string& node_name = "a") const {
    const auto loaded = tls_identity::load(files, node_name);
    CAF_CHECK_EQUAL(::ERR_peek_error(), 0U);
    if (loaded)
      return {};
    auto message = loaded.error().message;
    CAF_CHECK(message.find('\n') == std::string::npos);
    const auto prefix = path("");
    for (auto at = message.find(prefix); at != std::string::npos; at = message.find(prefix))
      message.erase(at, prefix.size());
    return message;
  }
  std::string refusal(const test::identity& who, const std::string& node_name = "a") const {
    return refusal(write("n", who, ca), node_name);
  }
};

bool contains(const std::string& text, const std::string& part) {
  const bool found = text.find(part) != std::string::npos;
  if (!found)
    CAF_MESSAGE(text);
  return found;
}

}  // namespace

CAF_TEST_FIXTURE_SCOPE(identities, fixture)

CAF_TEST(a node with its files is ready for links) {
  const auto end = std::chrono::system_clock::now() + std::chrono::hours(24);
  const auto loaded = tls_identity::load(write("n", for_names({"a"}), ca), "a");
  CAF_REQUIRE(loaded.has_value());
  CAF_CHECK((*loaded)->warnings().empty());
  CAF_CHECK((*loaded)->expires() > end - std::chrono::minutes(1));
  CAF_CHECK((*loaded)->expires() < end + std::chrono::minutes(1));
  const auto context = (*loaded)->context();
  CAF_REQUIRE(context != nullptr);
  auto* ctx = context->native_handle();
  CAF_CHECK_EQUAL(SSL_CTX_get_min_proto_version(ctx), TLS1_3_VERSION);
  CAF_CHECK_EQUAL(::SSL_CTX_get_verify_mode(ctx), SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT);
  CAF_CHECK_EQUAL(SSL_CTX_get_max_cert_list(ctx), 32 * 1024);
  CAF_CHECK_EQUAL(::SSL_CTX_get_num_tickets(ctx), 0U);
  CAF_CHECK((::SSL_CTX_get_options(ctx) & SSL_OP_NO_RENEGOTIATION) != 0);
  CAF_CHECK_EQUAL(SSL_CTX_get_session_cache_mode(ctx), SSL_SESS_CACHE_OFF);
  CAF_CHECK(::SSL_CTX_get_security_level(ctx) >= 2);
  CAF_CHECK_EQUAL(sk_X509_OBJECT_num(::X509_STORE_get0_objects(::SSL_CTX_get_cert_store(ctx))), 1);
}

CAF_TEST(a certificate must be for the name of the node) {
  CAF_CHECK_EQUAL(refusal(for_names({"b"})),
                  "cluster.tls.cert n.pem: is for \"b\", but this node's name is \"a\"; make one with "
                  "scripts/certs DIR a");
  CAF_CHECK_EQUAL(refusal(for_names({"b", "a"})), "");
  CAF_CHECK(contains(refusal(for_names({"b", "c\x1b"})), R"(is for "b", "c\x1b", but)"));
  CAF_CHECK(contains(refusal(make({.common_name = "a"}, &ca)), "is for nobody"));
  CAF_CHECK(contains(refusal(for_names({"*"})), "is for \"*\""));
  CAF_CHECK(contains(refusal(for_names({"1", "2", "3", "4", "5", "6", "7"})), "\"5\" and 2 more, but"));
}

CAF_TEST(names are compared whole and as DNS does) {
  const auto fits = [&](const std::string& in_certificate, const std::string& name) {
    return is_for(for_names({in_certificate}).certificate.get(), name);
  };
  CAF_CHECK(fits("node-1_a.Example", "NODE-1_a.eXAMPLE"));
  CAF_CHECK(fits("_", "_"));
  CAF_CHECK(fits(".b", ".b"));
  CAF_CHECK(!fits("a.b", ".b"));  // which X509_check_host would take
  CAF_CHECK(!fits("a.b", "a"));
  CAF_CHECK(!fits("a.b", "b"));
  CAF_CHECK(!fits("a", "a."));
  CAF_CHECK(!fits("a-1", "a_1"));
  CAF_CHECK(!fits("[", "{"));
  CAF_CHECK(!fits("*.b", "a.b"));
  CAF_CHECK(!fits("*.b", "*.b"));
  CAF_CHECK(!fits("a*", "ab"));
  CAF_CHECK(!fits("", ""));
  CAF_CHECK(!fits("a", ""));
  CAF_CHECK(!fits("a", std::string("a\0", 2)));
  CAF_CHECK(!fits(std::string("a\0b", 3), "a"));
  CAF_CHECK(!fits(std::string("a\0b", 3), std::string("a\0b", 3)));
  CAF_CHECK(!fits(std::string("a\0", 2), std::string("a\0", 2)));
  CAF_CHECK(!is_for(nullptr, "a"));
  CAF_CHECK(!is_for(make({.common_name = "a"}).certificate.get(), "a"));
}

CAF_TEST(an address or another kind of name is no DNS name) {
  auto who = make({});
  test::add_extension(who.certificate.get(), NID_subject_alt_name, "email:a,URI:a,IP:127.0.0.1");
  CAF_CHECK(!is_for(who.certificate.get(), "a"));
  CAF_CHECK(!is_for(who.certificate.get(), "127.0.0.1"));
}

CAF_TEST(files that are not there or not what they should be) {
  const auto good = write("n", for_names({"a"}), ca);
  CAF_CHECK_EQUAL(refusal({path("none"), good.cert, good.key}),
                  "cluster.tls.ca none: cannot be read: No such file or directory; scripts/certs makes the "
                  "three files");
  CAF_CHECK_EQUAL(refusal({good.ca, path("none"), good.key}).find("cluster.tls.cert none: cannot be read"),
                  0U);
  CAF_CHECK_EQUAL(refusal({good.ca, good.cert, path("none")}).find("cluster.tls.key none: cannot be read"),
                  0U);
  CAF_CHECK(tls_identity::load({path("none"), good.cert, good.key}, "a").error().code == errc::io);
  CAF_CHECK(contains(refusal({path("."), good.cert, good.key}), "cannot be read: Is a directory"));
  const auto empty = write("empty", "");
  CAF_CHECK_EQUAL(
      refusal({empty, good.cert, good.key}),
      "cluster.tls.ca empty: holds no certificate; it must be PEM, with -----BEGIN CERTIFICATE-----");
  CAF_CHECK(contains(refusal({good.ca, good.key, good.key}), "cluster.tls.cert n.key: holds no certificate"));
  CAF_CHECK_EQUAL(
      refusal({good.ca, good.cert, good.cert}),
      "cluster.tls.key n.pem: holds no private key; it must be PEM, with -----BEGIN PRIVATE KEY-----");
  CAF_CHECK(contains(refusal({write("big", std::string(1 << 20, 'x')), good.cert, good.key}),
                     "cluster.tls.ca big: is larger than 256 KiB"));
  CAF_CHECK(tls_identity::load({empty, good.cert, good.key}, "a").error().code == errc::invalid);
}

CAF_TEST(broken PEM is refused also behind something whole) {
  const auto who = for_names({"a"});
  const auto good = write("n", who, ca);
  auto broken = who.cert_pem();
  broken[broken.size() / 2] = '!';
  CAF_CHECK(contains(refusal({good.ca, write("broken", broken), good.key}),
                     "cluster.tls.cert broken: has a certificate that can't be read ("));
  CAF_CHECK(contains(refusal({write("broken", ca.cert_pem() + broken), good.cert, good.key}),
                     "cluster.tls.ca broken: has a certificate that can't be read ("));
  const auto cut = who.cert_pem().substr(0, 200);
  CAF_CHECK(contains(refusal({good.ca, write("cut", cut), good.key}), "cluster.tls.cert cut: "));
  const auto key = who.key_pem();
  CAF_CHECK(
      contains(refusal({good.ca, good.cert, write("cut", key.substr(0, 100))}), "cluster.tls.key cut: "));
  auto bent = key;
  bent[60] = bent[60] == 'A' ? 'B' : 'A';
  CAF_CHECK(contains(refusal({good.ca, good.cert, write("bent", bent)}), "cluster.tls.key bent: "));
}

CAF_TEST(a key with a passphrase is refused without asking for it) {
  const auto who = for_names({"a"});
  const auto good = write("n", who, ca);
  CAF_CHECK_EQUAL(
      refusal({good.ca, good.cert, write("locked", to_pem(who.key.get(), "secret"))}),
      "cluster.tls.key locked: is encrypted, and a node can't ask for a passphrase; write it without one");
}

CAF_TEST(the key must be the one of the certificate) {
  const auto good = write("n", for_names({"a"}), ca);
  CAF_CHECK_EQUAL(
      refusal({good.ca, good.cert, write("other", to_pem(test::new_key().get()))}),
      "cluster.tls.key other: is not the key of the certificate in cluster.tls.cert n.pem; give the two "
      "that were made together");
}

CAF_TEST(the certificate must be signed by the authority) {
  const auto other = make_authority();  // of the same name
  const auto* unsigned_ =
      "cluster.tls.cert n.pem: is not signed by the authority in cluster.tls.ca n.ca; give both "
      "from the same DIR of scripts/certs";
  CAF_CHECK_EQUAL(refusal(make({.dns = {"a"}}, &other)), unsigned_);
  CAF_CHECK_EQUAL(refusal(make({.dns = {"a"}, .key_ids = false}, &other)), unsigned_);
  CAF_CHECK_EQUAL(refusal(make({.dns = {"a"}})), unsigned_);  // by itself
  const auto stranger = make({.common_name = "another", .authority = true});
  CAF_CHECK_EQUAL(refusal(make({.dns = {"a"}}, &stranger)), unsigned_);
  // A node's certificate does not make its owner an authority.
  const auto node = for_names({"b"});
  const auto by_node = make({.dns = {"a"}}, &node);
  auto files = write("n", by_node, ca);
  files.cert = write("chain", by_node.cert_pem() + node.cert_pem());
  CAF_CHECK(contains(refusal(files),
                     "cluster.tls.cert chain: is signed by a certificate that may not sign others"));
}

CAF_TEST(what is given as the authority must be one) {
  const auto good = write("n", for_names({"a"}), ca);
  CAF_CHECK(contains(refusal({good.cert, good.cert, good.key}),
                     "cluster.tls.ca n.pem: holds a certificate that may not sign others (for \"a\")"));
}

CAF_TEST(certificates outside of their time are refused and what is out of time is named) {
  CAF_CHECK(contains(refusal(make({.dns = {"a"}, .from = -20, .until = -10}, &ca)),
                     "cluster.tls.cert n.pem: expired on 20"));
  CAF_CHECK(contains(refusal(make({.dns = {"a"}, .from = -20, .until = -10}, &ca)),
                     "UTC; make a new one with scripts/certs --renew DIR a"));
  CAF_CHECK(contains(refusal(make({.dns = {"a"}, .from = 1000}, &ca)),
                     "cluster.tls.cert n.pem: is not valid before 20"));
  const auto old = make_authority(-10);
  CAF_CHECK(contains(refusal(write("n", make({.dns = {"a"}}, &old), old)),
                     "cluster.tls.cert n.pem: is signed by a certificate that expired on 20"));
}

CAF_TEST(a certificate must serve both ends of a link) {
  for (const auto* half : {"serverAuth", "clientAuth", "codeSigning"})
    CAF_CHECK(contains(refusal(make({.dns = {"a"}, .usage = half}, &ca)),
                       "cluster.tls.cert n.pem: may not be used for both ends of a link"));
  CAF_CHECK_EQUAL(refusal(make({.dns = {"a"}, .usage = ""}, &ca)), "");
}

CAF_TEST(the end is that of the authority if it comes first) {
  const auto soon = make_authority(600);
  const auto loaded = tls_identity::load(write("n", make({.dns = {"a"}}, &soon), soon), "a");
  CAF_REQUIRE(loaded.has_value());
  CAF_CHECK((*loaded)->expires() < std::chrono::system_clock::now() + std::chrono::seconds(601));
}

CAF_TEST(authorities in between may be trusted or shown) {
  const auto between = make({.common_name = "between", .authority = true}, &ca);
  const auto who = make({.dns = {"a"}}, &between);
  CAF_CHECK_EQUAL(refusal(write("n", who, between)), "");
  auto files = write("m", who, ca);
  CAF_CHECK(contains(refusal(files), "is not signed by the authority"));
  files.cert = write("m.pem", who.cert_pem() + between.cert_pem());
  CAF_CHECK_EQUAL(refusal(files), "");
}

CAF_TEST(a file may hold two authorities while one is replaced) {
  const auto next = make_authority();
  auto files = write("n", for_names({"a"}), ca);
  files.ca = write("both", next.cert_pem() + ca.cert_pem());
  CAF_CHECK_EQUAL(refusal(files), "");
}

CAF_TEST(a key that others may read is a warning) {
  auto files = write("n", for_names({"a"}), ca);
  for (const auto mode : {0640U, 0604U, 0620U}) {
    ::chmod(files.key.c_str(), mode);
    const auto loaded = tls_identity::load(files, "a");
    CAF_REQUIRE(loaded.has_value());
    const auto warnings = (*loaded)->warnings();
    CAF_REQUIRE_EQUAL(warnings.size(), 1U);
    CAF_CHECK_EQUAL(warnings[0], "cluster.tls.key " + files.key +
                                     ": other users may read this key; chmod 600 " + files.key);
  }
}

CAF_TEST(a reload takes what is new or leaves everything) {
  const auto files = write("n", for_names({"a"}), ca);
  const auto loaded = tls_identity::load(files, "a");
  CAF_REQUIRE(loaded.has_value());
  const auto first = (*loaded)->context();
  const auto end = (*loaded)->expires();

  write("n", make({.dns = {"b"}}, &ca), ca);
  const auto refused = (*loaded)->reload();
  CAF_REQUIRE(refused.has_error());
  CAF_CHECK(contains(refused.error().message, "n.pem: is for \"b\", but this node's name is \"a\""));
  std::filesystem::remove(files.key);
  CAF_CHECK((*loaded)->reload().has_error());
  CAF_CHECK((*loaded)->context() == first);
  CAF_CHECK((*loaded)->expires() == end);

  write("n", make({.dns = {"a"}, .until = 7200}, &ca), ca);
  ::chmod(files.key.c_str(), 0644);
  CAF_CHECK((*loaded)->reload().has_value());
  CAF_CHECK((*loaded)->context() != first);
  CAF_CHECK((*loaded)->expires() < end);
  CAF_CHECK_EQUAL((*loaded)->warnings().size(), 1U);
}

CAF_TEST(threads may ask while others reload) {
  const auto loaded = tls_identity::load(write("n", for_names({"a"}), ca), "a");
  CAF_REQUIRE(loaded.has_value());
  std::vector<std::thread> threads;
  std::atomic<int> wrong{0};
  for (int i = 0; i < 2; ++i) {
    threads.emplace_back([&] {
      for (int n = 0; n < 20; ++n)
        wrong += (*loaded)->reload().has_error() ? 1 : 0;
    });
    threads.emplace_back([&] {
      for (int n = 0; n < 200; ++n)
        wrong += (*loaded)->context() == nullptr || !(*loaded)->warnings().empty() ||
                         (*loaded)->expires() < std::chrono::system_clock::now()
                     ? 1
                     : 0;
    });
  }
  for (auto& t : threads)
    t.join();
  CAF_CHECK_EQUAL(wrong.load(), 0);
}

CAF_TEST_FIXTURE_SCOPE_END()

}  // namespace cafmcp::cluster
