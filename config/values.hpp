#pragma once
// The small values that configuration is written in: numbers, sizes, durations, addresses. Each has one
// parser and one canonical text, and the parser reads back what the text says. Errors are `errc::invalid`
// with a message that begins with the value and ends with what to write instead. Pure functions: thread-safe.

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.hpp"

namespace cafmcp::config {

using std::chrono::milliseconds;

/// `HOST:PORT`. `host` is a name or a literal address without brackets; port 0 lets the system choose.
struct address {
  std::string host;
  std::uint16_t port = 0;
  bool operator==(const address&) const = default;
};

/// `host:port`, with the brackets that an IPv6 literal needs.
std::string to_string(const address& a);

/// Whether only this machine can reach `a`: 127.0.0.0/8, ::1, localhost.
bool is_loopback(const address& a);

/// Whether `a` is all addresses of a machine, which one can listen on but not connect to: 0.0.0.0, ::.
bool is_wildcard(const address& a);

/// `127.0.0.1:8080`, `[::1]:8080`, `host.example:8080`. Names are not resolved.
result<address> parse_address(std::string_view s);

/// `true` or `false`.
result<bool> parse_boolean(std::string_view s);

/// Decimal digits only.
result<std::uint64_t> parse_count(std::string_view s);

/// Bytes: `65536`, `64KiB`, `4MiB`, `1GiB`.
result<std::uint64_t> parse_size(std::string_view s);

/// `500ms`, `30s`, `5m`, `2h`: one whole number and its unit.
result<milliseconds> parse_duration(std::string_view s);

/// The largest unit that is exact: `4MiB`, `1025`.
std::string format_size(std::uint64_t bytes);

/// The largest unit that is exact: `1h`, `90s`, `1500ms`.
std::string format_duration(milliseconds d);

/// The value as error messages show it: in double quotes, short, harmless on a terminal.
std::string quote(std::string_view s);

}  // namespace cafmcp::config
