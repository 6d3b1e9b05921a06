#define CAF_SUITE links_strangers

#include <boost/asio/connect.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/write.hpp>
#include <random>

#include "cluster/runtime/link/links_branch.hpp"
#include "cluster/runtime/link/stranger_gate.hpp"
#include "cluster/runtime/link/test_certificates.hpp"
#include "tests/unit/caf_test.hpp"

// After caf_test.hpp.
#include "cluster/runtime/link/test_node.hpp"

using namespace cafmcp;
using namespace cafmcp::cluster;
using namespace cafmcp::cluster::testing;
using boost::asio::ip::tcp;

namespace {

/// A blocking connection to a node's port.
struct stranger {
  explicit stranger(std::uint16_t port) : socket(io) {
    socket.connect({boost::asio::ip::address_v4::loopback(), port});
  }
  void say(const std::string& bytes) {
    boost::system::error_code ignored;
    boost::asio::write(socket, boost::asio::buffer(bytes), ignored);
  }
  // All that comes until the other side hangs up.
  std::string hear() {
    std::string out;
    boost::system::error_code end;
    boost::asio::read(socket, boost::asio::dynamic_buffer(out), end);
    return out;
  }
  boost::asio::io_context io;
  tcp::socket socket;
};

node_options impatient(const std::string& name) {
  node_options o{name};
  o.manners.handshake = std::chrono::milliseconds{300};
  o.manners.strangers = 16;
  return o;
}

std::shared_ptr<tls_identity> identity_for(const test::folder& where, const std::string& name,
                                           const test::identity& authority) {
  const auto own = test::make({.dns = {name}}, &authority);
  return tls_identity::load(where.write(name, own, authority), name).value();
}

}  // namespace

CAF_TEST(connections that say nothing are in nobodys way and go) {
  test_node a{impatient("a")};
  std::vector<std::unique_ptr<stranger>> idle;
  for (int i = 0; i < 200; ++i)
    idle.push_back(std::make_unique<stranger>(a.port()));
  CAF_CHECK(until([&] { return a.directory->strangers().accepted >= 200; }));
  CAF_CHECK(a.directory->strangers().waiting <= 16);
  node_options of_b{"b", {a.address()}};
  test_node b{of_b};
  CAF_CHECK(a.waits_for_link_to("b"));
  for (const auto& s : idle)
    CAF_CHECK(s->hear().size() < 300);
  CAF_CHECK(until([&] { return a.directory->strangers().waiting == 0; }));
  CAF_CHECK(a.directory->strangers().evicted >= 100);
}

CAF_TEST(whatever strangers say they are refused) {
  test_node a{impatient("a")};
  std::mt19937 random{7};
  for (int i = 0; i < 200; ++i) {
    stranger s{a.port()};
    std::string noise(random() % 5000, '\0');
    for (auto& c : noise)
      c = static_cast<char>(random());
    if (i % 3 == 0)
      noise = encode_frame(handshake_frame::hello, noise.substr(0, 4000)) + noise;
    s.say(noise);
    boost::system::error_code ignored;
    s.socket.shutdown(tcp::socket::shutdown_send, ignored);
    CAF_CHECK(s.hear().size() < 300);
  }
  CAF_CHECK(until([&] { return a.directory->strangers().refused == 200; }));
  CAF_CHECK_EQUAL(a.directory->size(), 0u);
  test_node b{{"b", {a.address()}}};
  CAF_CHECK(a.waits_for_link_to("b"));
}

CAF_TEST(with certificates nodes know each other and nobody else) {
  const test::folder where;
  const auto authority = test::make_authority();
  const auto other = test::make_authority();
  auto with = [&](const std::string& name, std::shared_ptr<tls_identity> tls,
                  std::vector<config::address> seeds) {
    node_options o{name, std::move(seeds)};
    o.tls = std::move(tls);
    return o;
  };
  test_node a{with("a", identity_for(where, "a", authority), {})};
  test_node b{with("b", identity_for(where, "b", authority), {a.address()})};
  CAF_REQUIRE(a.waits_for_link_to("b"));
  CAF_CHECK(a.directory->get("b").secure);
  b.show<echo>("echo");
  const auto remote = a.find("b", "echo");
  CAF_REQUIRE(remote);
  const auto large = std::string(900'000, 't');
  const auto answer = a.ask<blob>(remote, blob{large});
  CAF_CHECK(answer && answer->bytes == large);

  test_node of_others{with("c", identity_for(where, "c", other), {a.address()})};
  test_node plain{with("d", nullptr, {a.address()})};
  // A certificate of the right authority for another name.
  node_options thief = with("e", identity_for(where, "f", authority), {a.address()});
  test_node with_others_name{thief};
  CAF_CHECK(until([&] { return a.directory->strangers().refused >= 6; }));
  for (const auto* name : {"c", "d", "e", "f"})
    CAF_CHECK(!a.linked_to(name));
  CAF_CHECK(!of_others.linked_to("a") && !plain.linked_to("a") && !with_others_name.linked_to("a"));
  CAF_CHECK(a.linked_to("b"));
}

CAF_TEST(the gate evicts the oldest of whoever has most) {
  stranger_counters counters;
  const auto gate = std::make_shared<stranger_gate>(4, counters);
  otp::io_pool pool{1};
  auto env = std::make_shared<link_environment>();
  env->self.node = "a";
  env->self.incarnation = 1;
  env->directory = std::make_shared<link_directory>();
  const auto nobody = net::listen("127.0.0.1", 0).value();
  std::mutex mutex;
  std::vector<std::size_t> over;
  std::vector<std::shared_ptr<candidate>> all;
  const auto enter = [&](const std::string& host) {
    const auto number = all.size();
    tcp::socket socket{pool.context(0)};
    socket.connect(nobody.endpoint());
    all.push_back(candidate::accepted(env, pool.context(0), std::move(socket)));
    gate->enter(all.back(), host);
    all.back()->start([&, number](const std::shared_ptr<candidate>&, candidate::event) {
      const std::lock_guard lock{mutex};
      over.push_back(number);
    });
    return number;
  };
  const auto ended = [&] {
    const std::lock_guard lock{mutex};
    return over;
  };
  const auto honest = enter("10.0.0.1");
  const auto flood1 = enter("10.0.0.9");
  enter("10.0.0.9");
  enter("10.0.0.9");
  CAF_CHECK_EQUAL(gate->size(), 4u);
  enter("10.0.0.9");
  CAF_CHECK_EQUAL(gate->size(), 4u);
  CAF_CHECK(until([&] { return ended() == std::vector{flood1}; }));
  CAF_CHECK_EQUAL(counters.evicted, 1u);
  gate->leave(*all[flood1]);  // it has left already
  CAF_CHECK_EQUAL(gate->size(), 4u);
  gate->leave(*all[honest]);
  gate->leave(*all[honest]);
  CAF_CHECK_EQUAL(gate->size(), 3u);
  CAF_CHECK_EQUAL(counters.waiting, 3u);
  for (const auto& c : all)
    c->drop();
  CAF_CHECK(until([&] { return ended().size() == all.size(); }));
}
