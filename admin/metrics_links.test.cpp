#define CAF_SUITE metrics_links

#include "admin/metrics_families.hpp"
#include "cluster/runtime/link/test_certificates.hpp"
#include "tests/unit/caf_test.hpp"

using namespace cafmcp;

namespace {

struct fixture : test_coordinator_fixture<> {
  fixture() {
    directory->change("b", [&](cluster::peer_view& view) {
      view.link = link;
      view.links = 3;
    });
    auto& c = link->counters();
    c.beats = 1;
    c.rtt_ns = 250'000'000;
    c.window_free = 500;
    c.pending = 1;
    c.exports = 2;
    c.imports = 3;
    c.bytes_in = 4;
    c.bytes_out = 5;
    c.messages_in = 6;
    c.messages_out = 7;
    c.dropped = 8;
    c.refused = 9;
    sources.links = directory;
  }
  std::string page() {
    admin::metrics_families p;
    admin::add_links(p, sources);
    return '\n' + p.text();
  }
  bool shows(const std::string& line) { return page().find('\n' + line + '\n') != std::string::npos; }
  bool mentions(const std::string& what) { return page().find('\n' + what) != std::string::npos; }
  bool shows_totals() {
    return shows(R"(cafmcp_link_bytes_total{peer="b",direction="in"} 4)") &&
           shows(R"(cafmcp_link_bytes_total{peer="b",direction="out"} 5)") &&
           shows(R"(cafmcp_link_messages_total{peer="b",direction="in"} 6)") &&
           shows(R"(cafmcp_link_messages_total{peer="b",direction="out"} 7)") &&
           shows(R"(cafmcp_link_dropped_messages_total{peer="b"} 8)") &&
           shows(R"(cafmcp_link_refused_messages_total{peer="b"} 9)") &&
           shows(R"(cafmcp_link_reconnects_total{peer="b"} 2)");
  }

  wire::message_table types;
  std::shared_ptr<cluster::node_link> link = std::make_shared<cluster::node_link>(
      sys, types, cluster::name_resolver{}, cluster::link_bounds{}, cluster::link_terms{"b", 1});
  std::shared_ptr<cluster::link_directory> directory = std::make_shared<cluster::link_directory>();
  admin::metrics_sources sources;
};

}  // namespace

CAF_TEST_FIXTURE_SCOPE(metrics_links_tests, fixture)

CAF_TEST(a link that is up shows all that it counts) {
  CAF_CHECK(shows(R"(cafmcp_link_up{peer="b"} 1)"));
  CAF_CHECK(shows_totals());
  CAF_CHECK(shows(R"(cafmcp_link_rtt_seconds{peer="b"} 0.25)"));
  CAF_CHECK(shows(R"(cafmcp_link_backlog_bytes{peer="b"} 0)"));
  CAF_CHECK(shows(R"(cafmcp_link_window_free_bytes{peer="b"} 500)"));
  CAF_CHECK(shows(R"(cafmcp_link_pending_requests{peer="b"} 1)"));
  CAF_CHECK(shows(R"(cafmcp_link_handles{peer="b",side="ours"} 2)"));
  CAF_CHECK(shows(R"(cafmcp_link_handles{peer="b",side="theirs"} 3)"));
  CAF_CHECK(shows(R"(cafmcp_link_failed_dials{peer="b"} 0)"));
  link->counters().beats = 0;
  CAF_CHECK(!mentions("cafmcp_link_rtt_seconds{"));
}

CAF_TEST(without a link its totals stay and the rest is gone) {
  directory->change("b", [](cluster::peer_view& view) {
    view.link = nullptr;
    view.dials = 12;
  });
  CAF_CHECK(shows(R"(cafmcp_link_up{peer="b"} 0)"));
  CAF_CHECK(shows(R"(cafmcp_link_failed_dials{peer="b"} 12)"));
  CAF_CHECK(shows_totals());
  for (const auto* what :
       {"rtt_seconds", "backlog_bytes", "window_free_bytes", "pending_requests", "handles"})
    CAF_CHECK(!mentions(std::string{"cafmcp_link_"} + what + '{'));
}

CAF_TEST(strangers are counted by what became of them) {
  auto& s = directory->strangers();
  s.accepted = 1;
  s.refused = 2;
  s.evicted = 3;
  s.waiting = 4;
  CAF_CHECK(shows(R"(cafmcp_link_strangers_total{outcome="accepted"} 1)"));
  CAF_CHECK(shows(R"(cafmcp_link_strangers_total{outcome="refused"} 2)"));
  CAF_CHECK(shows(R"(cafmcp_link_strangers_total{outcome="evicted"} 3)"));
  CAF_CHECK(shows("cafmcp_link_strangers_waiting 4"));
}

CAF_TEST(a node alone has no links and one without TLS no certificate) {
  CAF_CHECK(!mentions("cafmcp_cluster_"));
  sources.links = nullptr;
  CAF_CHECK(!mentions("cafmcp_link_"));
}

CAF_TEST(the end of the certificate is shown as it is now) {
  cluster::test::folder files;
  const auto ca = cluster::test::make_authority(100'000);
  const auto write = [&](long until) {
    return files.write("a", cluster::test::make({.dns = {"a"}, .until = until}, &ca), ca);
  };
  const auto now = std::chrono::system_clock::now();
  const auto tls = cluster::tls_identity::load(write(10'000), "a").value();
  sources.tls = tls;
  const auto shown = [&] {
    const auto text = page();
    const std::string name = "\ncafmcp_cluster_certificate_expires_seconds ";
    const auto at = text.find(name);
    return at == std::string::npos ? 0.0 : std::stod(text.substr(at + name.size()));
  };
  const auto left = [&] { return shown() - std::chrono::duration<double>(now.time_since_epoch()).count(); };
  CAF_CHECK(left() > 9'990 && left() < 10'010);
  write(20'000);
  CAF_CHECK(tls->reload().has_value());
  CAF_CHECK(left() > 19'990 && left() < 20'010);
}

CAF_TEST_FIXTURE_SCOPE_END()
