#define CAF_SUITE channel

#include "cluster/runtime/link/channel.hpp"

#include <netinet/tcp.h>
#include <openssl/ssl.h>

#include <boost/asio/bind_executor.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/strand.hpp>
#include <chrono>
#include <cstring>
#include <functional>
#include <optional>

#include "cluster/runtime/link/test_certificates.hpp"

#include "tests/unit/caf_test.hpp"

namespace cafmcp::cluster {

namespace asio = boost::asio;
using asio::ip::tcp;
using error_code = boost::system::error_code;
using context_ptr = std::shared_ptr<asio::ssl::context>;
using namespace std::literals;

namespace {

/// What became of an operation.
struct outcome {
  std::optional<error_code> failed;
  std::size_t bytes = 0;
  bool done() const { return failed.has_value(); }
  bool good() const { return done() && !*failed; }
  bool bad() const { return done() && *failed; }
};

struct fixture : test::folder {
  asio::io_context io;
  test::identity ca = test::make_authority();

  /// A node's own context, as a node has it.
  context_ptr node(const std::string& name) const {
    const auto loaded = tls_identity::load(write(name, test::make({.dns = {name}}, &ca), ca), name);
    if (!loaded)
      CAF_FAIL(loaded.error().message);
    return (*loaded)->context();
  }

  /// What somebody has made who need not care for rules: any certificate or none, and no check of others.
  static context_ptr rogue(const test::identity* who, bool tls12 = false) {
    auto out = std::make_shared<asio::ssl::context>(asio::ssl::context::tls);
    auto* ctx = out->native_handle();
    if (tls12)
      SSL_CTX_set_max_proto_version(ctx, TLS1_2_VERSION);
    if (who != nullptr) {
      test::must(::SSL_CTX_use_certificate(ctx, who->certificate.get()) == 1);
      test::must(::SSL_CTX_use_PrivateKey(ctx, who->key.get()) == 1);
    }
    return out;
  }

  /// Two ends of a connection over loopback.
  std::pair<tcp::socket, tcp::socket> sockets() {
    tcp::acceptor acceptor{io, tcp::endpoint{asio::ip::address_v4::loopback(), 0}};
    tcp::socket dialled{io};
    dialled.connect(acceptor.local_endpoint());
    return {acceptor.accept(), std::move(dialled)};
  }

  void until(const std::function<bool()>& holds) {
    const auto deadline = std::chrono::steady_clock::now() + 10s;
    while (!holds() && std::chrono::steady_clock::now() < deadline) {
      io.restart();
      io.run_one_for(100ms);
    }
  }

  static auto into(outcome& o) {
    return [&o](error_code failed, std::size_t bytes = 0) {
      CAF_CHECK(!o.done());
      o = {failed, bytes};
    };
  }
};

channel open(tcp::socket socket, const context_ptr& context) {
  return context ? channel{std::move(socket), context} : channel{std::move(socket)};
}

/// Two channels, and their handshakes.
struct pair {
  fixture& f;
  channel acceptor;
  channel dialer;
  outcome accepted, dialled;

  pair(fixture& fix, const context_ptr& left, const context_ptr& right)
      : pair(fix, fix.sockets(), left, right) {}
  pair(fixture& fix, std::pair<tcp::socket, tcp::socket> s, const context_ptr& left, const context_ptr& right)
      : f(fix), acceptor(open(std::move(s.first), left)), dialer(open(std::move(s.second), right)) {}
  ~pair() {  // before what is pending loses what it works on
    acceptor.close();
    dialer.close();
    f.io.restart();
    f.io.poll();
  }

  pair& shake() {
    acceptor.handshake(false, fixture::into(accepted));
    dialer.handshake(true, fixture::into(dialled));
    f.until([&] { return accepted.done() && dialled.done(); });
    return *this;
  }

  /// Whether bytes get through, both ways.
  bool works() {
    for (auto [from, to] : {std::pair{&acceptor, &dialer}, std::pair{&dialer, &acceptor}}) {
      outcome written, read;
      char c = 0;
      from->write(asio::buffer("x", 1), fixture::into(written));
      to->read_some(asio::buffer(&c, 1), fixture::into(read));
      f.until([&] { return written.done() && read.done(); });
      if (!written.good() || written.bytes != 1 || !read.good() || read.bytes != 1 || c != 'x')
        return false;
    }
    return true;
  }

