#define CAF_SUITE transport_router

#include "transport/router.hpp"

#include <string>

#include "tests/unit/caf_test.hpp"

using namespace cafmcp::transport;
using namespace std::string_literals;
using namespace std::string_view_literals;

namespace {

handler answer(std::string text) {
  return handler{
      [text = std::move(text)](request& req, response& res) { res.body = text + std::string{req.tail}; }};
}

struct fixture {
  router routes;
  response res;

  std::string ask(http::verb method, std::string_view path) {
    request req;
    req.method = method;
    req.path = path;
    res.clear();
    const auto* f = routes.find(req, res);
    if (f == nullptr)
      return std::to_string(res.status);
    f->now(req, res);
    return res.body;
  }

  // The Allow header of the last answer.
  std::string allowed_header() const {
    std::string out;
    serialise(res, 11, true, true, out);
    const auto at = out.find("Allow: ");
    return at == std::string::npos ? "" : out.substr(at + 7, out.find("\r\n", at) - at - 7);
  }
};

}  // namespace

CAF_TEST_FIXTURE_SCOPE(routing, fixture)

CAF_TEST(exact before long before short prefix) {
  routes.get("/a/b", answer("exact"));
  routes.add_prefix(http::verb::get, "/a/", answer("short:"));
  routes.add_prefix(http::verb::get, "/a/c/", answer("long:"));
  routes.add_prefix(http::verb::get, "/", answer("root:"));
  CAF_CHECK_EQUAL(ask(http::verb::get, "/a/b"), "exact"s);
  CAF_CHECK_EQUAL(ask(http::verb::get, "/a/b/"), "short:b/"s);
  CAF_CHECK_EQUAL(ask(http::verb::get, "/a/c/d"), "long:d"s);
  CAF_CHECK_EQUAL(ask(http::verb::get, "/a/"), "short:"s);
  CAF_CHECK_EQUAL(ask(http::verb::get, "/a"), "root:a"s);
  router other;
  routes = other.get("/b", answer("b"));
  CAF_CHECK_EQUAL(ask(http::verb::get, "/b/"), "404"s);
}

CAF_TEST(methods) {
  routes.get("/a", answer("get")).post("/a", answer("post"));
  CAF_CHECK_EQUAL(ask(http::verb::get, "/a"), "get"s);
  CAF_CHECK_EQUAL(ask(http::verb::post, "/a"), "post"s);
  CAF_CHECK_EQUAL(ask(http::verb::head, "/a"), "get"s);
  CAF_CHECK_EQUAL(ask(http::verb::delete_, "/a"), "405"s);
  CAF_CHECK_EQUAL(allowed_header(), "OPTIONS, GET, POST, HEAD"s);
  CAF_CHECK(res.body.find("method_not_allowed") != std::string::npos);
  CAF_CHECK_EQUAL(ask(http::verb::options, "/a"), "204"s);
  CAF_CHECK_EQUAL(allowed_header(), "OPTIONS, GET, POST, HEAD"s);
  CAF_CHECK_EQUAL(ask(http::verb::options, "*"), "204"s);
}

CAF_TEST(any method that has no handler) {
  routes.get("/a", answer("get")).add(router::any, "/a", answer("any"));
  CAF_CHECK_EQUAL(ask(http::verb::get, "/a"), "get"s);
  CAF_CHECK_EQUAL(ask(http::verb::delete_, "/a"), "any"s);
  CAF_CHECK_EQUAL(ask(http::verb::options, "/a"), "any"s);
}

CAF_TEST(the second handler replaces the first) {
  routes.get("/a", answer("1")).get("/a", answer("2"));
  CAF_CHECK_EQUAL(ask(http::verb::get, "/a"), "2"s);
}

CAF_TEST(a handler knows its kind) {
  const handler now{[](request&, response&) {}};
  const handler later{[](request&, response&) -> asio::awaitable<void> { co_return; }};
  CAF_CHECK(now.now && !now.later);
  CAF_CHECK(!later.now && later.later);
}

CAF_TEST_FIXTURE_SCOPE_END()
