#define CAF_SUITE handshake

#include "cluster/runtime/link/handshake.hpp"

#include <deque>

#include "tests/unit/caf_test.hpp"

using namespace cafmcp;
using namespace cafmcp::cluster;

namespace {

hello node(const std::string& name) {
  hello h;
  h.node = name;
  h.id = name + "-id";
  h.incarnation = std::hash<std::string>{}(name) | 1U;
  h.version = 2;
  h.min_version = 1;
  h.window_bytes = 1 << 20;
  h.address = "127.0.0.1:7000";
  return h;
}

struct talk {
  talk(hello d, hello a, const std::string& d_secret = "s3cret", const std::string& a_secret = "s3cret",
       const std::string& expected = {})
      : dialer(true, std::move(d), d_secret, expected), acceptor(false, std::move(a), a_secret) {
    deliver(dialer.begin(), acceptor, dialer);
  }
  // Hands frames over, and what comes back, until somebody has nothing more to say.
  void deliver(std::string bytes, handshake& to, handshake& from) {
    while (!bytes.empty() && why.empty()) {
      const auto head = decode_header(bytes);
      CAF_REQUIRE(head);
      const auto body = bytes.substr(handshake_header_bytes, head->first);
      bytes.erase(0, handshake_header_bytes + head->first);
      ++frames;
      const auto answer = to.receive(head->second, body);
      if (!answer)
        why = answer.error().message;
      else
        deliver(*answer, from, to);
    }
  }
  bool proven() const {
    return dialer.state() == handshake_state::proven && acceptor.state() == handshake_state::proven;
  }
  std::string why;
  int frames = 0;
  handshake dialer;
  handshake acceptor;
};

std::string body_of(const std::string& frame) {
  return frame.substr(handshake_header_bytes);
}

}  // namespace

CAF_TEST(two nodes with the same secret get to know each other) {
  talk t{node("a"), node("b")};
  CAF_CHECK_EQUAL(t.why, "");
  CAF_CHECK(t.proven());
  CAF_CHECK_EQUAL(t.frames, 4);
  CAF_CHECK_EQUAL(t.dialer.peer().node, "b");
  CAF_CHECK_EQUAL(t.acceptor.peer().id, "a-id");
  CAF_CHECK(t.dialer.arbiter());
  CAF_CHECK(!t.acceptor.arbiter());
  CAF_CHECK(t.acceptor.receive(handshake_frame::ready, {}).has_value());
  CAF_CHECK(t.acceptor.state() == handshake_state::ready);
  CAF_CHECK(!t.dialer.receive(handshake_frame::ready, {}).has_value());  // it has to say so itself
}

CAF_TEST(another secret is refused by whoever was dialled) {
  talk t{node("a"), node("b"), "s3cret", "other"};
  CAF_CHECK(t.why.find("cluster.secret") != std::string::npos);
  CAF_CHECK(t.acceptor.state() == handshake_state::talking);
  CAF_CHECK(t.dialer.state() == handshake_state::talking);
  CAF_CHECK_EQUAL(t.frames, 3);  // nothing was proven to who could prove nothing
}

CAF_TEST(a proof fits its conversation alone) {
  // A relay plays the proof of one conversation in another.
  handshake first{true, node("a"), "s3cret"};
  handshake victim{false, node("b"), "s3cret"};
  const auto hello_b = victim.receive(handshake_frame::hello, body_of(first.begin()));
  const auto proof = first.receive(handshake_frame::hello, body_of(*hello_b));
  handshake again{false, node("b"), "s3cret"};
  CAF_REQUIRE(again.receive(handshake_frame::hello, body_of(first.begin())).has_value());
  CAF_CHECK(!again.receive(handshake_frame::proof, body_of(*proof)).has_value());
  CAF_CHECK(victim.receive(handshake_frame::proof, body_of(*proof)).has_value());
}

CAF_TEST(what a node says about itself is part of the proof) {
  handshake dialer{true, node("a"), "s3cret"};
  handshake acceptor{false, node("b"), "s3cret"};
  auto changed = body_of(dialer.begin());
  changed[changed.find("127.0.0.1")] = '8';  // the address on which to dial back
  const auto answer = acceptor.receive(handshake_frame::hello, changed);
  const auto proof = dialer.receive(handshake_frame::hello, body_of(*answer));
  CAF_CHECK(!acceptor.receive(handshake_frame::proof, body_of(*proof)).has_value());
}

