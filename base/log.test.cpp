#define CAF_SUITE log

#include "base/log.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <limits>
#include <nlohmann/json.hpp>
#include <sstream>
#include <thread>
#include <vector>

#include "tests/unit/caf_test.hpp"

namespace cafmcp {

using log::format;
using log::level;

namespace {

// 2026-11-23T14:00:00.123Z
const std::chrono::system_clock::time_point noon{std::chrono::milliseconds{1795442400123}};

std::string text(std::string_view msg, log::fields fs) {
  return log::render(format::text, false, noon, level::info, "base", msg, fs);
}

nlohmann::json json(std::string_view msg, log::fields fs) {
  return nlohmann::json::parse(log::render(format::json, true, noon, level::warn, "base", msg, fs));
}

/// A directory that goes with the test, and the logging state put back to what it was.
struct fixture {
  fixture() {
    std::string pattern = "/tmp/cafmcp-log-XXXXXX";
    dir = ::mkdtemp(pattern.data());
  }
  ~fixture() {
    static_cast<void>(log::init({level::info, format::text, ""}));
    log::shutdown();
    std::filesystem::remove_all(dir);
  }
  std::string path(const char* name) const { return dir / name; }
  static std::vector<std::string> lines(const std::string& file) {
    std::vector<std::string> out;
    std::ifstream in(file);
    for (std::string line; std::getline(in, line);) {
      out.push_back(line);
    }
    return out;
  }
  std::filesystem::path dir;
};

/// What `f` writes to standard error.
template <class F>
std::string stderr_of(const fixture& fix, F f) {
  const auto file = fix.path("stderr");
  const int saved = ::dup(STDERR_FILENO);
  const int fd = ::open(file.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600);
  ::dup2(fd, STDERR_FILENO);
  f();
  ::dup2(saved, STDERR_FILENO);
  ::close(fd);
  ::close(saved);
  std::ostringstream all;
  all << std::ifstream(file).rdbuf();
  return all.str();
}

bool ends_with(const std::string& s, std::string_view tail) {
  return s.size() >= tail.size() && s.compare(s.size() - tail.size(), tail.size(), tail) == 0;
}

}  // namespace

CAF_TEST(text has time level logger message and fields) {
  const std::string path = "cafmcp/x";
  CAF_CHECK_EQUAL(text("child restarted", {{"supervisor", path}, {"child", "y"}}),
                  "2026-11-23T14:00:00.123Z INFO  base child restarted supervisor=cafmcp/x child=y");
  CAF_CHECK_EQUAL(
      text("n", {{"i", -3}, {"u", 7U}, {"z", std::size_t{8}}, {"d", 0.5}, {"b", true}, {"e", ""}}),
      "2026-11-23T14:00:00.123Z INFO  base n i=-3 u=7 z=8 d=0.5 b=true e=\"\"");
}

CAF_TEST(times before 1970 and at the second are right) {
  using namespace std::chrono;
  const auto at = [](long ms) {
    const auto when = system_clock::time_point{milliseconds{ms}};
    return log::render(format::text, false, when, level::error, "l", "m", {}).substr(0, 30);
  };
  CAF_CHECK_EQUAL(at(-1), "1969-12-31T23:59:59.999Z ERROR");
  CAF_CHECK_EQUAL(at(0), "1970-01-01T00:00:00.000Z ERROR");
  CAF_CHECK_EQUAL(at(1709164800000), "2024-02-29T00:00:00.000Z ERROR");
}

CAF_TEST(hostile text neither forges lines nor reaches the terminal) {
  CAF_CHECK(ends_with(text("a\nb", {{"k", "x\n2026 INFO forged"}}), " a\\nb k=\"x\\n2026 INFO forged\""));
  CAF_CHECK(ends_with(text("m", {{"k", "\x1b[31m\x7f"}}), " m k=\"\\x1b[31m\\x7f\""));
  CAF_CHECK(ends_with(text("m", {{"k", "v other=1"}}), " m k=\"v other=1\""));
  CAF_CHECK(ends_with(text("m", {{"k", "say \"hi\" c:\\d"}}), " m k=\"say \\\"hi\\\" c:\\\\d\""));
  CAF_CHECK(ends_with(text("m", {{"k=1 l", "v"}}), " m \"k=1 l\"=v"));
  CAF_CHECK_EQUAL(log::printable("grün \xe2\x82\xac"), "grün \xe2\x82\xac");
  CAF_CHECK_EQUAL(log::printable("\xc2\x9b"
                                 "31m"),
                  "\\u009b31m");                                                // C1: the 8-bit CSI
  CAF_CHECK_EQUAL(log::printable("\x9b\xff\xc0\xaf"), "\\x9b\\xff\\xc0\\xaf");  // not UTF-8; overlong
  CAF_CHECK_EQUAL(log::printable("\xed\xa0\x80"), "\\xed\\xa0\\x80");           // a surrogate
  CAF_CHECK_EQUAL(log::printable("\xe2\x80\xae"
                                 "gpj.exe"),
                  "\\u202egpj.exe");
  CAF_CHECK_EQUAL(log::printable("\xf0\x9f"), "\\xf0\\x9f");
}

CAF_TEST(json keeps types and survives invalid UTF - 8) {
  const auto line = json("a\nb", {{"s", "\xff\x1b"},
                                  {"i", std::numeric_limits<std::int64_t>::min()},
                                  {"u", std::numeric_limits<std::uint64_t>::max()},
                                  {"b", false},
                                  {"d", 1.5}});
  CAF_CHECK_EQUAL(line["ts"].get<std::string>(), "2026-11-23T14:00:00.123Z");
  CAF_CHECK_EQUAL(line["level"].get<std::string>(), "warn");
  CAF_CHECK_EQUAL(line["logger"].get<std::string>(), "base");
  CAF_CHECK_EQUAL(line["msg"].get<std::string>(), "a\nb");
  CAF_CHECK_EQUAL(line["s"].get<std::string>(), "\xef\xbf\xbd\x1b");
  CAF_CHECK_EQUAL(line["i"].get<std::int64_t>(), std::numeric_limits<std::int64_t>::min());
  CAF_CHECK_EQUAL(line["u"].get<std::uint64_t>(), std::numeric_limits<std::uint64_t>::max());
  CAF_CHECK(line["b"].is_boolean());
  CAF_CHECK_EQUAL(line["d"].get<double>(), 1.5);
  const auto raw = log::render(format::json, true, noon, level::info, "b", "x\ny\x1b\xc2\x9b", {});
  CAF_CHECK(raw.find_first_of("\n\x1b\x9b") == std::string::npos);
}

CAF_TEST(json fields never replace parts of the line) {
  const auto line = json("m", {{"msg", "forged"}, {"level", "trace"}, {"k", 1}, {"k", 2}});
  CAF_CHECK_EQUAL(line["msg"].get<std::string>(), "m");
  CAF_CHECK_EQUAL(line["level"].get<std::string>(), "warn");
  CAF_CHECK_EQUAL(line["msg_"].get<std::string>(), "forged");
  CAF_CHECK_EQUAL(line["k"].get<int>(), 1);
  CAF_CHECK_EQUAL(line["k_"].get<int>(), 2);
}

CAF_TEST(long values are cut between characters) {
  const std::string a(log::max_value_bytes, 'a');
  CAF_CHECK(ends_with(text("m", {{"k", a}}), "k=" + a));
  CAF_CHECK(ends_with(text("m", {{"k", a + "b"}}), "k=" + a + "..."));
  CAF_CHECK_EQUAL(json(a + "b", {})["msg"].get<std::string>(), a + "...");
  CAF_CHECK_EQUAL(log::printable("ab\xe2\x82\xac", 4), "ab...");
}

CAF_TEST(colours mark the level and nothing else) {
  CAF_CHECK_EQUAL(log::render(format::text, true, noon, level::warn, "base", "m", {{"k", "v"}}),
                  "2026-11-23T14:00:00.123Z \x1b[33mWARN \x1b[0m base m k=v");
}

CAF_TEST_FIXTURE_SCOPE(log_state, fixture)

CAF_TEST(a logger writes to standard error before init and after shutdown) {
  auto& logger = log::get("base");
  CAF_CHECK_EQUAL(&logger, &log::get("base"));
  CAF_CHECK_NOT_EQUAL(&logger, &log::get("other"));
  const auto line = [&] { logger.info("hello", {{"k", 1}}); };
  CAF_CHECK(ends_with(stderr_of(*this, line), "Z INFO  base hello k=1\n"));
  CAF_CHECK(static_cast<bool>(log::init({level::info, format::text, path("log")})));
  CAF_CHECK_EQUAL(stderr_of(*this, line), "");
  log::shutdown();
  CAF_CHECK(ends_with(stderr_of(*this, line), "Z INFO  base hello k=1\n"));
  CAF_CHECK_EQUAL(lines(path("log")).size(), 1U);
}

CAF_TEST(the level decides and can be changed) {
  auto& logger = log::get("base");
  static_cast<void>(log::init({level::warn, format::json, path("log")}));
  CAF_CHECK(!logger.enabled(level::info));
  logger.info("1");
  logger.warn("2");
  static_cast<void>(log::init({level::trace, format::json, path("log")}));
  logger.trace("3");
  log::shutdown();
  const auto got = lines(path("log"));
  CAF_REQUIRE_EQUAL(got.size(), 2U);
  CAF_CHECK_EQUAL(nlohmann::json::parse(got[0])["msg"].get<std::string>(), "2");
  CAF_CHECK_EQUAL(nlohmann::json::parse(got[1])["msg"].get<std::string>(), "3");
}

CAF_TEST(init opens the file anew after a rotation) {
  auto& logger = log::get("base");
  const log::options opts{level::info, format::text, path("log")};
  static_cast<void>(log::init(opts));
  logger.critical("old");  // waits until it is out
  CAF_CHECK_EQUAL(lines(path("log")).size(), 1U);
  std::filesystem::rename(path("log"), path("log.1"));
  static_cast<void>(log::init(opts));
  logger.critical("new");
  CAF_CHECK_EQUAL(lines(path("log")).size(), 1U);
  CAF_CHECK_EQUAL(lines(path("log.1")).size(), 1U);
}

CAF_TEST(a file that cannot be opened is an error and changes nothing) {
  static_cast<void>(log::init({level::info, format::text, path("log")}));
  const auto r = log::init({level::error, format::json, path("no/such/dir/log")});
  CAF_REQUIRE(!r);
  CAF_CHECK(r.error().code == errc::io);
  CAF_CHECK(r.error().message.find("no/such/dir/log") != std::string::npos);
  log::get("base").critical("still here");
  CAF_CHECK_EQUAL(lines(path("log")).size(), 1U);
  CAF_CHECK(log::get("base").enabled(level::info));
}

CAF_TEST(shutdown writes all that is queued as whole lines of many threads) {
  static_cast<void>(log::init({level::info, format::json, path("log")}));
  const auto before = log::dropped();
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([t] {
      for (int i = 0; i < 1000; ++i) {
        log::get("base").info("line", {{"thread", t}, {"i", i}});
      }
    });
  }
  for (auto& t : threads) {
    t.join();
  }
  log::shutdown();
  std::vector<int> next(4);
  for (const auto& line : lines(path("log"))) {
    const auto j = nlohmann::json::parse(line);
    CAF_REQUIRE_EQUAL(j["i"].get<int>(), next.at(j["thread"].get<std::size_t>())++);
  }
  CAF_CHECK_EQUAL(next[0] + next[1] + next[2] + next[3], 4000);
  CAF_CHECK_EQUAL(log::dropped(), before);
}

