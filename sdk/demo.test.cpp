#define CAF_SUITE demo

#include "sdk/demo.hpp"

#include "sdk/blocking_pool.hpp"
#include "sdk/fake_session.hpp"
#include "tests/unit/caf_test.hpp"

using namespace cafmcp;
using namespace cafmcp::sdk;
using mcp::method;

namespace {

struct fixture {
  fixture() {
    auto attached = demo_server().attach(pool);
    CAF_REQUIRE(attached);
    server = *attached;
  }
  fake_session::outcome tool(const std::string& name, const json& arguments = json::object()) {
    return session->tool(*server, name, arguments);
  }
  json structured(const std::string& name, const json& arguments = json::object()) {
    return tool(name, arguments).result().value("structuredContent", json());
  }
  bool refused(const std::string& name, const json& arguments) {
    const auto out = tool(name, arguments);
    return out.is_error() && !out.failed && out.text().find("arguments.") != std::string::npos;
  }
  fake_session::outcome read(const std::string& uri) {
    return session->call(*server, {.method = method::resources_read, .name = uri, .arguments = "{}"});
  }

  std::shared_ptr<blocking_pool> pool = std::make_shared<blocking_pool>(blocking_pool::limits{.threads = 2});
  std::shared_ptr<actors::server> server;
  std::shared_ptr<fake_session> session = std::make_shared<fake_session>();
};

}  // namespace

CAF_TEST_FIXTURE_SCOPE(demo_tests, fixture)

CAF_TEST(what it offers can be listed) {
  const auto catalogue = mcp::catalogue::make(server->offers());
  CAF_REQUIRE(catalogue);
  for (const auto* name : {"echo", "add", "sleep", "blob", "progress", "crash", "node_info", "state_set",
                           "state_get", "state_incr", "state_keys"}) {
    const auto* t = (*catalogue)->find_tool(name);
    CAF_REQUIRE(t != nullptr);
    CAF_CHECK(!t->title.empty() && !t->description.empty());
  }
  const auto& echo = (*catalogue)->find_tool("echo")->input_schema;
  CAF_CHECK_EQUAL(
      echo.dump(),
      R"({"type":"object","properties":{"message":{"type":"string","description":"What to give back."}},)"
      R"("required":["message"]})");
  CAF_CHECK_EQUAL((*catalogue)->find_tool("add")->input_schema["required"].dump(), R"(["a","b"])");
  CAF_CHECK_EQUAL(server->name(), "demo");
}

CAF_TEST(echo and add) {
  CAF_CHECK_EQUAL(tool("echo", {{"message", "hi \"there\"\n"}}).text(), "hi \"there\"\n");
  CAF_CHECK(refused("echo", {{"message", 3}}));
  CAF_CHECK(tool("echo").is_error());
  CAF_CHECK_EQUAL(tool("add", {{"a", 2}, {"b", 40}}).text(), "42");
  CAF_CHECK_EQUAL(structured("add", {{"a", 2}, {"b", 40}}).dump(), R"({"sum":42})");
  CAF_CHECK_EQUAL(structured("add", {{"a", -2}, {"b", 1}}).dump(), R"({"sum":-1})");
  CAF_CHECK_EQUAL(structured("add", {{"a", 0.5}, {"b", 1}}).dump(), R"({"sum":1.5})");
  CAF_CHECK_EQUAL(structured("add", {{"a", INT64_MAX}, {"b", 1}})["sum"].get<double>(),
                  9223372036854775808.0);
  CAF_CHECK(tool("add", {{"a", 1.7e308}, {"b", 1.7e308}}).is_error());
  CAF_CHECK(refused("add", {{"a", "2"}, {"b", 1}}));
}

CAF_TEST(sleep ends or is cancelled) {
  CAF_CHECK_EQUAL(tool("sleep", {{"ms", 1}}).text(), "slept for 1 ms");
  const auto forever = session->start_tool(*server, "sleep", {{"ms", 3'600'000}});
  CAF_CHECK(!forever->finished());
  forever->cancel();
  CAF_CHECK(session->wait(forever).message().find("cancelled") != std::string::npos);
  CAF_CHECK(refused("sleep", {{"ms", -1}}));
  CAF_CHECK(refused("sleep", {{"ms", 3'600'001}}));
  const auto left = session->start_tool(*server, "sleep", {{"ms", 3'600'000}});
  server.reset();
  CAF_CHECK(session->wait(left).is_error());
}

CAF_TEST(blobs have the size that was asked for) {
  for (const std::size_t size : {0, 1, 1000, 8 * 1024 * 1024})
    CAF_CHECK_EQUAL(tool("blob", {{"bytes", size}}).text().size(), size);
  CAF_CHECK(refused("blob", {{"bytes", 64 * 1024 * 1024 + 1}}));
}

