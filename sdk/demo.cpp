#include "sdk/demo.hpp"

#include <cmath>
#include <cstdint>
#include <optional>
#include <stdexcept>

#include "base/version.hpp"
#include "sdk/demo_parts.hpp"

namespace cafmcp::sdk {

namespace detail {

namespace {

constexpr std::int64_t max_blob_bytes = 64 * 1024 * 1024;

const mcp::json read_only = {{"readOnlyHint", true}, {"openWorldHint", false}};

std::optional<std::int64_t> integer_of(const json& number) {
  if (!number.is_number_integer() || (number.is_number_unsigned() && number.get<std::uint64_t>() > INT64_MAX))
    return std::nullopt;
  return number.get<std::int64_t>();
}

// Exact for integers as far as they go.
answer add(const json& arguments) {
  const auto& a = arguments.at("a");
  const auto& b = arguments.at("b");
  const auto m = integer_of(a);
  const auto n = integer_of(b);
  json sum = a.get<double>() + b.get<double>();
  if (std::int64_t exact = 0; m && n && !__builtin_add_overflow(*m, *n, &exact))
    sum = exact;
  else if (!std::isfinite(sum.get<double>()))
    return fail(errc::invalid, "the sum is too large for a number");
  return answer{sum.dump(), {{"sum", sum}}};
}

}  // namespace

mcp::json object_schema(mcp::json properties, mcp::json required) {
  mcp::json out = {{"type", "object"}};
  if (!properties.empty())
    out["properties"] = std::move(properties);
  if (!required.empty())
    out["required"] = std::move(required);
  return out;
}

void add_simple_tools(server& demo) {
  demo.tool({.name = "echo",
             .title = "Echo",
             .description = "Gives back the message, unchanged.",
             .input_schema = object_schema(
                 {{"message", {{"type", "string"}, {"description", "What to give back."}}}}, {"message"}),
             .annotations = read_only},
            [](const json& arguments) { return arguments.at("message").get<std::string>(); });
  demo.tool(
      {.name = "add",
       .title = "Add two numbers",
       .description = "Adds two numbers and gives their sum.",
       .input_schema = object_schema({{"a", {{"type", "number"}, {"description", "One number."}}},
                                      {"b", {{"type", "number"}, {"description", "The other number."}}}},
                                     {"a", "b"}),
       .output_schema = object_schema({{"sum", {{"type", "number"}}}}, {"sum"}),
       .annotations = read_only},
      add);
  demo.tool(
      {.name = "blob",
       .title = "Large answer",
       .description = "Answers with a text of the given size, to see how large answers travel.",
       .input_schema = object_schema({{"bytes",
                                       {{"type", "integer"},
                                        {"minimum", 0},
                                        {"maximum", max_blob_bytes},
                                        {"description", "Size of the text in bytes, at most 64 MiB."}}}},
                                     {"bytes"}),
       .annotations = read_only},
      blocking(
          [](const json& arguments) { return std::string(arguments.at("bytes").get<std::size_t>(), 'x'); }));
  demo.tool({.name = "crash",
             .title = "Crash",
             .description = "Throws an exception in its handler: this call fails, and nothing else suffers.",
             .annotations = read_only},
            [](const json&) -> answer { throw std::runtime_error("this tool always throws"); });
  demo.tool({.name = "node_info",
             .title = "Where am I?",
             .description =
                 "Tells which node ran this call, where that is, whose session it was, and its generation, "
                 "which grows whenever the session moves to another node.",
             .output_schema = object_schema({{"node", {{"type", "string"}}},
                                             {"region", {{"type", "string"}}},
                                             {"zone", {{"type", "string"}}},
                                             {"session", {{"type", "string"}}},
                                             {"generation", {{"type", "integer"}}}},
                                            {"node", "region", "zone", "session", "generation"}),
             .annotations = read_only},
            [](call& c) {
              return mcp::json{{"node", c.node().name},
                               {"region", c.node().region},
                               {"zone", c.node().zone},
                               {"session", c.session()},
                               {"generation", c.generation()}};
            });
}

}  // namespace detail

server demo_server() {
  server demo{"demo", version};
  detail::add_simple_tools(demo);
  detail::add_waiting_tools(demo);
  detail::add_state_tools(demo);
  detail::add_contents(demo);
  return demo;
}

}  // namespace cafmcp::sdk
