#define CAF_SUITE mcp_answer

#include "bench/mcp_answer.hpp"

#include "tests/unit/caf_test.hpp"

using namespace cafmcp::bench;
using kind = mcp_answer::kind;

namespace {

kind kind_of(std::string_view message) {
  answer_reader reader;
  return reader.read(message).what;
}

}  // namespace

CAF_TEST(a result is a success) {
  answer_reader reader;
  const auto a =
      reader.read(R"({"jsonrpc":"2.0","id":17,"result":{"content":[{"type":"text","text":"x"}]}})");
  CAF_CHECK(a.what == kind::success);
  CAF_CHECK_EQUAL(a.id, 17u);
  CAF_CHECK(a.detail.empty());
  // The SDKs write the id last.
  const auto b =
      reader.read(R"( { "result" : { "isError" : false , "x" : {} } , "id" : 3 , "jsonrpc":"2.0" } )");
  CAF_CHECK(b.what == kind::success);
  CAF_CHECK_EQUAL(b.id, 3u);
}

CAF_TEST(errors are failures with their text) {
  answer_reader reader;
  const auto a = reader.read(R"({"jsonrpc":"2.0","id":1,"error":{"code":-32602,"message":"no"}})");
  CAF_CHECK(a.what == kind::failure);
  CAF_CHECK_EQUAL(a.id, 1u);
  CAF_CHECK(a.detail.find("-32602") != std::string::npos);
  CAF_CHECK_EQUAL(a.code, -32602);
  for (const char* error : {"null", "{}", R"({"code":"-1"})"}) {
    const auto b = reader.read(R"({"error":)" + std::string{error} + R"(,"id":2})");
    CAF_CHECK(b.what == kind::failure);
    CAF_CHECK_EQUAL(b.id, 2u);
    CAF_CHECK_EQUAL(b.code, 0);
  }
  CAF_CHECK(kind_of(R"({"id":1,"result":{"content":[],"isError":true}})") == kind::failure);
  CAF_CHECK(kind_of(R"({"id":1,"result":{"isError" : true,"content":[]}})") == kind::failure);
}

CAF_TEST(only the keys in their places count) {
  CAF_CHECK(
      kind_of(R"({"id":1,"result":{"content":[{"isError":true,"error":1,"text":"\"isError\":true"}]}})") ==
      kind::success);
  CAF_CHECK(kind_of(R"({"id":1,"result":{"structuredContent":{"isError":true},"_meta":{"id":9}}})") ==
            kind::success);
  CAF_CHECK(kind_of(R"({"x":{"result":{}},"id":1})") == kind::malformed);
}

CAF_TEST(what the server says by itself is no answer) {
  CAF_CHECK(kind_of(R"({"jsonrpc":"2.0","method":"notifications/progress","params":{"result":{}}})") ==
            kind::notified);
  CAF_CHECK(kind_of(R"({"jsonrpc":"2.0","id":1,"method":"ping"})") == kind::request);
  CAF_CHECK(kind_of(R"({"jsonrpc":"2.0","id":"s","method":"roots/list"})") == kind::request);
}

CAF_TEST(anything else is malformed) {
  for (const char* text :
       {"", "{", "[]", "1", "{}", R"({"id":1})", R"({"id":"1","result":{}})", R"({"id":1.5,"result":{}})",
        R"({"id":-1,"result":{}})", R"({"id":null,"error":{}})", R"({"id":1,"result":{},"error":{}})",
        R"({"id":1,"result":[]})", R"({"id":1,"result":{"isError":1}})", R"({"id":1,"result":{}} x)",
        R"({"id":1,"result":{})", R"({"id":1,"method":"a","result":{}})"})
    CAF_CHECK_EQUAL(static_cast<int>(kind_of(text)), static_cast<int>(kind::malformed));
}

CAF_TEST(room behind a message saves the copy and changes nothing) {
  std::string message = R"({"id":5,"result":{"isError":true}})";
  const std::size_t size = message.size();
  message += R"({"id":6,"result":{}})" + std::string(json_reader::room_needed, '}');
  answer_reader reader;
  const auto a = reader.read(std::string_view{message}.substr(0, size), message.size() - size);
  CAF_CHECK(a.what == kind::failure);
  CAF_CHECK_EQUAL(a.id, 5u);
  const std::string large = R"({"result":{"content":")" + std::string(1 << 20, 'x') + R"("},"id":7})";
  CAF_CHECK_EQUAL(reader.read(large).id, 7u);
}

CAF_TEST(an excerpt is short and printable) {
  CAF_CHECK_EQUAL(excerpt("a\r\nb\x7f"), "a  b ");
  CAF_CHECK_EQUAL(excerpt(std::string(1000, 'x')).size(), 200u);
}
