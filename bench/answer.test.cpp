#define CAF_SUITE answer

#include "bench/answer.hpp"

#include <nlohmann/json.hpp>

#include "bench/plan.hpp"
#include "tests/unit/caf_test.hpp"

using namespace cafmcp::bench;
using nlohmann::json;

namespace {

json answer(std::string_view message) {
  std::string out;
  CAF_REQUIRE(append_answer(message, out));
  return json::parse(out);
}

}  // namespace

CAF_TEST(the answer holds id and text) {
  const json request = json::parse(default_body);
  const json a = answer(default_body);
  CAF_CHECK(a["id"] == json(1));
  CAF_CHECK(a["result"]["content"][0]["text"] == request["params"]["arguments"]["message"]);
}

CAF_TEST(ids and texts of any form come back as they were) {
  const json id = "a\"b\n";
  const json text = "q\"\\\u00e9\n";
  const json request{{"jsonrpc", "2.0"}, {"id", id}, {"params", {{"arguments", {{"message", text}}}}}};
  const json a = answer(request.dump());
  CAF_CHECK(a["id"] == id);
  CAF_CHECK(a["result"]["content"][0]["text"] == text);
  const json none = answer(R"({"id":7,"params":[1]})");
  CAF_CHECK(none["result"]["content"][0]["text"] == json(""));
}

CAF_TEST(only the id and the message in their places count) {
  const json a = answer(
      R"({"a":{"id":1,"arguments":{"message":"no"}},"params":{"b":[{"message":"no","c":{}}],"message":"no",)"
      R"("arguments":{"x":{"message":"no"},"y":[["message"]],"message":"yes","z":[{"message":"no"}]},)"
      R"("other":{"message":"no"}},"arguments":{"message":"no"},"id":-2})");
  CAF_CHECK(a["id"] == json(-2));
  CAF_CHECK(a["result"]["content"][0]["text"] == json("yes"));
  CAF_CHECK(answer(R"({"id":null})")["id"].is_null());
  CAF_CHECK(answer(R"({"id":1.5e3})")["id"] == json(1500.0));
}

CAF_TEST(notifications have no answer) {
  std::string out;
  CAF_CHECK(!append_answer(R"({"jsonrpc":"2.0","method":"notifications/initialized"})", out));
  CAF_CHECK(out.empty());
}

CAF_TEST(what is no JSON object is an error) {
  CAF_CHECK(answer("{")["error"]["code"] == json(-32700));
  CAF_CHECK(answer(R"([{"id":1}])")["error"]["code"] == json(-32600));
}