  /// Whether the acceptor has refused, and the dialer notices, at the latest when it reads.
  bool refused_by_acceptor() {
    shake();
    if (!accepted.bad())
      return false;
    acceptor.close();
    if (dialled.bad())
      return true;
    outcome read;
    char c = 0;
    dialer.read_some(asio::buffer(&c, 1), fixture::into(read));
    f.until([&] { return read.done(); });
    return read.bad();
  }

  bool refused_by_dialer() {
    shake();
    return dialled.bad();
  }
};

/// The other way round for each: who is wrong dials, and is dialled.
struct both_ways {
  fixture& f;
  context_ptr node;

  bool refuse(const context_ptr& wrong) const {
    return pair(f, node, wrong).refused_by_acceptor() && pair(f, wrong, node).refused_by_dialer();
  }
  bool accept(const context_ptr& other) const {
    return pair(f, node, other).shake().works() && pair(f, other, node).shake().works();
  }
};

}  // namespace

CAF_TEST_FIXTURE_SCOPE(channels, fixture)

CAF_TEST(two nodes of one authority trust each other by name) {
  pair p(*this, node("a"), node("b"));
  CAF_CHECK(!p.acceptor.certified_for("b"));
  CAF_CHECK_EQUAL(p.acceptor.certified_names(), "nobody (there is none)");
  p.shake();
  CAF_CHECK(p.accepted.good() && p.dialled.good());
  CAF_CHECK(p.works());
  CAF_CHECK(p.acceptor.secure() && p.dialer.secure());
  CAF_CHECK(p.acceptor.certified_for("b"));
  CAF_CHECK(p.acceptor.certified_for("B"));
  CAF_CHECK(!p.acceptor.certified_for("a"));
  CAF_CHECK(p.dialer.certified_for("a"));
  CAF_CHECK(!p.dialer.certified_for("b"));
  CAF_CHECK(!p.dialer.certified_for(""));
  CAF_CHECK(!p.dialer.certified_for("a\0"sv));
  CAF_CHECK_EQUAL(p.dialer.certified_names(), "\"a\"");
}

CAF_TEST(without TLS any name will do) {
  pair p(*this, nullptr, nullptr);
  p.acceptor.handshake(false, into(p.accepted));
  CAF_CHECK(!p.accepted.done());
  p.dialer.handshake(true, into(p.dialled));
  until([&] { return p.accepted.done() && p.dialled.done(); });
  CAF_CHECK(p.accepted.good() && p.dialled.good());
  CAF_CHECK(p.works());
  CAF_CHECK(!p.acceptor.secure());
  CAF_CHECK(p.acceptor.certified_for("b"));
}

CAF_TEST(whom the authority has not signed is refused) {
  const both_ways a{*this, node("a")};
  const auto good = test::make({.dns = {"b"}}, &ca);
  CAF_CHECK(a.accept(rogue(&good)));  // so it is not the rogue itself that fails below
  const auto stranger = test::make_authority();
  for (const bool ids : {true, false}) {
    const auto by_stranger = test::make({.dns = {"b"}, .key_ids = ids}, &stranger);
    CAF_CHECK(a.refuse(rogue(&by_stranger)));
  }
  const auto alone = test::make({.dns = {"b"}});
  CAF_CHECK(a.refuse(rogue(&alone)));
  // Nor is one whom a node has signed.
  const auto by_node = test::make({.dns = {"b"}}, &good);
  const auto context = rogue(&by_node);
  test::must(SSL_CTX_add1_chain_cert(context->native_handle(), good.certificate.get()) == 1);
  CAF_CHECK(a.refuse(context));
}

CAF_TEST(authorities between a node and the common one are shown to the peer) {
  const auto between = test::make({.common_name = "between", .authority = true}, &ca);
  const auto who = test::make({.dns = {"a"}}, &between);
  auto files = write("a", who, ca);
  files.cert = write("a.pem", who.cert_pem() + between.cert_pem());
  const auto loaded = tls_identity::load(files, "a");
  CAF_REQUIRE(loaded.has_value());
  CAF_CHECK((both_ways{*this, node("b")}).accept((*loaded)->context()));
}

CAF_TEST(who shows no certificate is refused) {
  CAF_CHECK(pair(*this, node("a"), rogue(nullptr)).refused_by_acceptor());
  CAF_CHECK(pair(*this, rogue(nullptr), node("a")).refused_by_dialer());
}

CAF_TEST(certificates outside of their time are refused) {
  const both_ways a{*this, node("a")};
  const auto expired = test::make({.dns = {"b"}, .from = -20, .until = -10}, &ca);
  CAF_CHECK(a.refuse(rogue(&expired)));
  const auto early = test::make({.dns = {"b"}, .from = 1000}, &ca);
  CAF_CHECK(a.refuse(rogue(&early)));
}

CAF_TEST(certificates for other purposes are refused) {
  const auto a = node("a");
  const auto server = test::make({.dns = {"b"}, .usage = "serverAuth"}, &ca);
  const auto client = test::make({.dns = {"b"}, .usage = "clientAuth"}, &ca);
  CAF_CHECK(pair(*this, a, rogue(&server)).refused_by_acceptor());
  CAF_CHECK(pair(*this, rogue(&client), a).refused_by_dialer());
}

CAF_TEST(names that do not count are no names) {
  for (const auto& what : {test::about{.dns = {}, .common_name = "b"}, test::about{.dns = {"*"}},
                           test::about{.dns = {"*.b", "c"}, .common_name = "b"},
                           test::about{.dns = {"b\0"s, "x.b", "bb"}, .common_name = "b"}}) {
    const auto who = test::make(what, &ca);
    pair p(*this, node("a"), rogue(&who));
    p.shake();
    CAF_CHECK(p.accepted.good());  // the authority has signed it, after all
    CAF_CHECK(!p.acceptor.certified_for("b"));
    CAF_CHECK(!p.acceptor.certified_for("b.b"));
    CAF_CHECK(!p.acceptor.certified_for("*"));
  }
}

CAF_TEST(a peer of an older TLS is refused) {
  const both_ways a{*this, node("a")};
  const auto good = test::make({.dns = {"b"}}, &ca);
  CAF_CHECK(a.accept(rogue(&good)));
  CAF_CHECK(a.refuse(rogue(&good, true)));
}

CAF_TEST(a peer without TLS is refused) {
  for (const auto* first : {"GET / HTTP/1.1\r\n\r\n", "\x16\x03\x01\xff\xff", "\x01"}) {
    auto [left, right] = sockets();
    channel accepting{std::move(left), node("a")};
    outcome accepted;
    accepting.handshake(false, into(accepted));
    asio::write(right, asio::buffer(first, std::strlen(first)));
    right.shutdown(tcp::socket::shutdown_send);
    until([&] { return accepted.done(); });
    CAF_CHECK(accepted.bad());
    CAF_CHECK(!accepting.certified_for("b"));
  }
}

CAF_TEST(a handshake that is cut off fails) {
  // The dialer's first words, kept by a relay that passes on only a part.
  auto [left, right] = sockets();
  channel dialing{std::move(right), node("b")};
  outcome dialled;
  dialing.handshake(true, into(dialled));
  std::string hello(4096, '\0');
  outcome read;
  left.async_read_some(asio::buffer(hello), into(read));
  until([&] { return read.done(); });
  CAF_REQUIRE(read.good() && read.bytes > 100);
  for (const std::size_t part : {std::size_t{1}, read.bytes / 2, read.bytes}) {
    auto [near, far] = sockets();
    channel accepting{std::move(near), node("a")};
    outcome accepted;
    accepting.handshake(false, into(accepted));
    asio::write(far, asio::buffer(hello.data(), part));
    far.shutdown(tcp::socket::shutdown_send);
    until([&] { return accepted.done(); });
    CAF_CHECK(accepted.bad());
  }
  left.close();
  until([&] { return dialled.done(); });
  CAF_CHECK(dialled.bad());
}

CAF_TEST(a chain that is too long to be one is refused) {
  const auto who = test::make({.dns = {"b"}}, &ca);
  const auto context = rogue(&who);
  for (int i = 0; i < 200; ++i)
    test::must(SSL_CTX_add1_chain_cert(context->native_handle(), who.certificate.get()) == 1);
  CAF_CHECK((both_ways{*this, node("a")}).refuse(context));
}

CAF_TEST(a session is never resumed) {
  const auto a = node("a");
  const auto who = test::make({.dns = {"b"}}, &ca);
  const auto context = rogue(&who);
  ::SSL_CTX_set_session_cache_mode(context->native_handle(), SSL_SESS_CACHE_CLIENT);
  static int sessions;
  sessions = 0;
  ::SSL_CTX_sess_set_new_cb(context->native_handle(), [](SSL*, SSL_SESSION*) {
    ++sessions;
    return 0;
  });
  pair p(*this, a, context);
  CAF_CHECK(p.shake().works());
  CAF_CHECK_EQUAL(sessions, 0);
}

CAF_TEST(a reload counts for handshakes to come) {
  const auto files = write("n", test::make({.dns = {"n"}, .common_name = "first"}, &ca), ca);
  const auto loaded = tls_identity::load(files, "n");
  CAF_REQUIRE(loaded.has_value());
  const auto b = node("b");
  pair before(*this, (*loaded)->context(), b);
  CAF_CHECK(before.shake().works());
  write("n", test::make({.dns = {"n", "also"}, .common_name = "second"}, &ca), ca);
  CAF_REQUIRE((*loaded)->reload().has_value());
  pair after(*this, (*loaded)->context(), b);
  CAF_CHECK(after.shake().works());
  CAF_CHECK(!before.dialer.certified_for("also"));
  CAF_CHECK(after.dialer.certified_for("also"));
  CAF_CHECK(before.works());
  write("n", test::make({.dns = {"n"}}), ca);
  CAF_REQUIRE((*loaded)->reload().has_error());
  pair still(*this, (*loaded)->context(), b);
  CAF_CHECK(still.shake().works());
  CAF_CHECK(still.dialer.certified_for("also"));
}

CAF_TEST(the context lives as long as its channels) {
  auto a = node("a");
  const std::weak_ptr<asio::ssl::context> watch = a;
  {
    pair p(*this, a, node("b"));
    a.reset();
    CAF_CHECK(!watch.expired());
    CAF_CHECK(p.shake().works());
  }
  CAF_CHECK(watch.expired());
}

CAF_TEST(what is large arrives whole) {
  for (const bool secure : {true, false}) {
    pair p(*this, secure ? node("a") : nullptr, secure ? node("b") : nullptr);
    p.shake();
    std::string sent(3 << 20, '\0');
    for (std::size_t i = 0; i < sent.size(); ++i)
      sent[i] = static_cast<char>(i * 31 >> 3);
    outcome written;
    p.acceptor.write(asio::buffer(sent), into(written));
    std::string received;
    std::string part(64 << 10, '\0');
    std::function<void()> read = [&] {
      p.dialer.read_some(asio::buffer(part), [&](error_code failed, std::size_t n) {
        received.append(part, 0, n);
        if (!failed && received.size() < sent.size())
          read();
      });
    };
    read();
    until([&] { return written.done() && received.size() >= sent.size(); });
    CAF_CHECK(written.good());
    CAF_CHECK_EQUAL(written.bytes, sent.size());
    CAF_CHECK(received == sent);
  }
}

CAF_TEST(closing ends what is pending) {
  for (const bool secure : {true, false}) {
    const auto a = secure ? node("a") : nullptr;
    const auto b = secure ? node("b") : nullptr;
    pair p(*this, a, b);
    p.shake();
    outcome read, written, far;
    std::string much(64 << 20, 'x');
    char c = 0;
    p.acceptor.read_some(asio::buffer(&c, 1), into(read));
    p.acceptor.write(asio::buffer(much), into(written));
    until([&] { return io.poll() == 0; });
    CAF_CHECK(!read.done() && !written.done());
    p.acceptor.close();
    CAF_CHECK(!read.done() && !written.done());
    p.acceptor.close();
    until([&] { return read.done() && written.done(); });
    CAF_CHECK(read.bad() && written.bad());
    CAF_CHECK(!p.acceptor.socket().is_open());
    // What begins afterwards ends the same way.
    outcome later_read, later_write, later_handshake;
    p.acceptor.read_some(asio::buffer(&c, 1), into(later_read));
    p.acceptor.write(asio::buffer("x", 1), into(later_write));
    until([&] { return later_read.done() && later_write.done(); });
    CAF_CHECK(later_read.bad() && later_write.bad());
    p.acceptor.handshake(false, into(later_handshake));
    until([&] { return later_handshake.done(); });
    CAF_CHECK(later_handshake.bad());
  }
}

CAF_TEST(closing ends a handshake) {
  for (const bool dialer : {true, false}) {
    auto [left, right] = sockets();
    channel c{std::move(left), node("a")};
    outcome shaken;
    c.handshake(dialer, into(shaken));
    until([&] { return io.poll() == 0; });
    CAF_CHECK(!shaken.done());
    c.close();
    until([&] { return shaken.done(); });
    CAF_CHECK(shaken.bad());
  }
}

CAF_TEST(after closing nothing is delivered that had arrived) {
  for (const bool secure : {true, false}) {
    pair p(*this, secure ? node("a") : nullptr, secure ? node("b") : nullptr);
    p.shake();
    outcome first, second, written;
    char c = 0;
    p.dialer.write(asio::buffer("xyz", 3), into(written));
    p.acceptor.read_some(asio::buffer(&c, 1), into(first));
    until([&] { return first.done() && written.done(); });
    CAF_CHECK(first.good());
    p.acceptor.read_some(asio::buffer(&c, 1), into(second));  // "yz" are decrypted already, or in the socket
    p.acceptor.close();
    until([&] { return second.done(); });
    CAF_CHECK(second.bad());
    CAF_CHECK_EQUAL(second.bytes, 0U);
  }
}

CAF_TEST(a closed peer is an error) {
  for (const bool secure : {true, false}) {
    pair p(*this, secure ? node("a") : nullptr, secure ? node("b") : nullptr);
    p.shake();
    outcome read;
    char c = 0;
    p.acceptor.read_some(asio::buffer(&c, 1), into(read));
    p.dialer.close();
    until([&] { return read.done(); });
    CAF_CHECK(read.bad());
  }
}

CAF_TEST(handlers run where they want) {
  for (const bool secure : {true, false}) {
    pair p(*this, secure ? node("a") : nullptr, secure ? node("b") : nullptr);
    const auto strand = asio::make_strand(io);
    bool within = false;
    p.acceptor.handshake(false, asio::bind_executor(strand, [&](error_code failed) {
                           within = strand.running_in_this_thread();
                           p.accepted.failed = failed;
                         }));
    p.dialer.handshake(true, into(p.dialled));
    until([&] { return p.accepted.done() && p.dialled.done(); });
    CAF_CHECK(within);
  }
}

CAF_TEST(sockets are tuned for small messages with priorities) {
  for (const bool secure : {true, false}) {
    pair p(*this, secure ? node("a") : nullptr, secure ? node("b") : nullptr);
    tcp::no_delay no_delay;
    p.acceptor.socket().get_option(no_delay);
    CAF_CHECK(no_delay.value());
    int unsent = 0;
    socklen_t size = sizeof unsent;
    ::getsockopt(p.acceptor.socket().native_handle(), IPPROTO_TCP, TCP_NOTSENT_LOWAT, &unsent, &size);
    CAF_CHECK_EQUAL(unsent, 128 * 1024);
  }
}

CAF_TEST(the remote end has a text) {
  auto [left, right] = sockets();
  const auto port = ":" + std::to_string(right.local_endpoint().port());
  channel c{std::move(left)};
  CAF_CHECK_EQUAL(c.remote(), "127.0.0.1" + port);
  c.close();
  CAF_CHECK_EQUAL(c.remote(), "127.0.0.1" + port);
  CAF_CHECK_EQUAL(channel{tcp::socket{io}}.remote(), "unknown");
  // A socket for both kinds of addresses.
  tcp::acceptor acceptor{io, tcp::endpoint{asio::ip::address_v6::any(), 0}};
  tcp::socket dialled{io};
  dialled.connect({asio::ip::address_v4::loopback(), acceptor.local_endpoint().port()});
  CAF_CHECK_EQUAL(channel{acceptor.accept()}.remote(),
                  "127.0.0.1:" + std::to_string(dialled.local_endpoint().port()));
}

CAF_TEST(a channel moves to where it stays) {
  auto [left, right] = sockets();
  const auto moved = std::make_shared<channel>(channel{std::move(left), node("a")});
  channel other{std::move(right), node("b")};
  outcome accepted, dialled;
  moved->handshake(false, into(accepted));
  other.handshake(true, into(dialled));
  until([&] { return accepted.done() && dialled.done(); });
  CAF_CHECK(accepted.good() && dialled.good());
  CAF_CHECK(moved->certified_for("b"));
}

CAF_TEST_FIXTURE_SCOPE_END()

}  // namespace cafmcp::cluster
