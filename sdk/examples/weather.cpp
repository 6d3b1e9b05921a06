// A server with one tool, in a node of its own. Start it like cafmcpd, with the same flags:
//
//   example-weather --listen 127.0.0.1:8080
//
// and point an MCP client to the address that it prints.
#include "sdk/embed.hpp"

namespace sdk = cafmcp::sdk;

int main(int argc, char** argv) {
  sdk::server weather{"weather", "1.0"};
  weather.tool({.name = "forecast",
                .description = "Tells tomorrow's weather in a city.",
                .input_schema = {{"type", "object"},
                                 {"properties", {{"city", {{"type", "string"}, {"minLength", 1}}}}},
                                 {"required", {"city"}}}},
               [](const sdk::json& arguments) {
                 const auto city = arguments.at("city").get<std::string>();
                 return "Tomorrow in " + city + (city.size() % 2 == 0 ? ": sunshine." : ": rain.");
               });
  return sdk::run(argc, argv, {weather});
}
