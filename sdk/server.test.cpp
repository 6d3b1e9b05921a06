#define CAF_SUITE native_server

#include "sdk/server.hpp"

#include <stdexcept>
#include <thread>

#include "sdk/blocking_pool.hpp"
#include "sdk/fake_session.hpp"
#include "tests/unit/caf_test.hpp"

using namespace cafmcp;
using namespace cafmcp::sdk;
using mcp::method;

namespace {

const mcp::json text_schema = {
    {"type", "object"}, {"properties", {{"text", {{"type", "string"}}}}}, {"required", {"text"}}};

struct fixture {
  // Attaches the server, once it is filled in.
  actors::server& up() {
    if (running == nullptr) {
      auto attached = s.attach(pool);
      CAF_REQUIRE(attached);
      running = *attached;
      running->watch([this](const actors::server_event& e) {
        const auto* updated = std::get_if<actors::resource_updated>(&e);
        events.push_back(updated != nullptr ? updated->uri : "offers");
      });
    }
    return *running;
  }
  fake_session::outcome tool(const std::string& name, const json& arguments = json::object()) {
    return session->tool(up(), name, arguments);
  }
  fake_session::outcome read(const std::string& uri) {
    return session->call(up(), {.method = method::resources_read, .name = uri, .arguments = "{}"});
  }

  std::shared_ptr<blocking_pool> pool = std::make_shared<blocking_pool>(blocking_pool::limits{.threads = 2});
  server s{"test", "1.0"};
  std::shared_ptr<actors::server> running;
  std::shared_ptr<fake_session> session = std::make_shared<fake_session>();
  std::vector<std::string> events;
};

}  // namespace

CAF_TEST_FIXTURE_SCOPE(native_server_tests, fixture)

CAF_TEST(handlers run in three kinds) {
  const auto here = std::this_thread::get_id();
  std::thread::id quick_on, blocking_on;
  s.tool("quick", "", text_schema, [&](const json& a) {
    quick_on = std::this_thread::get_id();
    return a.at("text").get<std::string>();
  });
  s.tool("blocking", "", text_schema, blocking([&](call& c) {
           blocking_on = std::this_thread::get_id();
           return c.arguments().at("text").get<std::string>();
         }));
  std::optional<call> kept;
  s.tool("async", "", text_schema, async([&](call c) { kept = std::move(c); }));
  CAF_CHECK_EQUAL(tool("quick", {{"text", "a"}}).text(), "a");
  CAF_CHECK(quick_on == here);
  CAF_CHECK_EQUAL(tool("blocking", {{"text", "b"}}).text(), "b");
  CAF_CHECK(blocking_on != here);
  const auto later = session->start_tool(up(), "async", {{"text", "c"}});
  CAF_CHECK(!later->finished());
  CAF_REQUIRE(kept);
  std::thread([&] { kept->reply(kept->arguments().at("text").get<std::string>()); }).join();
  CAF_CHECK_EQUAL(session->wait(later).text(), "c");
  kept->reply("again");
  kept.reset();
  CAF_CHECK_EQUAL(session->answers_in_all, 3u);
}

CAF_TEST(answers are taken from what handlers return ) {
  const auto any = mcp::json{{"type", "object"}};
  s.tool("literal", "", any, [] { return "hi \xFF"; });
  s.tool("number", "", any, [] { return 42; });
  s.tool("object", "", any, [](call&) { return json{{"b", 1}, {"a", "\n"}}; });
  s.tool("ordered", "", any, [](call&) { return mcp::json{{"b", 1}, {"a", 2}}; });
  s.tool("array", "", any, [] { return json::array({1, 2}); });
  s.tool("both", "", any, [] { return answer{"three", {{"sum", 3}}}; });
  s.tool("whole", "", any, [] { return mcp::text_result("no", true); });
  s.tool("piece", "", any, [] { return mcp::content{mcp::image_content{"QQ==", "image/png", {}, {}}}; });
  s.tool("good", "", any, []() -> result<std::string> { return std::string("fine"); });
  s.tool("bad", "", any, []() -> result<std::string> { return fail(errc::not_found, "no such thing"); });
  s.tool("rpc", "", any, [] { return mcp::rpc_error{-32042, "go there", {}}; });
  CAF_CHECK_EQUAL(tool("literal").text(), "hi \xEF\xBF\xBD");
  CAF_CHECK_EQUAL(tool("number").text(), "42");
  CAF_CHECK_EQUAL(tool("object").text(), R"({"a":"\n","b":1})");
  CAF_CHECK_EQUAL(tool("object").at("/result/structuredContent/b"), 1);
  CAF_CHECK_EQUAL(tool("ordered").text(), R"({"b":1,"a":2})");
  CAF_CHECK_EQUAL(tool("array").text(), "[1,2]");
  CAF_CHECK(!tool("array").result().contains("structuredContent"));
  CAF_CHECK_EQUAL(tool("both").text(), "three");
  CAF_CHECK_EQUAL(tool("both").at("/result/structuredContent/sum"), 3);
  CAF_CHECK(tool("whole").is_error());
  CAF_CHECK_EQUAL(tool("piece").at("/result/content/0/data"), "QQ==");
  CAF_CHECK_EQUAL(tool("good").text(), "fine");
  const auto bad = tool("bad");
  CAF_CHECK(bad.is_error() && !bad.failed && bad.text() == "no such thing");
  CAF_CHECK_EQUAL(tool("rpc").code(), -32042);
}

