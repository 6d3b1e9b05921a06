#define CAF_SUITE mcp_response

#include "bench/mcp_response.hpp"

#include "tests/unit/caf_test.hpp"

using namespace cafmcp::bench;
using kind = mcp_answer::kind;

namespace {

constexpr std::string_view answer = R"({"jsonrpc":"2.0","id":4,"result":{"content":[]}})";

// Parses `bytes`, which come in pieces of `piece`.
bool parse_all(mcp_response& out, std::string_view bytes, std::size_t piece) {
  mcp_response_parser parser{out};
  input in;
  error_code ec;
  while (!bytes.empty() && !parser.is_done() && !ec) {
    const auto space = in.space();
    const std::size_t size = std::min({piece, bytes.size(), space.size()});
    std::memcpy(space.data(), bytes.data(), size);
    in.added(size);
    bytes.remove_prefix(size);
    parse(parser, in, ec);
  }
  if (parser.is_done())
    parser.finish();
  return parser.is_done() && !ec && bytes.empty();
}

std::string chunked(std::string_view body, std::size_t size) {
  std::string out;
  for (; !body.empty(); body.remove_prefix(std::min(size, body.size()))) {
    std::array<char, 16> length{};
    std::snprintf(length.data(), length.size(), "%zx\r\n", std::min(size, body.size()));
    out.append(length.data()).append(body.substr(0, size)).append("\r\n");
  }
  return out + "0\r\n\r\n";
}

}  // namespace

CAF_TEST(JSON with its session) {
  const std::string bytes =
      "HTTP/1.1 200 OK\r\nmcp-session-id: s-1\r\nContent-Type: application/json\r\nContent-Length: " +
      std::to_string(answer.size()) + "\r\n\r\n" + std::string{answer};
  answer_reader reader;
  mcp_response r{reader};
  for (std::size_t piece = 1; piece <= bytes.size(); ++piece) {
    CAF_REQUIRE(parse_all(r, bytes, piece));
    CAF_REQUIRE_EQUAL(r.message(), answer);
  }
  CAF_CHECK_EQUAL(r.status(), 200);
  CAF_CHECK_EQUAL(r.session_id(), "s-1");
  CAF_CHECK(r.keep_alive());
  CAF_CHECK(r.read().what == kind::success);
  CAF_CHECK_EQUAL(r.read().id, 4u);
}

CAF_TEST(the answer in a stream of events) {
  const std::string events =
      "id: 1\ndata: \n\n: still here\n\nevent: message\ndata: "
      R"({"jsonrpc":"2.0","method":"notifications/progress","params":{}})"
      "\n\ndata: "
      R"({"jsonrpc":"2.0","id":9,"method":"ping"})"
      "\n\nid: 2\nevent: message\ndata: " +
      std::string{answer} +
      "\n\n"
      R"(data: {"id":5,"result":{}})"
      "\n\n";
  const std::string head =
      "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream; charset=utf-8\r\n"
      "Transfer-Encoding: chunked\r\nConnection: close\r\n\r\n";
  answer_reader reader;
  mcp_response r{reader};
  for (const std::size_t chunk : {std::size_t{1}, std::size_t{17}, events.size()})
    for (const std::size_t piece : {1, 3, 64, 10'000}) {
      CAF_REQUIRE(parse_all(r, head + chunked(events, chunk), piece));
      CAF_REQUIRE_EQUAL(r.message(), answer);
    }
  CAF_CHECK(!r.keep_alive());
  CAF_CHECK(r.read().what == kind::success);
}

CAF_TEST(a refusal says when to try again) {
  answer_reader reader;
  mcp_response r{reader};
  const auto waits = [&](const std::string& fields) {
    CAF_REQUIRE(
        parse_all(r, "HTTP/1.1 503 Service Unavailable\r\n" + fields + "Content-Length: 2\r\n\r\n{}", 100));
    return r.retry_after();
  };
  using std::chrono::seconds;
  CAF_CHECK(waits("retry-after: 3\r\n") == seconds{3});
  CAF_CHECK(waits("Retry-After: 0\r\n") == seconds{0});
  CAF_CHECK(waits("Retry-After: Fri, 31 Dec 1999 23:59:59 GMT\r\n") == seconds{1});
  CAF_CHECK(!waits(""));
}

CAF_TEST(nothing is left of the response before) {
  answer_reader reader;
  mcp_response r{reader};
  CAF_REQUIRE(parse_all(r,
                        "HTTP/1.1 200 OK\r\nMcp-Session-Id: a\r\nContent-Type: text/event-stream\r\n"
                        "Content-Length: 18\r\n\r\ndata: {\"id\":1}\n\nda",
                        100));
  CAF_CHECK_EQUAL(r.message(), "{\"id\":1}");  // malformed, and kept for the report
  CAF_REQUIRE(parse_all(r, "HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n", 100));
  CAF_CHECK_EQUAL(r.status(), 202);
  CAF_CHECK(r.session_id().empty());
  CAF_CHECK(r.message().empty());
  CAF_CHECK(r.read().what == kind::malformed);
  CAF_REQUIRE(
      parse_all(r, "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}", 100));
  CAF_CHECK_EQUAL(r.message(), "{}");
}
