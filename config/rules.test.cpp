#define CAF_SUITE rules

#include "config/rules.hpp"

#include <algorithm>

#include "tests/unit/caf_test.hpp"

namespace cafmcp::config {

namespace {

settings node() {
  return {};
}

/// A node of a cluster whose links stay on this machine.
settings local() {
  settings s;
  s.cluster.listen = address{"127.0.0.1", 7000};
  s.cluster.advertise = address{"localhost", 7000};
  s.cluster.seeds = {{"127.9.9.9", 7001}, {"::1", 7002}};
  return s;
}

settings with_tls(settings s) {
  s.cluster.tls.ca = s.cluster.tls.cert = s.cluster.tls.key = "x";
  return s;
}

settings insecure(settings s) {
  s.cluster.insecure = true;
  return s;
}

/// The rules that are broken, as `key: what`, one a line.
std::string broken(const settings& s) {
  std::string out;
  for (const auto& c : check_rules(s)) {
    out += c.key + ": " + c.what + '\n';
  }
  return out;
}

bool only(const settings& s, const std::string& begin) {
  const auto all = broken(s);
  const bool right = all.rfind(begin, 0) == 0 && std::count(all.begin(), all.end(), '\n') == 1;
  if (!right) {
    CAF_MESSAGE(all);
  }
  return right;
}

}  // namespace

CAF_TEST(a node alone and a cluster on loopback break none) {
  CAF_CHECK_EQUAL(broken(node()), "");
  CAF_CHECK_EQUAL(broken(local()), "");
  CAF_CHECK_EQUAL(broken(with_tls(local())), "");
  CAF_CHECK_EQUAL(broken(insecure(local())), "");
}

CAF_TEST(TLS has all its files or none) {
  for (int some = 1; some < 7; ++some) {
    auto s = node();
    s.cluster.tls.ca = (some & 1) != 0 ? "x" : "";
    s.cluster.tls.cert = (some & 2) != 0 ? "x" : "";
    s.cluster.tls.key = (some & 4) != 0 ? "x" : "";
    CAF_CHECK_EQUAL(broken(s), "cluster.tls: is incomplete; give ca, cert and key, or none of them\n");
    s.cluster.listen = address{"10.0.0.1", 7000};  // not a second complaint: it is clear that TLS is meant
    CAF_CHECK(only(s, "cluster.tls: "));
  }
  CAF_CHECK_EQUAL(broken(with_tls(node())), "");
}

CAF_TEST(links beyond loopback need TLS or the word insecure) {
  auto listening = local();
  listening.cluster.listen = address{"10.0.0.1", 7000};
  CAF_CHECK_EQUAL(
      broken(listening),
      "cluster.listen: 10.0.0.1:7000 can be reached from other machines, but links would have no TLS; "
      "make certificates with scripts/certs and give cluster.tls.ca, cert and key, use addresses of "
      "127.0.0.1, or set cluster.insecure to true\n");
  auto advertised = local();
  advertised.cluster.advertise = address{"a.example", 7000};
  CAF_CHECK(only(advertised, "cluster.advertise: a.example:7000 is for other machines, but links would"));
  auto seeded = local();
  seeded.cluster.seeds.push_back({"fd00::1", 7003});
  CAF_CHECK(only(seeded, "cluster.seeds: [fd00::1]:7003 is another machine, but links would"));
  auto all = listening;
  all.cluster.advertise = advertised.cluster.advertise;
  all.cluster.seeds = seeded.cluster.seeds;
  CAF_CHECK(only(all, "cluster.listen: "));  // what repairs one repairs all
  for (const auto& s : {listening, advertised, seeded, all}) {
    CAF_CHECK_EQUAL(broken(with_tls(s)), "");
    CAF_CHECK_EQUAL(broken(insecure(s)), "");
  }
}

CAF_TEST(other nodes need an address that they can connect to) {
  for (const auto* host : {"0.0.0.0", "::"}) {
    auto s = with_tls(local());
    s.cluster.listen = address{host, 7777};
    CAF_CHECK_EQUAL(broken(s), "");
    s.cluster.advertise.reset();
    CAF_CHECK(
        only(s, "cluster.listen: " + to_string(*s.cluster.listen) +
                    " is all addresses and none that other nodes could connect to; give this node's own as "
                    "cluster.advertise, for instance 10.0.0.1:7777"));
    CAF_CHECK_EQUAL(check_rules([&] {
                      auto open = s;
                      open.cluster.tls = {};
                      return open;
                    }())
                        .size(),
                    2U);  // two things to repair
    s.cluster.advertise = address{host, 7778};
    CAF_CHECK(only(s, "cluster.advertise: " + to_string(*s.cluster.advertise) +
                          " is no address that other nodes could connect to; give this node's own"));
  }
}

CAF_TEST(seeds are for nodes that others can reach) {
  auto s = node();
  s.cluster.seeds = {{"127.0.0.1", 7000}};
  CAF_CHECK_EQUAL(
      broken(s),
      "cluster.seeds: needs cluster.listen, where the other nodes connect to this one; give it, or "
      "remove the seeds\n");
  s.cluster.seeds = {{"10.0.0.1", 7000}};
  CAF_CHECK(
      only(s, "cluster.seeds: needs cluster.listen"));  // as long as there are no links, they need no TLS
  CAF_CHECK(only(with_tls(s), "cluster.seeds: needs cluster.listen"));
}

CAF_TEST(what a session keeps fits into what may wait for its client) {
  auto s = node();
  s.limits.outbound_bytes = s.limits.backlog_bytes / 2;
  CAF_CHECK_EQUAL(broken(s), "");
  ++s.limits.outbound_bytes;
  CAF_CHECK(only(s, "limits.outbound_bytes: is more than half of limits.backlog_bytes"));
}

}  // namespace cafmcp::config