CAF_TEST(exceptions are answers that count against the server) {
  s.tool("crash", "", text_schema, [](call&) -> answer { throw std::runtime_error("boom"); });
  s.tool("odd", "", text_schema, [](call&) -> answer { throw 7; });
  s.tool("blocking", "", text_schema, blocking([](call&) -> answer { throw std::runtime_error("bang"); }));
  s.tool("async", "", text_schema, async([](const call&) { throw std::runtime_error("late"); }));
  s.resource({.uri = "x:1"}, []() -> answer { throw std::runtime_error("boom"); });
  const json arguments = {{"text", ""}};
  for (const auto& [name, text] : std::map<std::string, std::string>{{"crash", "boom"},
                                                                     {"odd", "an exception of unknown type"},
                                                                     {"blocking", "bang"},
                                                                     {"async", "late"}}) {
    const auto out = tool(name, arguments);
    CAF_CHECK(out.is_error() && out.failed);
    CAF_CHECK_EQUAL(out.text(), "Error in tool " + name + ": " + text);
  }
  const auto out = read("x:1");
  CAF_CHECK_EQUAL(out.code(), mcp::code::internal_error);
  CAF_CHECK(out.failed);
  CAF_CHECK_EQUAL(out.message(), "Internal error: resource x:1: boom");
  CAF_CHECK_EQUAL(session->answers_in_all, 5u);
}

CAF_TEST(arguments are checked and faults name their place) {
  int ran = 0;
  s.tool("strict", "",
         {{"type", "object"},
          {"properties", {{"items", {{"type", "array"}, {"items", {{"type", "integer"}}}}}}}},
         [&](const json&) {
           ++ran;
           return "";
         });
  const auto out = tool("strict", {{"items", {1, 2, "x"}}});
  CAF_CHECK(out.is_error() && !out.failed);
  CAF_CHECK(out.text().find("arguments.items[2]") != std::string::npos);
  session->version = mcp::revision::v2025_06_18;
  CAF_CHECK_EQUAL(tool("strict", {{"items", "x"}}).code(), mcp::code::invalid_params);
  const auto huge = session->call(up(), {.name = "strict", .arguments = R"({"items":[1e999]})"});
  CAF_CHECK(huge.text().find("out of range") != std::string::npos);
  CAF_CHECK_EQUAL(ran, 0);
  CAF_CHECK(!tool("strict", {{"items", {1, 2}}}).is_error());
  CAF_CHECK_EQUAL(ran, 1);
}

CAF_TEST(a call that is dropped is answered) {
  s.tool("lazy", "", text_schema, async([](const call&) {}));
  std::optional<call> kept;
  s.tool("slow", "", text_schema, async([&](const call& c) {
           c.on_cancel([&] { kept.reset(); });
           kept = c;
         }));
  const auto out = tool("lazy", {{"text", ""}});
  CAF_CHECK(out.is_error() && out.failed);
  CAF_CHECK(out.text().find("without an answer") != std::string::npos);
  const auto given_up = session->start_tool(up(), "slow", {{"text", ""}});
  CAF_CHECK(!given_up->finished());
  given_up->cancel();
  CAF_CHECK(!kept);
  const auto end = session->wait(given_up);
  CAF_CHECK(!end.failed);
  CAF_CHECK(end.message().find("cancelled") != std::string::npos);
}

