#define CAF_SUITE transport_request_parser

#include "transport/request_parser.hpp"

#include <string>

#include "tests/unit/caf_test.hpp"

using namespace cafmcp::transport;
using namespace std::string_literals;
using namespace std::string_view_literals;

namespace {

// The status that a head is refused with; 0 if it is good.
unsigned head(request& req, std::string_view bytes, std::size_t body_limit = 1000) {
  head_scanner scanner;
  const auto state = scanner.scan(bytes);
  if (state == head_scanner::state::bad)
    return 400;
  if (state == head_scanner::state::more || scanner.size() != bytes.size())
    return 1;
  request_parser parser{req};
  const auto* why = parser.head(bytes, body_limit);
  return why == nullptr ? 0 : why->status;
}

unsigned head(std::string_view bytes) {
  request req;
  return head(req, bytes);
}

// A head with these lines behind a good start.
unsigned with(std::string_view lines, std::string_view version = "1.1") {
  return head("POST /a HTTP/" + std::string{version} + "\r\nHost: x\r\n" + std::string{lines} + "\r\n");
}

// The body of a chunked request, fed in pieces of `step` bytes; "refused" or "more" if it isn't one.
std::string chunked(std::string_view bytes, std::size_t step, std::size_t limit = 1000) {
  request req;
  request_parser parser{req};
  if (parser.head("POST /a HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n", limit) != nullptr)
    return "head";
  std::string in;
  for (std::size_t at = 0; at < bytes.size() && !parser.is_done(); at += step) {
    in += bytes.substr(at, step);
    std::size_t used = 1;
    while (used > 0 && !in.empty() && !parser.is_done()) {
      if (const auto* why = parser.chunks(in, used))
        return "refused " + std::to_string(why->status);
      in.erase(0, used);
    }
  }
  CAF_CHECK_EQUAL(req.count(http::field::unknown), 0u);  // trailers are no headers
  return parser.is_done() ? req.body : "more";
}

}  // namespace

CAF_TEST(a request is split into its parts) {
  request req;
  CAF_CHECK_EQUAL(
      head(req, "GET /a/b?c=d&e HTTP/1.1\r\nHost: h:1\r\nX-Own:  v w \r\naccept: a\r\nAccept: b\r\n\r\n"),
      0u);
  CAF_CHECK(req.method == http::verb::get);
  CAF_CHECK_EQUAL(req.target, "/a/b?c=d&e"sv);
  CAF_CHECK_EQUAL(req.path, "/a/b"sv);
  CAF_CHECK_EQUAL(req.query, "c=d&e"sv);
  CAF_CHECK_EQUAL(req.host, "h:1"sv);
  CAF_CHECK_EQUAL(req[http::field::accept], "a"sv);
  CAF_CHECK_EQUAL(req.count(http::field::accept), 2u);
  CAF_REQUIRE(req.find("x-oWN") != nullptr);
  CAF_CHECK_EQUAL(*req.find("x-oWN"), "v w"sv);
  CAF_CHECK(req.find("x-other") == nullptr);
  CAF_CHECK(req.keep_alive);
  const auto moved = std::move(req);
  CAF_CHECK_EQUAL(moved.path, "/a/b"sv);
  CAF_CHECK(moved.to_beast()["X-Own"] == "v w");
}

CAF_TEST(the target has three forms) {
  request req;
  CAF_CHECK_EQUAL(head(req, "GET http://a.b:8/c?d HTTP/1.1\r\nHost: other\r\n\r\n"), 0u);
  CAF_CHECK_EQUAL(req.host, "a.b:8"sv);
  CAF_CHECK_EQUAL(req.path, "/c"sv);
  CAF_CHECK_EQUAL(req.query, "d"sv);
  CAF_CHECK_EQUAL(head(req, "GET HTTPS://a?d HTTP/1.1\r\nHost: other\r\n\r\n"), 0u);
  CAF_CHECK_EQUAL(req.path, "/"sv);
  CAF_CHECK_EQUAL(req.query, "d"sv);
  CAF_CHECK_EQUAL(head("OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n"), 0u);
  CAF_CHECK_EQUAL(head("GET * HTTP/1.1\r\nHost: x\r\n\r\n"), 400u);
  CAF_CHECK_EQUAL(head("GET a HTTP/1.1\r\nHost: x\r\n\r\n"), 400u);
  CAF_CHECK_EQUAL(head("GET ftp://a/ HTTP/1.1\r\nHost: x\r\n\r\n"), 400u);
  CAF_CHECK_EQUAL(head("GET http:///a HTTP/1.1\r\nHost: x\r\n\r\n"), 400u);
  CAF_CHECK_EQUAL(head("GET /a#b HTTP/1.1\r\nHost: x\r\n\r\n"), 400u);
  CAF_CHECK_EQUAL(head("CONNECT a:1 HTTP/1.1\r\nHost: x\r\n\r\n"), 501u);
}

