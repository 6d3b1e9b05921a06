#define CAF_SUITE listener

#include "base/listener.hpp"

#include <fcntl.h>

#include <string>

#include "tests/unit/caf_test.hpp"

using cafmcp::errc;
using cafmcp::net::listen;
using cafmcp::net::unique_fd;
using namespace std::string_literals;

CAF_TEST(a free port is picked and shown) {
  const auto one = listen("127.0.0.1", 0);
  CAF_REQUIRE(one.has_value());
  CAF_CHECK_NOT_EQUAL(one->endpoint().port(), 0);
  CAF_CHECK_EQUAL(one->endpoint().address().to_string(), "127.0.0.1"s);
}

CAF_TEST(a taken port is a clear error) {
  const auto one = listen("127.0.0.1", 0);
  CAF_REQUIRE(one.has_value());
  const auto two = listen("127.0.0.1", one->endpoint().port());
  CAF_REQUIRE(two.has_error());
  CAF_CHECK(two.error().code == errc::io);
  CAF_CHECK_EQUAL(
      two.error().message.rfind("cannot listen on 127.0.0.1:" + std::to_string(one->endpoint().port()) +
                                    ": Address already in use; is another node running?",
                                0),
      0u);
}

CAF_TEST(an address of another machine is a clear error) {
  const auto one = listen("192.0.2.1", 0);
  CAF_REQUIRE(one.has_error());
  CAF_CHECK(one.error().message.find("no interface of this machine") != std::string::npos);
}

CAF_TEST(a name that is none is a clear error) {
  const auto one = listen("no such name", 1);
  CAF_REQUIRE(one.has_error());
  CAF_CHECK_EQUAL(one.error().message.rfind("cannot listen on no such name:1: ", 0), 0u);
}

CAF_TEST(brackets are taken off and put on) {
  const auto one = listen("[::ffff:192.0.2.1]", 5);
  CAF_REQUIRE(one.has_error());
  CAF_CHECK_EQUAL(one.error().message.rfind("cannot listen on [::ffff:192.0.2.1]:5: ", 0), 0u);
}

CAF_TEST(descriptors are closed once and by their owner) {
  const auto copy = ::fcntl(0, F_DUPFD_CLOEXEC, 100);
  unique_fd a{copy};
  unique_fd b{std::move(a)};
  CAF_CHECK(!a);
  CAF_CHECK_EQUAL(b.get(), copy);
  b.reset();
  CAF_CHECK_EQUAL(::fcntl(copy, F_GETFD), -1);
}