CAF_TEST(an answer of another kind is a fault) {
  s.tool("wrong", "", text_schema, [] { return mcp::prompt_result{}; });
  const auto out = tool("wrong", {{"text", ""}});
  CAF_CHECK(out.is_error() && out.failed);
  CAF_CHECK(out.text().find("prompts/get") != std::string::npos);
}

CAF_TEST(what is registered badly is refused and told again by attach) {
  const auto h = [] { return ""; };
  CAF_CHECK(s.tool("twice", "", text_schema, h));
  const auto twice = s.tool("twice", "", text_schema, h);
  CAF_REQUIRE(!twice);
  CAF_CHECK(twice.error().code == errc::conflict);
  CAF_CHECK(twice.error().message.find("twice") != std::string::npos);
  CAF_CHECK(!s.tool("bad", "", {{"type", "string"}}, h));
  CAF_CHECK(!s.tool("ref", "", {{"type", "object"}, {"$ref", "http://x/y"}}, h));
  CAF_CHECK(!s.tool("", "", text_schema, h));
  CAF_CHECK(!s.tool({.name = "out", .output_schema = {{"type", "array"}}}, h));
  CAF_CHECK(!s.resource_template({.uri_template = "x:{?q}"}, h));
  CAF_CHECK(!s.completion("nobody", "a", [](const std::string&) { return std::vector<std::string>{}; }));
  const auto attached = s.attach(pool);
  CAF_REQUIRE(!attached);
  for (const auto* part :
       {"tool twice: there is one already", "tool bad: ", "tool ref: ", "tool out: ", "{?q}", "nobody"})
    CAF_CHECK(attached.error().message.find(part) != std::string::npos);
  CAF_CHECK(!server("no spaces").attach(pool));
  server fine{"fine"};
  CAF_CHECK(!fine.attach(nullptr));
  CAF_CHECK(fine.attach(pool));
  CAF_CHECK(!fine.attach(pool));
}

CAF_TEST(offers change while the server runs) {
  const auto h = [] { return "x"; };
  s.tool("first", "", text_schema, h);
  up();
  CAF_CHECK(events.empty());
  CAF_CHECK(s.tool(
      {.name = "second", .title = "T", .input_schema = {{"type", "object"}, {"$defs", {{"z", true}}}}}, h));
  CAF_CHECK(!s.tool("second", "", text_schema, h));
  CAF_CHECK_EQUAL(events, std::vector<std::string>{"offers"});
  auto offers = running->offers();
  CAF_REQUIRE_EQUAL(offers.tools.size(), 2u);
  CAF_CHECK_EQUAL(mcp::dump(offers.tools[1].input_schema), R"({"type":"object","$defs":{"z":true}})");
  CAF_CHECK(s.remove_tool("first"));
  CAF_CHECK(!s.remove_tool("first"));
  CAF_CHECK_EQUAL(events.size(), 2u);
  CAF_CHECK_EQUAL(tool("first").code(), mcp::code::invalid_params);
  CAF_CHECK_EQUAL(tool("second").text(), "x");
  s.resource_updated("x:1");
  CAF_CHECK_EQUAL(events.back(), "x:1");
  running->watch(nullptr);
  s.remove_tool("second");
  CAF_CHECK_EQUAL(events.size(), 3u);
}

CAF_TEST(resources and templates are read) {
  s.resource({.uri = "x:text", .mime_type = "text/plain"}, [] { return "hello"; });
  s.resource({.uri = "x:own"},
             [] { return mcp::resource_contents{.uri = "x:other", .mime_type = "a/b", .data = "d"}; });
  s.resource_template({.uri_template = "x:t/{a}/{+rest}", .mime_type = "m/n"},
                      [](call& c) { return c.name() + " " + c.arguments().dump(); });
  s.resource_template({.uri_template = "x:gone/{a}"}, [] { return error{errc::not_found, "not here"}; });
  CAF_CHECK_EQUAL(read("x:text").result().dump(),
                  R"({"contents":[{"mimeType":"text/plain","text":"hello","uri":"x:text"}]})");
  CAF_CHECK_EQUAL(read("x:own").at("/result/contents/0/uri"), "x:other");
  CAF_CHECK_EQUAL(read("x:t/A%20b/c/d").at("/result/contents/0/text"),
                  R"(x:t/A%20b/c/d {"a":"A b","rest":"c/d"})");
  CAF_CHECK_EQUAL(read("x:t/1/").at("/result/contents/0/mimeType"), "m/n");
  CAF_CHECK_EQUAL(read("x:none").code(), mcp::code::resource_not_found);
  const auto gone = read("x:gone/1");
  CAF_CHECK_EQUAL(gone.code(), mcp::code::resource_not_found);
  CAF_CHECK_EQUAL(gone.message(), "not here");
  CAF_CHECK(!gone.failed);
}