CAF_TEST(versions and methods we do not speak) {
  CAF_CHECK_EQUAL(head("PRI * HTTP/2.0\r\n\r\n"), 505u);
  CAF_CHECK_EQUAL(head("GET / HTTP/1.2\r\nHost: x\r\n\r\n"), 505u);
  CAF_CHECK_EQUAL(head("GET / HTTP/11\r\nHost: x\r\n\r\n"), 400u);
  CAF_CHECK_EQUAL(head("GET / HTTX/1.1\r\nHost: x\r\n\r\n"), 400u);
  CAF_CHECK_EQUAL(head("GET /\r\n\r\n"), 400u);
  CAF_CHECK_EQUAL(head("BREW / HTTP/1.1\r\nHost: x\r\n\r\n"), 501u);
  CAF_CHECK_EQUAL(head("get / HTTP/1.1\r\nHost: x\r\n\r\n"), 501u);
}

CAF_TEST(exactly one good host) {
  CAF_CHECK_EQUAL(head("GET / HTTP/1.1\r\n\r\n"), 400u);
  CAF_CHECK_EQUAL(head("GET / HTTP/1.0\r\n\r\n"), 0u);
  CAF_CHECK_EQUAL(with("Host: x\r\n"), 400u);
  CAF_CHECK_EQUAL(head("GET / HTTP/1.1\r\nHost: a/b\r\n\r\n"), 400u);
  CAF_CHECK_EQUAL(head("GET / HTTP/1.1\r\nHost: a b\r\n\r\n"), 400u);
  CAF_CHECK_EQUAL(head("GET / HTTP/1.1\r\nHost: u@a\r\n\r\n"), 400u);
  CAF_CHECK_EQUAL(head("GET / HTTP/1.1\r\nHost: [::1]:80\r\n\r\n"), 0u);
}

CAF_TEST(shapes that others might frame differently) {
  CAF_CHECK_EQUAL(with("Content-Length: 3\r\n"), 0u);
  CAF_CHECK_EQUAL(with("Content-Length: 3\r\nContent-Length: 3\r\n"), 400u);
  CAF_CHECK_EQUAL(with("Content-Length: 3\r\nContent-Length: 4\r\n"), 400u);
  for (const auto* bad : {"3, 3", "+3", "-3", "0x3", "3 3", "", "3;", "99999999999999999999", "1e1"})
    CAF_CHECK_EQUAL(with("Content-Length: "s + bad + "\r\n"), 400u);
  CAF_CHECK_EQUAL(with("Transfer-Encoding: chunked\r\nContent-Length: 3\r\n"), 400u);
  CAF_CHECK_EQUAL(with("Content-Length: 3\r\nTransfer-Encoding: chunked\r\n"), 400u);
  CAF_CHECK_EQUAL(with("Content-Length: 3\r\nTransfer-Encoding: gzip\r\n"), 400u);
  CAF_CHECK_EQUAL(with("Transfer-Encoding: gzip\r\nContent-Length: 3\r\n"), 400u);
  CAF_CHECK_EQUAL(with("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n"), 400u);
  CAF_CHECK_EQUAL(with("Transfer-Encoding: identity\r\nTransfer-Encoding: chunked\r\n"), 400u);
  CAF_CHECK_EQUAL(with("Transfer-Encoding: chunked\r\n", "1.0"), 400u);
  for (const auto* bad :
       {"gzip", "gzip, chunked", "chunked, gzip", "identity", "xchunked", "\"chunked\"", "chunked;a"})
    CAF_CHECK_EQUAL(with("Transfer-Encoding: "s + bad + "\r\n"), 501u);
  CAF_CHECK_EQUAL(with("Transfer-Encoding: CHUNKED\r\n"), 0u);
}

