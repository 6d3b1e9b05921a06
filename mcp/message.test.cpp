#define CAF_SUITE message

#include "mcp/message.hpp"

#include "mcp/writer.hpp"
#include "tests/unit/caf_test.hpp"

using namespace cafmcp::mcp;

namespace {

message good(std::string bytes) {
  auto m = parse(std::move(bytes));
  CAF_REQUIRE(m.has_value());
  return *std::move(m);
}

/// `code id` of the refusal.
std::string refused(std::string bytes, const parse_limits& limits = {}) {
  const auto m = parse(std::move(bytes), limits);
  return m ? "accepted" : std::to_string(m.error().error.code) + " " + m.error().id;
}

}  // namespace

CAF_TEST(requests notifications and answers are told apart) {
  const auto call =
      good(R"({"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"add","arguments":{"a":1}}})");
  CAF_CHECK(call.is_request());
  CAF_CHECK_EQUAL(call.id(), "1");
  CAF_CHECK_EQUAL(call.method(), "tools/call");
  CAF_CHECK_EQUAL(call.params(), R"({"name":"add","arguments":{"a":1}})");
  const auto note = good(R"({"method":"notifications/initialized","jsonrpc":"2.0"})");
  CAF_CHECK(note.kind() == message_kind::notification);
  CAF_CHECK(note.id().empty() && note.params().empty());
  const auto response = good(R"({"jsonrpc":"2.0","id":"a","result":{"x":[1]}})");
  CAF_CHECK(response.kind() == message_kind::response);
  CAF_CHECK_EQUAL(response.result(), R"({"x":[1]})");
  const auto error = good(R"({"jsonrpc":"2.0","id":0,"error":{"code":-1,"message":"no"}})");
  CAF_CHECK(error.kind() == message_kind::error);
  CAF_CHECK_EQUAL(error.error(), R"({"code":-1,"message":"no"})");
  CAF_CHECK(good(R"({"jsonrpc":"2.0","id":null,"error":{"code":-1,"message":"no"}})").id().empty());
  CAF_CHECK(good(R"({"jsonrpc":"2.0","error":{"code":-1,"message":"no"}})").id().empty());
}

CAF_TEST(short messages can be moved) {
  // Short enough for the bytes to be inside the string, where a view would not survive.
  auto first = good(R"({"jsonrpc":"2.0","id":7,"method":"p"})");
  const auto second = std::move(first);
  const auto third = second;
  CAF_CHECK_EQUAL(second.method(), "p");
  CAF_CHECK_EQUAL(third.id(), "7");
}

CAF_TEST(ids keep their type) {
  const auto id_of = [](const std::string& raw) {
    return std::string(good(R"({"jsonrpc":"2.0","method":"ping","id":)" + raw + "}").id());
  };
  for (const auto* raw : {"0", "-1", "9007199254740993", R"("0")", R"("")", R"("\u0061")", R"("é")"}) {
    CAF_CHECK_EQUAL(id_of(raw), raw);
  }
  for (const auto* raw : {"null", "1.5", "1.0", "1e3", "true", "{}", "[]"}) {
    CAF_CHECK_EQUAL(refused(R"({"jsonrpc":"2.0","method":"ping","id":)" + std::string(raw) + "}"),
                    "-32600 null");
  }
  CAF_CHECK_EQUAL(refused(R"({"jsonrpc":"2.0","method":"ping","id":")" + std::string(300, 'x') + "\"}"),
                  "-32600 null");
  CAF_CHECK_EQUAL(canonical_id(R"("\u0061\/")"), R"("a/")");
  CAF_CHECK_EQUAL(canonical_id("7"), "7");
  CAF_CHECK_EQUAL(canonical_id("-0"), "0");
  CAF_CHECK_EQUAL(canonical_id(R"("7")"), R"("7")");
}

CAF_TEST(names may be written with escapes) {
  const auto m = good(R"({"json\u0072pc":"2.0","\u0069d":1,"method":"tools\/\u0063all"})");
  CAF_CHECK_EQUAL(m.method(), "tools/call");
  CAF_CHECK_EQUAL(m.id(), "1");
  CAF_CHECK_EQUAL(refused(R"({"jsonrpc":"2.0","id":1,"\u0069d":2,"method":"ping"})"), "-32600 null");
}

CAF_TEST(unknown members are ignored) {
  const auto m = good(R"( {"mcpSessionId":"x","jsonrpc":"2.0","x":{"id":5},"x":1,"id":1,"method":"ping"} )");
  CAF_CHECK_EQUAL(m.id(), "1");
}

CAF_TEST(what is no JSON is a parse error) {
  for (const std::string text :
       {"", "  ", "{", "nonsense", "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"ping\"", "{} {}", "{}x",
        R"({"jsonrpc":"2.0","id":1,"method":"ping","params":{"a":tru}})",
        R"({"jsonrpc":"2.0","id":1,"method":"ping","params":{"a":[1,2,}})",
        R"({"jsonrpc":"2.0","id":1,"method":"ping","params":{"a":01}})",
        R"({"jsonrpc":"2.0","id":1,"method":"ping","params":{"a":"\q"}})",
        R"({"jsonrpc":"2.0","id":1,"method":"ping","other":{"a":"\ud800"}})",
        R"({"jsonrpc":"2.0","id":1,"method":"ping","params":{"a" 1}})",
        "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"ping\",\"params\":{\"a\":\"\xC3\"}}",
        "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"ping\",\"params\":{\"a\":\"\n\"}}"}) {
    CAF_CHECK_EQUAL(text + ": " + refused(text), text + ": -32700 null");
  }
}

