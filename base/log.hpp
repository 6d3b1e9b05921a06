#pragma once
// Structured logging: a message that stays the same, and fields that vary. Each folder has one named logger;
// a line is put together by the caller (so that fields may point to temporaries) and written by one
// background thread of spdlog, behind a bounded queue. A caller never waits for the reader of the log: when
// the queue is full the oldest line goes, counted by `dropped()`. Before `init()`, after `shutdown()` and in
// a forked child lines go straight to standard error, each with at most a second's patience. Thread-safe
// throughout; nothing here throws, unless memory ends.

#include <atomic>
#include <chrono>
#include <concepts>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <variant>

#include "base/result.hpp"

namespace cafmcp::log {

/// How grave a line is, in rising order.
enum class level : unsigned char { trace, debug, info, warn, error, critical };

/// How a line looks: `key=value` text, or one JSON object.
enum class format : unsigned char { text, json };

/// What `init` needs to know.
struct options {
  log::level level = log::level::info;
  log::format format = log::format::text;
  std::string file;  ///< appended to, created with mode 0640; empty: standard error
};

/// Lines that may wait for the background thread.
inline constexpr std::size_t queue_lines = 8192;
/// Longest message or field value in bytes; the rest is cut off and marked with `...`.
inline constexpr std::size_t max_value_bytes = 4096;

/// One `key=value` of a line. Holds views: for the full expression of the call only.
struct field {
  using value_type = std::variant<std::string_view, std::int64_t, std::uint64_t, double, bool>;

  template <class T>
  field(std::string_view k, const T& v) : key(k), value(to_value(v)) {}

  std::string_view key;
  value_type value;

 private:
  template <class T>
  static value_type to_value(const T& v) {
    if constexpr (std::same_as<T, bool>) {
      return v;
    } else if constexpr (std::floating_point<T>) {
      return static_cast<double>(v);
    } else if constexpr (std::signed_integral<T>) {
      return static_cast<std::int64_t>(v);
    } else if constexpr (std::unsigned_integral<T>) {
      return static_cast<std::uint64_t>(v);
    } else {
      return std::string_view(v);
    }
  }
};

using fields = std::initializer_list<field>;

namespace detail {
extern constinit std::atomic<level> threshold;
}  // namespace detail

/// A named source of lines; `get` hands them out and they live as long as the process.
class logger {
 public:
  explicit logger(std::string name) : name_(std::move(name)) {}
  logger(const logger&) = delete;
  logger& operator=(const logger&) = delete;

  /// Whether lines of level `l` are written at all: one relaxed atomic load.
  bool enabled(level l) const noexcept { return l >= detail::threshold.load(std::memory_order_relaxed); }

  void trace(std::string_view msg, fields fs = {}) noexcept { log(level::trace, msg, fs); }
  void debug(std::string_view msg, fields fs = {}) noexcept { log(level::debug, msg, fs); }
  void info(std::string_view msg, fields fs = {}) noexcept { log(level::info, msg, fs); }
  void warn(std::string_view msg, fields fs = {}) noexcept { log(level::warn, msg, fs); }
  void error(std::string_view msg, fields fs = {}) noexcept { log(level::error, msg, fs); }
  void critical(std::string_view msg, fields fs = {}) noexcept { log(level::critical, msg, fs); }

  /// Writes a line of level `l`. `critical` returns when the line is out, or after a second at most, since
  /// what follows it is often the end of the process; all others return at once.
  void log(level l, std::string_view msg, fields fs = {}) noexcept {
    if (enabled(l)) {
      write(l, msg, fs);
    }
  }

 private:
  void write(level l, std::string_view msg, fields fs) noexcept;

  const std::string name_;
};

/// The logger of a folder. The reference stays valid for good; take it once, not between fork and exec.
logger& get(std::string_view name);

/// Starts the background thread, or, if it runs, takes over the new options: level, format, and the file
/// opened anew (what SIGHUP needs after a rotation). On an error (`io`, `unavailable`) everything stays as it
/// was.
result<void> init(const options& opts);

/// Writes what is queued (giving up after a second without a reader) and ends the background thread. Also
/// runs at exit.
void shutdown() noexcept;

/// Lines lost since the start of the process: overrun in the queue, or refused by the file.
std::uint64_t dropped() noexcept;

/// `s` for a terminal or a log: control characters, bytes that are not UTF-8 and characters that reorder text
/// become escapes such as `\n` and `\x1b`, a backslash is doubled, and what is longer than `max_bytes` is
/// cut.
std::string printable(std::string_view s, std::size_t max_bytes = max_value_bytes);

/// The line itself, without its end: a pure function, for tests and for whoever shows lines elsewhere.
std::string render(format f, bool colours, std::chrono::system_clock::time_point when, level l,
                   std::string_view name, std::string_view msg, fields fs);

}  // namespace cafmcp::log