CAF_TEST(lines end in CRLF and are not folded) {
  CAF_CHECK_EQUAL(head("GET / HTTP/1.1\nHost: x\r\n\r\n"), 400u);
  CAF_CHECK_EQUAL(head("GET / HTTP/1.1\r\nHost: x\n\r\n"), 400u);
  CAF_CHECK_EQUAL(head("GET / HTTP/1.1\r\nHost: x\r\n\n"), 400u);
  CAF_CHECK_EQUAL(head("\nGET / HTTP/1.1\r\nHost: x\r\n\r\n"), 400u);
  CAF_CHECK_EQUAL(with("A: b\rC: d\r\n"), 400u);
  CAF_CHECK_EQUAL(with("A: b\r\n c\r\n"), 400u);
  CAF_CHECK_EQUAL(with("A: b\r\n\tc\r\n"), 400u);
  CAF_CHECK_EQUAL(with("A : b\r\n"), 400u);
  CAF_CHECK_EQUAL(with(" A: b\r\n"), 400u);
  CAF_CHECK_EQUAL(with(": b\r\n"), 400u);
  CAF_CHECK_EQUAL(with("A\r\n"), 400u);
  CAF_CHECK_EQUAL(with("A\0B: b\r\n"sv), 400u);
  CAF_CHECK_EQUAL(with("A: b\0c\r\n"sv), 400u);
  CAF_CHECK_EQUAL(head("GET  / HTTP/1.1\r\nHost: x\r\n\r\n"), 400u);
  CAF_CHECK_EQUAL(head("GET / HTTP/1.1 \r\nHost: x\r\n\r\n"), 400u);
  CAF_CHECK_EQUAL(head("GET /a\tb HTTP/1.1\r\nHost: x\r\n\r\n"), 400u);
}

CAF_TEST(expectations) {
  CAF_CHECK_EQUAL(with("Expect: 100-Continue\r\nContent-Length: 3\r\n"), 0u);
  CAF_CHECK_EQUAL(with("Expect: a-pony\r\n"), 417u);
}

CAF_TEST(limits) {
  request req;
  CAF_CHECK_EQUAL(head(req, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n"), 0u);
  CAF_CHECK_EQUAL(head(req, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1001\r\n\r\n"), 413u);
  CAF_CHECK_LESS(req.body.capacity(), 100u);
  std::string many;
  for (int i = 0; i < 127; ++i)
    many += "A: b\r\n";
  CAF_CHECK_EQUAL(with(many), 0u);
  CAF_CHECK_EQUAL(with(many + "A: b\r\n"), 431u);
}

CAF_TEST(chunked bodies in pieces of any size) {
  for (std::size_t step = 1; step < 60; ++step) {
    CAF_CHECK_EQUAL(chunked("3\r\nabc\r\n1;x=y\r\nd\r\n0\r\n\r\n", step), "abcd"s);
    CAF_CHECK_EQUAL(chunked("3\r\nabc\r\n0\r\nX-T: 1\r\nX-U: 2\r\n\r\n", step), "abc"s);
    CAF_CHECK_EQUAL(chunked("0\r\n\r\n", step), ""s);
    CAF_CHECK_EQUAL(chunked("00\r\nX-T: 1\r\n\r\n", step), ""s);
    CAF_CHECK_EQUAL(chunked("4\r\n0\r\n\r\n\r\n0;x=y\r\n\r\n", step), "refused 400"s);
    CAF_CHECK_EQUAL(chunked("5\r\n0\r\n\r\n\r\n0;x=y\r\n\r\n", step), "0\r\n\r\n"s);
  }
  CAF_CHECK_EQUAL(chunked("3\r\nab", 1), "more"s);
  CAF_CHECK_EQUAL(chunked("A\r\n0123456789\r\n0\r\n\r\n", 4, 10), "0123456789"s);
  CAF_CHECK_EQUAL(chunked("A\r\n0123456789\r\n1\r\nx\r\n0\r\n\r\n", 4, 10), "refused 413"s);
  CAF_CHECK_EQUAL(chunked("ffffffffff\r\n", 4), "refused 413"s);
}

CAF_TEST(bad chunks) {
  for (const auto* bad : {"x\r\n", "0x3\r\nabc\r\n", "-3\r\n", " 3\r\n", "3 \r\nabc\r\n", "3\nabc\n",
                          "3\r\nabcd\r\n", "11111111111111111\r\n", "0\r\nContent-Length: 3\r\n\r\n",
                          "0\r\nTransfer-Encoding: chunked\r\n\r\n", "0\r\nA\r\n\r\n"}) {
    const auto got = chunked(std::string{bad} + "0\r\n\r\n", 100);
    CAF_CHECK_EQUAL(bad + (" " + got), bad + " refused 400"s);
  }
}

CAF_TEST(the scanner gives the same answer however the bytes come) {
  const auto text = "GET / HTTP/1.1\r\nHost: x\r\nA: b\r\n\r\n"s;
  for (std::size_t step = 1; step <= text.size(); ++step) {
    head_scanner scanner;
    auto state = head_scanner::state::more;
    for (std::size_t size = step; state == head_scanner::state::more; size += step)
      state = scanner.scan(std::string_view{text}.substr(0, size));
    CAF_CHECK(state == head_scanner::state::complete);
    CAF_CHECK_EQUAL(scanner.size(), text.size());
  }
  head_scanner noise;
  head_scanner bare;
  CAF_CHECK(bare.scan("GET / HTTP/1.1\nHost") == head_scanner::state::bad);
  CAF_CHECK(noise.scan("\x16\x03\x01") == head_scanner::state::bad);
}
