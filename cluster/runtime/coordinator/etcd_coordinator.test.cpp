#define CAF_SUITE etcd_coordinator

#include "cluster/runtime/coordinator/etcd_coordinator.hpp"

#include "tests/unit/caf_test.hpp"

#include "cluster/runtime/coordinator/test_etcd.hpp"
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
