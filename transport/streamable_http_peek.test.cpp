#define CAF_SUITE transport_streamable_http_peek

#include "transport/streamable_http_peek.hpp"

#include <string>

#include "tests/unit/caf_test.hpp"

using cafmcp::transport::peek;
using cafmcp::transport::peeked;
using shape = cafmcp::transport::peeked::shape;
using namespace std::literals;

namespace {

bool sees(std::string_view bytes, shape what, bool requests = false, bool initialize = false) {
  const auto got = peek(bytes);
  return got.what == what && (what == shape::bad || what == shape::not_json ||
                              (got.requests == requests && got.initialize == initialize));
}

}  // namespace

CAF_TEST(one message) {
  CAF_CHECK(
      sees(R"({"jsonrpc":"2.0","id":0,"method":"initialize","params":{}})", shape::message, true, true));
  CAF_CHECK(sees(R"({"params":{"method":"initialize"},"method":"a","id":"x","jsonrpc":"2.0"})",
                 shape::message, true));
  CAF_CHECK(sees(R"({"jsonrpc":"2.0","method":"initialize"})", shape::message));
  CAF_CHECK(
      sees(R"({"jsonrpc":"2.0","id":1,"result":{"a":[{"method":"initialize","id":1}]}})", shape::message));
  CAF_CHECK(sees(R"( {"jsonrpc":"2.0","id":1,"error":{"code":1}} )", shape::message));
}

CAF_TEST(a batch) {
  CAF_CHECK(sees(R"([{"jsonrpc":"2.0","method":"a"}])", shape::batch));
  CAF_CHECK(
      sees(R"([{"jsonrpc":"2.0","method":"a"},{"jsonrpc":"2.0","method":"b","id":1}])", shape::batch, true));
  CAF_CHECK(sees(R"([{"jsonrpc":"2.0","method":"initialize","id":1}])", shape::batch, true, true));
}

CAF_TEST(JSON but no message) {
  for (const auto* text : {"{}",
                           "[]",
                           "null",
                           "1",
                           "\"x\"",
                           "true",
                           "1.5",
                           R"({"jsonrpc":"2.0"})",
                           R"({"jsonrpc":"2.0","id":1})",
                           R"({"jsonrpc":"1.0","id":1,"method":"a"})",
                           R"({"id":1,"method":"a"})",
                           R"({"jsonrpc":"2.0","method":1,"id":1})",
                           R"({"jsonrpc":"2.0","method":"a","result":1,"id":1})",
                           R"([1])",
                           R"([{"jsonrpc":"2.0","method":"a"},[]])",
                           R"([[{"jsonrpc":"2.0","method":"a","id":1}]])",
                           R"([{"jsonrpc":"2.0","method":"a"},{}])",
                           R"({"jsonrpc":"2.0","method":["a"],"id":1})",
                           R"({"jsonrpc":"2.0","id":1,"result":{},"error":{"code":1}})",
                           R"({"jsonrpc":"2.0","id":1,"result":[]})",
                           R"({"jsonrpc":"2.0","id":1,"error":"x"})",
                           R"({"jsonrpc":"2.0","method":"a","params":[]})",
                           R"({"jsonrpc":"2.0","method":"a","params":null})"})
    CAF_CHECK(sees(text, shape::bad));
}

CAF_TEST(no JSON) {
  for (const auto* text :
       {"", " ", "{", R"({"jsonrpc":"2.0","id":1,"method":"a"}x)", "\xff", "{\"a\":\"\xff\"}", "nul", "[1,]"})
    CAF_CHECK(sees(text, shape::not_json));
}

CAF_TEST(depth is bounded) {
  const auto nested = [](std::size_t n) {
    return R"({"jsonrpc":"2.0","method":"a","id":1,"params":{"a":)" + std::string(n, '[') +
           std::string(n, ']') + "}}";
  };
  CAF_CHECK(sees(nested(200), shape::message, true));
  CAF_CHECK(sees(nested(300), shape::bad));
  CAF_CHECK(sees(std::string(1000000, '['), shape::bad));
}
