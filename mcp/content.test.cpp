#define CAF_SUITE content

#include "mcp/content.hpp"

#include "mcp/call.hpp"
#include "tests/unit/caf_test.hpp"

using namespace cafmcp::mcp;
using enum revision;

namespace {

std::string in(revision r, const auto& x) {
  return dump(to_json(x, r));
}

}  // namespace

CAF_TEST(tools are written for each revision) {
  tool t;
  t.name = "add";
  t.title = "Add";
  t.description = "Adds.";
  t.input_schema = json::parse(R"({"$schema":"x","type":"object","$defs":{"z":{"$anchor":"q"},"a":true}})");
  t.output_schema = {{"type", "object"}};
  t.annotations = {{"readOnlyHint", true}};
  t.icons = json::array({{{"src", "u"}}});
  t.meta = {{"k", 1}};
  const std::string start = R"({"name":"add","description":"Adds.","inputSchema":)" + dump(t.input_schema);
  CAF_CHECK_EQUAL(in(v2024_11_05, t), start + "}");
  CAF_CHECK_EQUAL(in(v2025_03_26, t), start + R"(,"annotations":{"readOnlyHint":true,"title":"Add"}})");
  const std::string titled = R"({"name":"add","title":"Add","description":"Adds.","inputSchema":)" +
                             dump(t.input_schema) +
                             R"(,"outputSchema":{"type":"object"},"annotations":{"readOnlyHint":true})";
  CAF_CHECK_EQUAL(in(v2025_06_18, t), titled + R"(,"_meta":{"k":1}})");
  CAF_CHECK_EQUAL(in(v2025_11_25, t), titled + R"(,"icons":[{"src":"u"}],"_meta":{"k":1}})");
}

CAF_TEST(resources templates and prompts) {
  const resource x{.uri = "u:1", .name = "n", .title = "T", .mime_type = "text/plain", .size = 5};
  CAF_CHECK_EQUAL(in(v2024_11_05, x), R"({"uri":"u:1","name":"n","mimeType":"text/plain","size":5})");
  CAF_CHECK_EQUAL(in(v2025_06_18, x),
                  R"({"uri":"u:1","name":"n","title":"T","mimeType":"text/plain","size":5})");
  const resource_template y{.uri_template = "u:{x}", .name = "n", .description = "d"};
  CAF_CHECK_EQUAL(in(v2025_11_25, y), R"({"uriTemplate":"u:{x}","name":"n","description":"d"})");
  const prompt p{.name = "p", .arguments = {{.name = "a", .title = "A", .required = true}, {.name = "b"}}};
  CAF_CHECK_EQUAL(in(v2025_03_26, p),
                  R"({"name":"p","arguments":[{"name":"a","required":true},{"name":"b"}]})");
  CAF_CHECK_EQUAL(in(v2025_11_25, p),
                  R"({"name":"p","arguments":[{"name":"a","title":"A","required":true},{"name":"b"}]})");
}

CAF_TEST(content falls back to text where a revision lacks it) {
  const content audio = audio_content{"QQ==", "audio/wav", {}, {}};
  CAF_CHECK_EQUAL(in(v2025_03_26, audio), R"({"type":"audio","data":"QQ==","mimeType":"audio/wav"})");
  CAF_CHECK(in(v2024_11_05, audio).starts_with(R"({"type":"text","text":"[audio, audio/wav)"));
  const content link = resource_link{{.uri = "u:1", .name = "n"}};
  CAF_CHECK_EQUAL(in(v2025_06_18, link), R"({"type":"resource_link","uri":"u:1","name":"n"})");
  CAF_CHECK_EQUAL(in(v2025_03_26, link), R"({"type":"text","text":"n: u:1"})");
  const content image = image_content{"QQ==", "image/png", {{"priority", 1}}, {{"m", 1}}};
  CAF_CHECK_EQUAL(in(v2025_03_26, image),
                  R"({"type":"image","data":"QQ==","mimeType":"image/png","annotations":{"priority":1}})");
  const content embedded = embedded_resource{{.uri = "u:1", .mime_type = "t", .data = "x"}, {}, {}};
  CAF_CHECK_EQUAL(in(v2024_11_05, embedded),
                  R"({"type":"resource","resource":{"uri":"u:1","mimeType":"t","text":"x"}})");
}

CAF_TEST(results are written for each revision) {
  call_result x;
  x.structured_content = {{"sum", 3}};
  CAF_CHECK_EQUAL(in(v2025_06_18, x),
                  R"({"content":[{"type":"text","text":"{\"sum\":3}"}],"structuredContent":{"sum":3}})");
  CAF_CHECK_EQUAL(in(v2025_03_26, x), R"({"content":[{"type":"text","text":"{\"sum\":3}"}]})");
  x.structured_content = 3;
  CAF_CHECK_EQUAL(in(v2025_06_18, x), R"({"content":[{"type":"text","text":"3"}]})");
  CAF_CHECK_EQUAL(in(v2024_11_05, text_result("no\xFF", true)),
                  "{\"content\":[{\"type\":\"text\",\"text\":\"no\xEF\xBF\xBD\"}],\"isError\":true}");
  const read_result read{{{.uri = "u:1", .data = "QQ==", .is_blob = true}}, {}};
  CAF_CHECK_EQUAL(in(v2024_11_05, read), R"({"contents":[{"uri":"u:1","blob":"QQ=="}]})");
  const prompt_result p{"d", {{"assistant", text_content{"hi", {}, {}}}}, {}};
  CAF_CHECK_EQUAL(
      in(v2025_06_18, p),
      R"({"description":"d","messages":[{"role":"assistant","content":{"type":"text","text":"hi"}}]})");
  const completion_result c{std::vector<std::string>(101, "v"), 200, false};
  const json completion = to_json(c, v2025_06_18)["completion"];
  CAF_CHECK_EQUAL(completion["values"].size(), 100u);
  CAF_CHECK(completion["hasMore"] == true && completion["total"] == 200);
}

CAF_TEST(calls are finished by their revision) {
  call c{.version = v2025_11_25, .id = "\"i\"", .arguments = R"({"a":1})"};
  CAF_CHECK_EQUAL(finish(c, text_result("x")),
                  R"({"jsonrpc":"2.0","id":"i","result":{"content":[{"type":"text","text":"x"}]}})");
  CAF_CHECK_EQUAL(finish(c, internal_error()),
                  R"({"jsonrpc":"2.0","id":"i","error":{"code":-32603,"message":"Internal error"}})");
  CAF_CHECK_EQUAL(finish_raw(c, "{}"), R"({"jsonrpc":"2.0","id":"i","result":{}})");
  CAF_CHECK(finish_bad_arguments(c, "a").find(R"("isError":true)") != std::string::npos);
  c.version = v2025_06_18;
  CAF_CHECK(finish_bad_arguments(c, "a").find(R"("code":-32602)") != std::string::npos);
  CAF_CHECK_EQUAL(dump(parsed_arguments(c).value()), c.arguments);
  c.arguments = R"({"a":1e999})";
  CAF_CHECK(parsed_arguments(c).has_error());
}
