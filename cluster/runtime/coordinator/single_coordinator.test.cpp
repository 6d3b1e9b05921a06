#define CAF_SUITE single_coordinator

#include "cluster/runtime/coordinator/single_coordinator.hpp"

#include "tests/unit/caf_test.hpp"

namespace cafmcp::cluster::test {

namespace {

std::unique_ptr<coordinator> make_coordinator(boost::asio::io_context& io) {
  return std::make_unique<single_coordinator>(io);
}

}  // namespace

}  // namespace cafmcp::cluster::test

#include "cluster/runtime/coordinator/coordinator_suite.hpp"