CAF_TEST(a reader that stands still costs the oldest lines and blocks nobody) {
  CAF_REQUIRE_EQUAL(::mkfifo(path("fifo").c_str(), 0600), 0);
  const int reader = ::open(path("fifo").c_str(), O_RDONLY | O_NONBLOCK);
  CAF_REQUIRE(static_cast<bool>(log::init({level::info, format::text, path("fifo")})));
  const auto before = log::dropped();
  constexpr int count = 30000;  // the pipe takes about 1500, the queue 8192
  for (int i = 0; i < count; ++i) {
    log::get("base").info("line", {{"i", i}});
  }
  const auto lost = static_cast<int>(log::dropped() - before);
  CAF_CHECK(lost > count / 2);
  const auto last = " i=" + std::to_string(count - 1) + "\n";
  std::string all;
  pollfd p{reader, POLLIN, 0};
  while (!ends_with(all, last) && ::poll(&p, 1, 30000) > 0) {
    char buffer[65536];
    const auto n = ::read(reader, buffer, sizeof buffer);
    all.append(buffer, n > 0 ? static_cast<std::size_t>(n) : 0);
  }
  log::shutdown();
  ::close(reader);
  CAF_CHECK(ends_with(all, last));
  CAF_CHECK_EQUAL(static_cast<int>(std::count(all.begin(), all.end(), '\n')), count - lost);
  CAF_CHECK(all.find(" i=0\n") != std::string::npos);
}