CAF_TEST(JSON that is no message is an invalid request) {
  for (const std::string text :
       {"[]", "1", "\"x\"", "null", "{}", R"({"id":1,"method":"ping"})", R"({"jsonrpc":"1.0","method":"x"})",
        R"({"jsonrpc":2.0,"method":"x"})", R"({"jsonrpc":"2.0"})", R"({"jsonrpc":"2.0","id":1})",
        R"({"jsonrpc":"2.0","id":1,"result":1})", R"({"jsonrpc":"2.0","result":{}})",
        R"({"jsonrpc":"2.0","id":null,"result":{}})", R"({"jsonrpc":"2.0","id":1,"error":{}})",
        R"({"jsonrpc":"2.0","id":1,"error":{"code":"1","message":"m"}})",
        R"({"jsonrpc":"2.0","id":1,"result":{},"error":{"code":1,"message":"m"}})",
        R"({"jsonrpc":"2.0","method":"x","params":[]})"}) {
    const auto answer = refused(text);
    // An id is only given back to what was meant as a request.
    const bool answerable = text.find("\"id\":1,\"method\"") != std::string::npos;
    CAF_CHECK_EQUAL(text + ": " + answer, text + (answerable ? ": -32600 1" : ": -32600 null"));
  }
  for (const auto* rest : {R"("method":"x","params":[1]})", R"("method":"x","params":null})",
                           R"("method":1})", R"("method":"x","method":"x"})", R"("method":"x","result":{}})",
                           R"("method":"x","params":{},"params":{}})"}) {
    CAF_CHECK_EQUAL(refused(R"({"jsonrpc":"2.0","id":"q",)" + std::string(rest)), "-32600 \"q\"");
  }
}

CAF_TEST(depth and size have bounds) {
  const auto deep = [](std::size_t depth) {
    return R"({"jsonrpc":"2.0","id":1,"method":"x","params":{"a":)" + std::string(depth - 2, '[') +
           std::string(depth - 2, ']') + "}}";
  };
  CAF_CHECK_EQUAL(refused(deep(64)), "accepted");
  CAF_CHECK_EQUAL(refused(deep(65)), "-32600 null");
  CAF_CHECK_EQUAL(refused(deep(65), {.max_depth = 65}), "accepted");
  CAF_CHECK_EQUAL(refused(deep(10), {.max_bytes = 20}), "-32600 null");
}

CAF_TEST(batches) {
  const std::string ping = R"({"jsonrpc":"2.0","id":1,"method":"ping"})";
  CAF_CHECK(looks_like_batch(" \n[") && !looks_like_batch(ping) && !looks_like_batch(""));
  const auto batch = parse_batch(" [" + ping + " ,\n 5, " + ping + "] ");
  CAF_REQUIRE(batch.has_value());
  CAF_REQUIRE_EQUAL(batch->size(), 3u);
  CAF_CHECK_EQUAL((*batch)[2]->method(), "ping");
  CAF_CHECK_EQUAL((*batch)[1].error().error.code, -32600);
  const auto fault = [](const std::string& text) { return parse_batch(text).error().error.code; };
  CAF_CHECK_EQUAL(fault("[]"), -32600);
  CAF_CHECK_EQUAL(fault("{}"), -32600);
  CAF_CHECK_EQUAL(fault("[" + ping + ",]"), -32700);
  CAF_CHECK_EQUAL(fault("[" + ping), -32700);
  CAF_CHECK_EQUAL(fault("[\"\xFF\"]"), -32700);
  CAF_CHECK_EQUAL(fault("[" + ping + R"(,{"jsonrpc":"2.0","id":2,"method":"initialize","params":{}}])"),
                  -32600);
  std::string many = "[1";
  for (int i = 1; i < 64; ++i) {
    many += ",1";
  }
  CAF_CHECK_EQUAL(parse_batch(many + "]")->size(), 64u);
  CAF_CHECK_EQUAL(fault(many + ",1]"), -32600);
}

CAF_TEST(what is written can be read) {
  const auto result = write_result("\"a\"", "{\n\"x\":1}");
  CAF_CHECK_EQUAL(result, R"({"jsonrpc":"2.0","id":"a","result":{ "x":1}})");
  CAF_CHECK(good(result).kind() == message_kind::response);
  const auto error = write_error("null", {-32700, "a \"b\"\n\xFF", R"({"d":1})"});
  CAF_CHECK_EQUAL(error,
                  "{\"jsonrpc\":\"2.0\",\"id\":null,\"error\":{\"code\":-32700,\"message\":\"a \\\"b\\\"\\n"
                  "\xEF\xBF\xBD\",\"data\":{\"d\":1}}}");
  CAF_CHECK(good(error).kind() == message_kind::error);
  CAF_CHECK(good(write_request("0", "roots/list")).method() == "roots/list");
  CAF_CHECK(good(write_notification("x\ny", R"({"a":1})")).method() == "x\ny");
  const std::string answers[] = {result, error};
  CAF_CHECK_EQUAL(write_batch(answers), "[" + result + "," + error + "]");
  CAF_CHECK_EQUAL(write_batch({}), "");
}