CAF_TEST(prompts are got and completed) {
  s.prompt({.name = "p", .description = "d", .arguments = {{.name = "who", .required = true}}},
           [](const json& a) { return "Hello " + a.at("who").get<std::string>(); });
  s.completion("p", "who", [](const std::string& typed) { return std::vector{typed + "1", typed + "2"}; });
  s.completion("p", "deep", [](call& c) { return c.context().dump() + c.arguments().at("value").dump(); });
  const auto got =
      session->call(up(), {.method = method::prompts_get, .name = "p", .arguments = R"({"who":"A"})"});
  CAF_CHECK_EQUAL(
      got.result().dump(),
      R"({"description":"d","messages":[{"content":{"text":"Hello A","type":"text"},"role":"user"}]})");
  const auto complete = [&](const std::string& argument) {
    const auto raw = json{{"name", argument}, {"value", "v"}}.dump();
    return session
        ->call(
            up(),
            {.method = method::completion_complete, .name = "p", .arguments = raw, .context = R"({"x":"y"})"})
        .at("/result/completion/values")
        .dump();
  };
  CAF_CHECK_EQUAL(complete("who"), R"(["v1","v2"])");
  CAF_CHECK_EQUAL(complete("deep"), R"(["{\"x\":\"y\"}\"v\""])");
  CAF_CHECK_EQUAL(complete("other"), "[]");
  CAF_CHECK(s.remove_prompt("p"));
  CAF_CHECK_EQUAL(complete("who"), "[]");
}

CAF_TEST(progress logs and identity) {
  s.tool("report", "", {{"type", "object"}}, [](call& c) {
    c.progress(1, 2, "half");
    c.log(mcp::log_level::warning, {{"a", 1}});
    c.log(mcp::log_level::info, "x", "mine");
    return c.session() + std::to_string(c.generation()) + c.node().name + c.node().zone + c.name();
  });
  CAF_CHECK_EQUAL(tool("report").text(), "s-test3n1areport");
  CAF_CHECK_EQUAL(session->progress, std::vector<std::string>{"1/2 half"});
  CAF_CHECK_EQUAL(session->logs, (std::vector<std::string>{R"(warning test {"a":1})", R"(info mine "x")"}));
}

CAF_TEST(state is reached by callbacks and futures) {
  s.tool("count", "", {{"type", "object"}}, async([](const call& c) {
           c.state().incr("n", 2, [c](result<std::int64_t> n) { c.reply(std::move(n)); });
         }));
  s.tool("wait", "", {{"type", "object"}}, blocking([](call& c) -> answer {
           if (auto done = c.state().set("k", {{"deep", {1, 2}}}).get(); !done)
             return done.error();
           const auto back = c.state().get("k").get();
           const auto none = c.state().get("none").get();
           const auto removed = c.state().remove("k").get();
           const auto keys = c.state().keys().get();
           return (*back)->dump() + (none->has_value() ? "?" : "-") + json(*keys).dump() +
                  std::to_string(*c.state().incr("n").get());
         }));
  s.tool("turn", "", {{"type", "object"}},
         [](call& c) -> answer { return c.state().incr("n").get().error(); });
  s.tool("throws", "", {{"type", "object"}},
         async([](const call& c) { c.state().keys([](auto) { throw std::runtime_error("in then"); }); }));
  CAF_CHECK_EQUAL(tool("count").text(), "2");
  CAF_CHECK_EQUAL(tool("wait").text(), R"({"deep":[1,2]}-["n"]3)");
  const auto turn = tool("turn");
  CAF_CHECK(turn.is_error() && turn.text().find("blocking") != std::string::npos);
  const auto threw = tool("throws");
  CAF_CHECK(threw.failed && threw.text() == "Error in tool throws: in then");
  session->end();
  const auto lost = session->start_tool(up(), "count", json::object());
  CAF_CHECK(lost->finished());
}

CAF_TEST_FIXTURE_SCOPE_END()