CAF_TEST(shutdown gives up on a reader that never reads) {
  CAF_REQUIRE_EQUAL(::mkfifo(path("fifo").c_str(), 0600), 0);
  const int reader = ::open(path("fifo").c_str(), O_RDONLY | O_NONBLOCK);
  CAF_REQUIRE(static_cast<bool>(log::init({level::info, format::text, path("fifo")})));
  const auto before = log::dropped();
  for (int i = 0; i < 9000; ++i) {
    log::get("base").info("line", {{"i", i}});
  }
  const auto start = std::chrono::steady_clock::now();
  log::shutdown();
  CAF_CHECK(std::chrono::steady_clock::now() - start < std::chrono::seconds(20));
  CAF_CHECK(log::dropped() - before > 5000);
  ::close(reader);
}

CAF_TEST(a reader that went away does not kill the process) {
  CAF_REQUIRE_EQUAL(::mkfifo(path("fifo").c_str(), 0600), 0);
  const int reader = ::open(path("fifo").c_str(), O_RDONLY | O_NONBLOCK);
  CAF_REQUIRE(static_cast<bool>(log::init({level::info, format::text, path("fifo")})));
  ::close(reader);
  const auto before = log::dropped();
  log::get("base").critical("into the void");
  CAF_CHECK_EQUAL(log::dropped(), before + 1);
}

