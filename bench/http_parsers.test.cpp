#define CAF_SUITE http_parsers

#include "bench/http_parsers.hpp"

#include <algorithm>
#include <cstring>

#include "tests/unit/caf_test.hpp"

using namespace cafmcp::bench;

namespace {

// Feeds `bytes` in pieces of `step`, until `parser` is done; the number of bytes that were then left unread.
template <class Parser>
std::size_t feed(Parser& parser, std::string_view bytes, std::size_t step, error_code& ec) {
  input in;
  while (!parser.is_done() && !ec && !bytes.empty()) {
    const auto space = in.space();
    const std::size_t size = std::min({step, bytes.size(), space.size()});
    CAF_REQUIRE(size > 0);
    std::memcpy(space.data(), bytes.data(), size);
    in.added(size);
    bytes.remove_prefix(size);
    parse(parser, in, ec);
  }
  return bytes.size() + in.data().size();
}

}  // namespace

CAF_TEST(requests arrive in pieces of any size) {
  const std::string first =
      "POST /mcp HTTP/1.1\r\nHost: h\r\nSec-WebSocket-Protocol: a, mcp\r\nContent-Length: 5\r\n\r\nhello";
  const std::string text = first + "GET ";
  for (std::size_t step = 1; step <= text.size(); ++step) {
    std::string path, body = "old";
    request_parser parser{path, body};
    error_code ec;
    const std::size_t left = feed(parser, text, step, ec);
    CAF_CHECK(!ec && parser.is_done() && parser.keep_alive() && parser.offers_mcp());
    CAF_CHECK(parser.method() == http::verb::post);
    CAF_CHECK_EQUAL(path, "/mcp");
    CAF_CHECK_EQUAL(body, "hello");
    CAF_CHECK_EQUAL(left, 4u);
  }
}

CAF_TEST(responses with a length or in chunks) {
  for (const std::string text :
       {"HTTP/1.1 503 Busy\r\nContent-Length: 3\r\n\r\nabc",
        "HTTP/1.1 503 Busy\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n"}) {
    for (std::size_t step = 1; step <= text.size(); ++step) {
      response_parser parser;
      error_code ec;
      CAF_CHECK_EQUAL(feed(parser, text, step, ec), 0u);
      CAF_CHECK(!ec && parser.is_done() && parser.keep_alive());
      CAF_CHECK_EQUAL(parser.status(), 503);
    }
  }
}

CAF_TEST(a body larger than the buffer) {
  std::string path, body;
  request_parser parser{path, body};
  error_code ec;
  const std::string sent(5 * input_bytes, 'x');
  const std::string head = "POST / HTTP/1.1\r\nContent-Length: " + std::to_string(sent.size()) + "\r\n\r\n";
  CAF_CHECK_EQUAL(feed(parser, head + sent, 1000, ec), 0u);
  CAF_CHECK(!ec && parser.is_done());
  CAF_CHECK(body == sent);
}

CAF_TEST(what is no HTTP is an error) {
  response_parser parser;
  error_code ec;
  feed(parser, "SSH-2.0-OpenSSH_9.2\r\n\r\n", 5, ec);
  CAF_CHECK(ec.failed());
  std::string path, body;
  request_parser endless{path, body};
  error_code too_long;
  feed(endless, "GET / HTTP/1.1\r\nA: " + std::string(100'000, 'a'), 1000, too_long);
  CAF_CHECK(too_long == http::error::header_limit);
}
