// cafmcp-load: the load generator. Reads the command line, runs the plan, reports.

#include <sys/resource.h>

#include <CLI/CLI.hpp>
#include <fstream>
#include <iostream>
#include <iterator>

#include "bench/report.hpp"
#include "bench/run_load.hpp"
#include "bench/session_ids.hpp"

namespace {

using namespace cafmcp;
using namespace cafmcp::bench;

constexpr int exit_failed = 1;
constexpr int exit_usage = 2;

// The command line as it was typed.
struct flags {
  std::string url, mode, body, arguments, duration, warmup, ids;
  std::string timeout = "5s", use = "keep";
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
         "likewise, but drop the connection while the call is in flight; open: open --count sessions and "
         "leave them; resume: call once in each session of --ids; these two are for mcp-http and end when "
         "all is done")
      ->capture_default_str();
  app.add_option("--sessions", p.sessions,
                 "sessions in all of mcp-http, used in turn; default one for each connection; up to 1000000");
  app.add_option(
         "--timeout", f.timeout,
         "after this long without an answer, an MCP connection is opened anew; resume sends what was refused "
         "for now again for so long")
      ->capture_default_str();
}

void declare_work(CLI::App& app, flags& f, plan& p) {
  app.add_option("--count", p.count, "open: how many sessions, up to 100000000");
  app.add_option(
      "--ids", f.ids,
      "open: a file that the ids of a random sample of the opened sessions are written to, one a "
      "line; resume: the file to read them from; keep: likewise, to call in these sessions instead of "
      "new ones, over mcp-http");
  app.add_option("--sample", p.sample, "open: how many ids are written, up to 1000000")
      ->capture_default_str();
  app.add_option("--seed", p.seed, "open: draws the sample; the same draws the same from the same order")
      ->capture_default_str();
}

void declare(CLI::App& app, flags& f, plan& p) {
  app.add_option("--url", f.url, "http://HOST:PORT/PATH or ws://…, on this machine")->required();
  app.add_option("--mode", f.mode,
                 "http-get, http-post, ws-echo, mcp-http or mcp-ws; default by the URL: http-post, ws-echo");
  app.add_option("--connections", p.connections, "connections, each with one request in flight, up to 60000")
      ->capture_default_str();
  app.add_option("--threads", p.threads, "threads, up to 256")->capture_default_str();
  app.add_option(
      "--duration", f.duration,
      "how long to measure, up to 1h; default 5s, and 1h with open and resume, which it cuts short "
      "only. SIGINT ends the measurement early, too, and what was measured is reported");
  app.add_option("--warmup", f.warmup,
                 "how long to run before that, up to 1h; default 1s, and none with open and resume");
  app.add_option("--body", f.body,
                 "what to send, or @FILE; default a tools/call of about 150 bytes; up to 64 MiB");
  app.add_option("--header", f.headers, "'Name: value', added to every request; may be repeated")->take_all();
  app.add_option("--pipeline", p.pipeline, "messages in flight on each WebSocket connection, up to 1024")
      ->capture_default_str();
  declare_mcp(app, f, p);
  declare_work(app, f, p);
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

// What the use of sessions decides: the defaults of the times, and what --ids is.
result<void> fill_work(plan& p, const flags& f) {
  const auto or_default = [](const std::string& text, const char* otherwise) {
    return parse_duration(text.empty() ? otherwise : text);
  };
  for (auto& done : {take(or_default(f.duration, has_end(p.use) ? "1h" : "5s"), p.duration),
                     take(or_default(f.warmup, has_end(p.use) ? "0s" : "1s"), p.warmup)})
    if (done.has_error())
      return done;
  if (f.ids.empty())
    return {};
  if (p.use == session_use::keep && p.sessions != 0)
    return fail(errc::invalid, "--ids says how many sessions there are: leave out --sessions");
  if (p.use == session_use::resume || p.use == session_use::keep) {
    auto done = take(read_ids(f.ids), p.ids);
    if (p.use == session_use::keep)
      p.sessions = static_cast<unsigned>(p.ids.size());
    return done;
  }
  if (p.use != session_use::open)
    return fail(errc::invalid, std::string{"--ids is not for --session "} + to_string(p.use));
  p.ids_file = f.ids;
  return write_ids(f.ids, {});  // better now than after an hour
}

result<void> fill(plan& p, const flags& f) {
  if (auto done = take(parse_url(f.url), p.where); done.has_error())
    return done;
  for (auto& done : {take(parse_mode(f.mode, p.where.scheme), p.what),
                     take(parse_duration(f.timeout), p.timeout), take(parse_session_use(f.use), p.use)})
    if (done.has_error())
      return done;
  if (auto done = fill_work(p, f); done.has_error())
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

// What is wrong with the outcome of a run, for a person; empty when it did what was asked.
std::string complaint(const plan& p, const stats& s) {
  const std::string pieces = std::to_string(p.pieces());
  const std::string first = s.first_failure.empty() ? "" : "; the first error: " + s.first_failure;
  const std::string again =
      s.again == 0 ? "" : "; the server was too busy for " + std::to_string(s.again) + " requests";
  const std::string because = (s.ended_early.empty() ? "" : " because " + s.ended_early) + again + first;
  if (p.use == session_use::open && s.sessions < p.count)
    return "only " + std::to_string(s.sessions) + " of " + pieces + " sessions were opened" + because;
  if (p.use == session_use::resume && (s.failed() > 0 || s.requests() < p.pieces()))
    return "only " + std::to_string(s.requests()) + " of " + pieces + " sessions answered" + because;
  if (s.requests() == 0)
    return "no request to " + p.where.authority() + " succeeded" + first;
  return {};
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
  if (!p.ids_file.empty())
    if (auto written = write_ids(p.ids_file, counted->ids.ids()); written.has_error())
      return complain(written.error());
  const auto report = to_json(p, *counted, cpu_seconds());
  std::cout << (f.json ? report.dump(2) + "\n" : to_table(report));
  const std::string wrong = complaint(p, *counted);
  if (wrong.empty())
    return 0;
  std::cerr << "cafmcp-load: " << wrong << "\n";
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