CAF_TEST(init and shutdown can be repeated while others log) {
  std::atomic<bool> stop{false};
  std::thread other([&] {
    while (!stop) {
      log::get("base").info("x");
      log::get("base").debug("y");
    }
  });
  static_cast<void>(stderr_of(*this, [&] {
    for (int i = 0; i < 1000; ++i) {
      CAF_REQUIRE(static_cast<bool>(log::init({level::info, format::text, path(i % 2 == 0 ? "a" : "b")})));
      if (i % 3 == 0) {
        log::shutdown();
      }
    }
    stop = true;
    other.join();
    CAF_REQUIRE(static_cast<bool>(log::init({level::info, format::text, path("last")})));
    log::get("base").info("still working");
    log::shutdown();
  }));
  CAF_CHECK_EQUAL(lines(path("last")).size(), 1U);
}

CAF_TEST(a forked child logs to standard error and exits cleanly) {
  static_cast<void>(log::init({level::info, format::text, path("log")}));
  const auto err = stderr_of(*this, [] {
    const auto child = ::fork();
    if (child == 0) {
      log::get("base").critical("in the child");
      log::shutdown();
      ::_exit(7);
    }
    int status = 0;
    ::waitpid(child, &status, 0);
    CAF_CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 7);
  });
  CAF_CHECK(ends_with(err, "base in the child\n"));
  log::get("base").critical("in the parent");
  CAF_CHECK_EQUAL(lines(path("log")).size(), 1U);
}

CAF_TEST_FIXTURE_SCOPE_END()

}  // namespace cafmcp
