// The demo's resources and its prompt. What they say is always the same.
#include <algorithm>
#include <cctype>

#include "sdk/demo_parts.hpp"

namespace cafmcp::sdk::detail {

namespace {

constexpr const char* readme = R"(# The demo server

It runs inside the node, so that there is something to call.

- `echo`, `add`, `blob`, `sleep`, `progress`: answers small and large, at once and later.
- `state_set`, `state_get`, `state_incr`, `state_keys`: values that stay with your session, whichever node runs it.
- `node_info`: which node that is. `crash`: what happens when a tool fails.
- `demo://greeting/{name}` and the prompt `greet`: with completion of names.
)";

constexpr const char* planets = R"(["Mercury","Venus","Earth","Mars","Jupiter","Saturn","Uranus","Neptune"])";

// A PNG of one pixel.
constexpr const char* pixel =
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==";

constexpr const char* names[] = {"Ada",    "Agnes", "Alan", "Barbara", "Carl",   "Dennis", "Donald",
                                 "Edsger", "Grace", "Joe",  "John",    "Leslie", "Robert", "Tony"};

bool begins_with(std::string_view name, std::string_view typed) {
  const auto lower = [](char c) { return std::tolower(static_cast<unsigned char>(c)); };
  return typed.size() <= name.size() && std::equal(typed.begin(), typed.end(), name.begin(),
                                                   [&](char a, char b) { return lower(a) == lower(b); });
}

std::vector<std::string> names_like(const std::string& typed) {
  std::vector<std::string> out;
  std::copy_if(std::begin(names), std::end(names), std::back_inserter(out),
               [&](std::string_view name) { return begins_with(name, typed); });
  return out;
}

}  // namespace

void add_contents(server& demo) {
  demo.resource({.uri = "demo://readme",
                 .name = "readme",
                 .title = "About the demo",
                 .description = "What this server has.",
                 .mime_type = "text/markdown"},
                [] { return readme; });
  demo.resource({.uri = "demo://planets",
                 .name = "planets",
                 .title = "Planets",
                 .description = "The planets of the solar system, from the sun outwards, as a JSON array.",
                 .mime_type = "application/json"},
                [] { return planets; });
  demo.resource({.uri = "demo://pixel",
                 .name = "pixel",
                 .title = "A pixel",
                 .description = "A picture of one pixel, to see how binary resources travel.",
                 .mime_type = "image/png"},
                [] { return mcp::resource_contents{.data = pixel, .is_blob = true}; });
  demo.resource_template(
      {.uri_template = "demo://greeting/{name}",
       .name = "greeting",
       .title = "A greeting",
       .description = "Greets whoever is named.",
       .mime_type = "text/plain"},
      [](const json& variables) { return "Hello, " + variables.at("name").get<std::string>() + "!"; });
  demo.completion("demo://greeting/{name}", "name", names_like);
  demo.prompt(
      {.name = "greet",
       .title = "Greet somebody",
       .description = "Asks for a warm greeting.",
       .arguments = {{.name = "name", .title = "Name", .description = "Who to greet.", .required = true}}},
      [](const json& arguments) {
        return "Please greet " + arguments.at("name").get<std::string>() + " warmly, in one sentence.";
      });
  demo.completion("greet", "name", names_like);
}

}  // namespace cafmcp::sdk::detail
