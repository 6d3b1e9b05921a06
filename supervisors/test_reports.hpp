#pragma once
// The log of the process while a test runs: read back, or off. Not thread-safe: one at a time.

#include <stdlib.h>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

#include "base/log.hpp"

namespace cafmcp::otp::testing {

using lines = std::vector<nlohmann::json>;

/// The log as JSON lines in a file of its own.
class log_capture {
 public:
  log_capture() {
    std::string pattern = "/tmp/cafmcp-supervisor-XXXXXX";
    dir_ = ::mkdtemp(pattern.data());
    capture(log::level::info);
  }
  ~log_capture() {
    static_cast<void>(log::init({log::level::info, log::format::text, ""}));
    log::shutdown();
    std::filesystem::remove_all(dir_);
  }
  log_capture(const log_capture&) = delete;
  log_capture& operator=(const log_capture&) = delete;

  /// From now on lines of that level and above.
  void capture(log::level l) {
    level_ = l;
    log::init({level_, log::format::json, file()}).value();
  }

  /// What has been written since the last time.
  lines take() {
    log::shutdown();  // writes what is queued
    lines out;
    std::ifstream in(file());
    for (std::string line; std::getline(in, line);)
      out.push_back(nlohmann::json::parse(line));
    std::filesystem::remove(file());
    capture(level_);
    return out;
  }

  /// Those of them that have this value for this key.
  lines take(const char* key, const std::string& value) {
    auto all = take();
    std::erase_if(all, [&](const nlohmann::json& line) { return !line.contains(key) || line[key] != value; });
    return all;
  }

  /// The supervisors' reports among them, as "context child: reason" and, of many, " x3".
  std::vector<std::string> reports() {
    std::vector<std::string> out;
    for (const auto& line : take("msg", "supervisor report")) {
      const auto text = [&](const char* key) { return line.at(key).get<std::string>(); };
      out.push_back(text("context") + ' ' + text("child") + ": " + text("reason"));
      if (line.contains("children"))
        out.back() += " x" + line["children"].dump();
    }
    return out;
  }

 private:
  std::string file() const { return dir_ / "log"; }
  std::filesystem::path dir_;
  log::level level_ = log::level::info;
};

/// No log, where many deaths would make many reports that nobody reads.
struct silence {
  silence() { log::init({log::level::critical, log::format::text, {}}).value(); }
  ~silence() { log::shutdown(); }
  silence(const silence&) = delete;
  silence& operator=(const silence&) = delete;
};

}  // namespace cafmcp::otp::testing