CAF_TEST(progress tells of each step) {
  CAF_CHECK_EQUAL(tool("progress", {{"steps", 3}, {"delay_ms", 1}}).text(), "took 3 steps");
  CAF_CHECK_EQUAL(session->progress,
                  (std::vector<std::string>{"1/3 step 1 of 3", "2/3 step 2 of 3", "3/3 step 3 of 3"}));
  CAF_CHECK_EQUAL(tool("progress", {{"steps", 0}}).text(), "took 0 steps");
  const auto slow = session->start_tool(*server, "progress", {{"steps", 2}, {"delay_ms", 60'000}});
  slow->cancel();
  CAF_CHECK(session->wait(slow).message().find("cancelled") != std::string::npos);
  const auto left = session->start_tool(*server, "progress", {{"steps", 2}, {"delay_ms", 60'000}});
  server.reset();
  CAF_CHECK(session->wait(left).is_error());
}

CAF_TEST(crash throws) {
  const auto out = tool("crash");
  CAF_CHECK(out.is_error() && out.failed);
  CAF_CHECK_EQUAL(out.text(), "Error in tool crash: this tool always throws");
}

CAF_TEST(the state is that of the session) {
  CAF_CHECK_EQUAL(tool("state_get", {{"key", "k"}}).text(), "null");
  CAF_CHECK_EQUAL(structured("state_get", {{"key", "k"}}).dump(), R"({"found":false,"value":null})");
  CAF_CHECK_EQUAL(tool("state_set", {{"key", "k"}, {"value", "text"}}).text(), "text");
  CAF_CHECK_EQUAL(session->state["k"], "\"text\"");
  CAF_CHECK_EQUAL(tool("state_get", {{"key", "k"}}).text(), "text");
  CAF_CHECK_EQUAL(tool("state_set", {{"key", "o"}, {"value", {{"a", {1, nullptr}}}}}).text(),
                  R"({"a":[1,null]})");
  CAF_CHECK_EQUAL(structured("state_get", {{"key", "o"}}).dump(), R"({"found":true,"value":{"a":[1,null]}})");
  CAF_CHECK_EQUAL(tool("state_incr", {{"key", "n"}}).text(), "1");
  CAF_CHECK_EQUAL(tool("state_incr", {{"key", "n"}, {"by", -5}}).text(), "-4");
  CAF_CHECK_EQUAL(structured("state_incr", {{"key", "n"}}).dump(), R"({"value":-3})");
  CAF_CHECK_EQUAL(tool("state_keys").text(), R"(["k","n","o"])");
  const auto bad = tool("state_incr", {{"key", "k"}});
  CAF_CHECK(bad.is_error() && !bad.failed);
  CAF_CHECK(refused("state_set", {{"key", ""}, {"value", 1}}));
  CAF_CHECK(refused("state_incr", {{"key", "n"}, {"by", 0.5}}));
}

CAF_TEST(node_info tells where it ran) {
  const auto expected = R"({"node":"n1","region":"eu","zone":"a","session":"s-test","generation":3})";
  CAF_CHECK_EQUAL(tool("node_info").text(), expected);
  CAF_CHECK(structured("node_info") == json::parse(expected));
}

CAF_TEST(resources prompt and completions) {
  CAF_CHECK_EQUAL(read("demo://readme").at("/result/contents/0/mimeType"), "text/markdown");
  CAF_CHECK_EQUAL(json::parse(read("demo://planets").at("/result/contents/0/text").get<std::string>()).size(),
                  8u);
  CAF_CHECK(read("demo://pixel").at("/result/contents/0/blob").get<std::string>().starts_with("iVBORw0KGgo"));
  CAF_CHECK_EQUAL(read("demo://greeting/Ada%20L").at("/result/contents/0/text"), "Hello, Ada L!");
  const auto prompt = session->call(
      *server, {.method = method::prompts_get, .name = "greet", .arguments = R"({"name":"Ada"})"});
  CAF_CHECK_EQUAL(prompt.at("/result/messages/0/content/text"), "Please greet Ada warmly, in one sentence.");
  for (const auto* of : {"greet", "demo://greeting/{name}"}) {
    const auto out = session->call(
        *server,
        {.method = method::completion_complete, .name = of, .arguments = R"({"name":"name","value":"a"})"});
    CAF_CHECK_EQUAL(out.at("/result/completion/values").dump(), R"(["Ada","Agnes","Alan"])");
  }
}

CAF_TEST_FIXTURE_SCOPE_END()