CAF_TEST(a reflected conversation proves nothing) {
  handshake dialer{true, node("b"), "s3cret"};
  CAF_CHECK(!dialer.receive(handshake_frame::hello, body_of(dialer.begin())).has_value());
  CAF_CHECK(dialer.met_self());
}

CAF_TEST(nodes that do not fit are refused with the reason) {
  const auto why = [](auto change, const std::string& expected = {}) {
    auto other = node("b");
    change(other);
    return talk{node("a"), other, "s", "s", expected}.why;
  };
  const auto says = [](const std::string& text, const char* part) {
    return text.find(part) != std::string::npos;
  };
  CAF_CHECK(says(why([](hello& h) { h.node = "a"; }), "two nodes are called a"));
  CAF_CHECK(says(why([](hello& h) { h.node = "a b"; }), "nothing of use"));
  CAF_CHECK(says(why([](hello& h) { h.node = std::string(64, 'n'); }), "nothing of use"));
  CAF_CHECK(says(why([](hello& h) { h.incarnation = 0; }), "nothing of use"));
  CAF_CHECK(says(why([](hello& h) { h.version = h.min_version = 3; }), "one release at a time"));
  CAF_CHECK(says(why([](hello&) {}, "c"), "where c was expected"));
  CAF_CHECK_EQUAL(why([](hello& h) { h.version = h.min_version = 1; }), "");
  CAF_CHECK_EQUAL(why([](hello& h) { h.cluster = "one"; }), "");  // we have none yet
  auto mine = node("a");
  mine.cluster = "one";
  auto theirs = node("b");
  theirs.cluster = "two";
  CAF_CHECK(says(talk(mine, theirs).why, "another cluster"));
  theirs.cluster = "one";
  CAF_CHECK_EQUAL(talk(mine, theirs).why, "");
}

CAF_TEST(the version is what both understand) {
  auto older = node("b");
  older.version = 1;
  talk t{node("a"), older};
  CAF_CHECK(t.proven());
  CAF_CHECK_EQUAL(t.dialer.version(), 1u);
  CAF_CHECK_EQUAL(t.acceptor.version(), 1u);
}

CAF_TEST(frames out of turn end it) {
  handshake acceptor{false, node("b"), "s3cret"};
  CAF_CHECK(!acceptor.receive(handshake_frame::proof, std::string(32, 'p')).has_value());
  CAF_CHECK(!acceptor.receive(handshake_frame::ready, {}).has_value());
  CAF_CHECK(!acceptor.receive(handshake_frame::hello, "no hello").has_value());
  handshake dialer{true, node("a"), "s3cret"};
  CAF_CHECK(acceptor.receive(handshake_frame::hello, body_of(dialer.begin())).has_value());
  CAF_CHECK(!acceptor.receive(handshake_frame::hello, body_of(dialer.begin())).has_value());
}

CAF_TEST(a refusal is one printable line) {
  handshake dialer{true, node("a"), "s3cret"};
  const auto end = dialer.receive(handshake_frame::refusal, "no\n\x1b[2J" + std::string(1000, 'x'));
  CAF_REQUIRE(!end.has_value());
  CAF_CHECK(end.error().message.starts_with("refused by the other side: no??[2Jxxx"));
  CAF_CHECK(end.error().message.size() < 300);
}

CAF_TEST(headers that cannot be are refused) {
  const auto header = [](unsigned length, int kind) {
    return std::string{static_cast<char>(length & 0xff), static_cast<char>(length >> 8),
                       static_cast<char>(kind)};
  };
  CAF_CHECK(decode_header(header(10, 17)));
  CAF_CHECK(decode_header(header(max_handshake_bytes, 20)));
  CAF_CHECK(!decode_header(header(max_handshake_bytes + 1, 17)));
  CAF_CHECK(!decode_header(header(65'535, 17)));
  CAF_CHECK(!decode_header(header(1, 16)));
  CAF_CHECK(!decode_header(header(1, 21)));
  CAF_CHECK(!decode_header("\x16\x03\x01"));  // TLS
}
