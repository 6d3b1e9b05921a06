#define CAF_SUITE transport_outbox

#include "transport/outbox.hpp"

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <random>

#include "tests/unit/caf_test.hpp"

using cafmcp::transport::outbox;
using namespace std::literals;

namespace {

// Two connected sockets; the second one reads without waiting.
struct fixture {
  fixture() { CAF_REQUIRE_EQUAL(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds.data()), 0); }
  ~fixture() {
    ::close(fds[0]);
    ::close(fds[1]);
  }

  std::string receive(std::size_t at_most) {
    std::string got(at_most, 0);
    const auto n = ::recv(fds[1], got.data(), got.size(), MSG_DONTWAIT);
    got.resize(n > 0 ? static_cast<std::size_t>(n) : 0);
    return got;
  }

  std::array<int, 2> fds{};
  outbox out;
};

}  // namespace

CAF_TEST_FIXTURE_SCOPE(queue, fixture)

CAF_TEST(many pieces at once) {
  std::string all;
  for (int i = 0; i < 1000; ++i) {
    out.push("h" + std::to_string(i), i % 3 == 0 ? "" : std::string(20, 'b'), i % 2 == 0 ? "tail" : "");
    all += "h" + std::to_string(i) + (i % 3 == 0 ? "" : std::string(20, 'b')) + (i % 2 == 0 ? "tail" : "");
  }
  CAF_CHECK_GREATER(out.bytes(), all.size());
  CAF_CHECK(out.flush(fds[0]) == outbox::state::empty);
  CAF_CHECK(out.empty());
  CAF_CHECK_EQUAL(out.bytes(), 0u);
  CAF_CHECK_EQUAL(receive(100'000), all);
}

CAF_TEST(a slow reader gets every byte once) {
  std::mt19937 random{7};
  std::string sent;
  std::string got;
  for (int i = 0; i < 3000; ++i) {
    const std::string body(random() % 3000, static_cast<char>('a' + i % 26));
    out.push("<", body, ">\n");
    sent += "<" + body + ">\n";
    if (i % 3 == 0)
      out.flush(fds[0]);
    got += receive(random() % 5000);
  }
  while (out.flush(fds[0]) == outbox::state::blocked)
    got += receive(100'000);
  for (auto more = receive(100'000); !more.empty(); more = receive(100'000))
    got += more;
  CAF_CHECK(got == sent);
  CAF_CHECK_EQUAL(out.bytes(), 0u);
}

CAF_TEST(what has begun is not dropped) {
  out.push("", std::string(10'000'000, 'x'));
  CAF_CHECK(out.flush(fds[0]) == outbox::state::blocked);
  const auto one = out.bytes();
  out.push("", std::string(1'000, 'y'));
  out.take_unsent();
  CAF_CHECK_EQUAL(out.bytes(), one);
  out.push("end");
  std::size_t got = 0;
  std::string last;
  for (auto state = outbox::state::blocked; state == outbox::state::blocked;) {
    state = out.flush(fds[0]);
    for (auto more = receive(1'000'000); !more.empty(); more = receive(1'000'000)) {
      got += more.size();
      last = more;
    }
  }
  CAF_CHECK_EQUAL(got, 10'000'003u);
  CAF_CHECK(last.ends_with("xend"));
}

CAF_TEST(dropping before anything has begun) {
  out.push("a");
  out.take_unsent();
  CAF_CHECK(out.empty());
  CAF_CHECK_EQUAL(out.bytes(), 0u);
}

CAF_TEST(a closed connection) {
  ::close(fds[1]);
  fds[1] = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
  out.push("a");
  CAF_CHECK(out.flush(fds[0]) == outbox::state::broken);
}

CAF_TEST_FIXTURE_SCOPE_END()
