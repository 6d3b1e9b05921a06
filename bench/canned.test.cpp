#define CAF_SUITE canned

#include "bench/canned.hpp"

#include <nlohmann/json.hpp>

#include "bench/mcp_messages.hpp"
#include "tests/unit/caf_test.hpp"

using namespace cafmcp::bench;
using nlohmann::json;
using kind = canned_answers::kind;

namespace {

struct answered {
  kind what;
  json message;
};

answered answer(std::string_view message) {
  canned_answers canned;
  std::string out;
  const kind what = canned.append(message, out);
  return {what, out.empty() ? json() : json::parse(out)};
}

}  // namespace

CAF_TEST(a session is opened and calls are answered) {
  const auto messages = build_messages("echo", "{}").value();
  const auto initialize = answer(messages.initialize);
  CAF_CHECK(initialize.what == kind::initialize);
  CAF_CHECK(initialize.message["id"] == json(0));
  CAF_CHECK_EQUAL(negotiated_revision(initialize.message.dump()).value(), session_revision);
  CAF_CHECK(answer(messages.initialized).what == kind::nothing);
  std::string call;
  append_call(messages, 77, call);
  const auto result = answer(call);
  CAF_CHECK(result.what == kind::other);
  CAF_CHECK(result.message["id"] == json(77));
  CAF_CHECK(result.message["result"]["content"][0]["text"] == json("hello"));
}

CAF_TEST(the id comes back as it was) {
  CAF_CHECK(answer(R"({"id" : "a\"b" , "method":"x"})").message["id"] == json("a\"b"));
  CAF_CHECK(answer(R"({"params":{"id":1},"id": 2 })").message["id"] == json(2));
}

CAF_TEST(what is no JSON object is an error) {
  CAF_CHECK(answer("{").message["error"]["code"] == json(-32700));
  CAF_CHECK(answer("[1]").message["error"]["code"] == json(-32700));
}
