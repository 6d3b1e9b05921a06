// ceiling: the bare Beast server that ours are measured against.

#include <CLI/CLI.hpp>
#include <boost/asio/signal_set.hpp>
#include <csignal>
#include <iostream>
#include <thread>

#include "bench/echo_server.hpp"
#include "bench/url.hpp"

namespace {

using namespace cafmcp;
using namespace cafmcp::bench;

int run(int argc, char** argv) {
  CLI::App app{
      "A bare Beast server that echoes MCP messages over HTTP and WebSocket: the ceiling of the benchmarks."};
  std::string listen = "127.0.0.1:0";
  unsigned threads = std::max(1u, std::thread::hardware_concurrency());
  bool raw_echo = false, mcp = false;
  app.add_option("--listen", listen, "ADDRESS:PORT; port 0 takes a free one")->capture_default_str();
  app.add_option("--threads", threads, "threads, one context each")
      ->capture_default_str()
      ->check(CLI::Range(1, 256));
  auto* echo_flag = app.add_flag("--echo", raw_echo, "return WebSocket messages as they are");
  app.add_flag("--mcp", mcp, "answer as an MCP server: initialize, and any request with a canned result")
      ->excludes(echo_flag);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& e) {
    return app.exit(e) == 0 ? 0 : 2;
  }
  const auto address = parse_address(listen);
  if (address.has_error()) {
    std::cerr << "ceiling: " << address.error().message << "\n";
    return 2;
  }
  echo_server server{threads, mcp ? answering::mcp : raw_echo ? answering::raw : answering::text};
  if (const auto bound = server.listen(*address); bound.has_error()) {
    std::cerr << "ceiling: " << bound.error().message << "\n";
    return 1;
  }
  asio::signal_set signals{server.first_context(), SIGTERM, SIGINT};
  signals.async_wait([&server](error_code, int) { server.stop(); });
  const auto at = server.address();
  const url where{"http", at.address().to_string(), at.port(), "/mcp"};
  std::cout << "ceiling ready http://" << where.authority() << where.path << std::endl;
  server.run();
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return run(argc, argv);
  } catch (const std::exception& e) {
    std::cerr << "ceiling: " << e.what() << "\n";
    return 1;
  }
}
