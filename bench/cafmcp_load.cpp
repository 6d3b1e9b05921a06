// cafmcp-load: the load generator. Reads the command line, runs the plan, reports.

#include <sys/resource.h>

#include <CLI/CLI.hpp>
#include <fstream>
#include <iostream>
#include <iterator>

#include "bench/report.hpp"
#include "bench/worker.hpp"

namespace {

using namespace cafmcp;
using namespace cafmcp::bench;

constexpr int exit_failed = 1;
constexpr int exit_usage = 2;

// The command line as it was typed.
struct flags {
  std::string url, mode, body, arguments;
  std::string duration = "5s", warmup = "1s", timeout = "5s", use = "keep";
  std::vector<std::string> headers;
  bool json = false;
};

void declare_mcp(CLI::App& app, flags& f, plan& p) {
  app.add_option("--tool", p.tool, "the tool that an MCP client calls")->capture_default_str();
  app.add_option("--arguments", f.arguments,
                 "its arguments: a JSON object, or @FILE; default " + p.arguments);
  app.add_option(
         "--session", f.use,
         "keep: call over and over; churn: connect, open a session, call once, end it, again; abandon: "
         "likewise, but drop the connection while the call is in flight")
      ->capture_default_str();
  app.add_option("--sessions", p.sessions,
                 "sessions in all of mcp-http, used in turn; default one for each connection; up to 1000000");
  app.add_option("--timeout", f.timeout,
                 "after this long without an answer, an MCP connection is opened anew")
      ->capture_default_str();
}

void declare(CLI::App& app, flags& f, plan& p) {
  app.add_option("--url", f.url, "http://HOST:PORT/PATH or ws://…, on this machine")->required();
  app.add_option("--mode", f.mode,
                 "http-get, http-post, ws-echo, mcp-http or mcp-ws; default by the URL: http-post, ws-echo");
  app.add_option("--connections", p.connections, "connections, each with one request in flight, up to 60000")
      ->capture_default_str();
  app.add_option("--threads", p.threads, "threads, up to 256")->capture_default_str();
  app.add_option("--duration", f.duration, "how long to measure, up to 1h")->capture_default_str();
  app.add_option("--warmup", f.warmup, "how long to run before that, up to 1h")->capture_default_str();
  app.add_option("--body", f.body,
                 "what to send, or @FILE; default a tools/call of about 150 bytes; up to 64 MiB");
  app.add_option("--header", f.headers, "'Name: value', added to every request; may be repeated")->take_all();
  app.add_option("--pipeline", p.pipeline, "messages in flight on each WebSocket connection, up to 1024")
      ->capture_default_str();
  declare_mcp(app, f, p);
  app.add_flag("--json", f.json, "print one JSON document");
}

result<std::string> read_text(const std::string& text) {
  if (!text.starts_with('@'))
    return text;
  const std::string path = text.substr(1);
  std::ifstream file{path, std::ios::binary};
  std::string content{std::istreambuf_iterator<char>{file}, {}};
  if (!file.is_open() || file.bad())
    return fail(errc::io, "file '" + path + "': cannot read it");
  return content;
}

// Sets `out` to what `parsed` has.
template <class T>
result<void> take(result<T> parsed, T& out) {
  if (parsed.has_error())
    return parsed.error();
  out = std::move(*parsed);
  return {};
}

result<void> fill(plan& p, const flags& f) {
  if (auto done = take(parse_url(f.url), p.where); done.has_error())
    return done;
  for (auto& done : {take(parse_mode(f.mode, p.where.scheme), p.what),
                     take(parse_duration(f.duration), p.duration), take(parse_duration(f.warmup), p.warmup),
                     take(parse_duration(f.timeout), p.timeout), take(parse_session_use(f.use), p.use)})
    if (done.has_error())
      return done;
  for (const auto& text : f.headers) {
    p.headers.emplace_back();
    if (auto done = take(parse_header(text), p.headers.back()); done.has_error())
      return done;
  }
  if (is_mcp(p.what) && !f.body.empty())
    return fail(errc::invalid,
                std::string{to_string(p.what)} + " makes its messages itself: --body is not for it");
  if (!f.body.empty())
    if (auto done = take(read_text(f.body), p.body); done.has_error())
      return done;
  if (!f.arguments.empty())
    if (auto done = take(read_text(f.arguments), p.arguments); done.has_error())
      return done;
  return complete(p);
}

double cpu_seconds() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](timeval t) {
    return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) / 1e6;
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

int complain(const error& e) {
  std::cerr << "cafmcp-load: " << e.message << "\n";
  return e.code == errc::invalid || e.code == errc::io ? exit_usage : exit_failed;
}

int run(int argc, char** argv) {
  CLI::App app{"Puts an HTTP or WebSocket server on this machine under load and reports rate and latencies."};
  flags f;
  plan p;
  declare(app, f, p);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& e) {
    return app.exit(e) == 0 ? 0 : exit_usage;
  }
  if (auto filled = fill(p, f); filled.has_error())
    return complain(filled.error());
  const auto counted = run_load(p);
  if (counted.has_error())
    return complain(counted.error());
  const auto report = to_json(p, *counted, cpu_seconds());
  std::cout << (f.json ? report.dump(2) + "\n" : to_table(report));
  if (counted->requests() > 0)
    return 0;
  std::cerr << "cafmcp-load: no request to " << f.url << " succeeded\n";
  return exit_failed;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return run(argc, argv);
  } catch (const std::exception& e) {
    std::cerr << "cafmcp-load: " << e.what() << "\n";
    return exit_failed;
  }
}
