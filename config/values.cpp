#include "config/values.hpp"

#include <arpa/inet.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <limits>
#include <optional>

#include "base/log.hpp"

namespace cafmcp::config {

namespace {

struct unit {
  std::string_view name;
  std::uint64_t factor;
};

// From large to small, so that formatting takes the first that divides.
constexpr std::array<unit, 4> size_units{
    {{"GiB", 1ULL << 30U}, {"MiB", 1ULL << 20U}, {"KiB", 1ULL << 10U}, {"", 1}}};
constexpr std::array<unit, 4> duration_units{{{"h", 3'600'000}, {"m", 60'000}, {"s", 1'000}, {"ms", 1}}};

/// The number at the start of `s`, which is moved behind it; empty if there is none or it does not fit.
std::optional<std::uint64_t> take_number(std::string_view& s) {
  std::uint64_t n = 0;
  const auto [end, code] = std::from_chars(s.data(), s.data() + s.size(), n);
  if (code != std::errc{}) {
    return std::nullopt;
  }
  s.remove_prefix(static_cast<std::size_t>(end - s.data()));
  return n;
}

/// A number with one of `units`, as a multiple of the smallest; `max` bounds the product.
template <std::size_t N>
std::optional<std::uint64_t> take_with_unit(std::string_view s, const std::array<unit, N>& units,
                                            std::uint64_t max) {
  const auto n = take_number(s);
  const auto* u = std::find_if(units.begin(), units.end(), [&](const unit& x) { return x.name == s; });
  if (!n || u == units.end() || *n > max / u->factor) {
    return std::nullopt;
  }
  return *n * u->factor;
}

template <std::size_t N>
std::string format_with_unit(std::uint64_t n, const std::array<unit, N>& units) {
  const auto* u = std::find_if(units.begin(), units.end(), [&](const unit& x) { return n % x.factor == 0; });
  return fmt::format("{}{}", n / u->factor, u->name);
}

bool is_ipv6(const std::string& host) {
  in6_addr a{};
  return ::inet_pton(AF_INET6, host.c_str(), &a) == 1;
}

bool is_ipv4(const std::string& host) {
  in_addr a{};
  return ::inet_pton(AF_INET, host.c_str(), &a) == 1;
}

bool is_host_name(std::string_view s) {
  const auto fits = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '_' || c == '.';
  };
  return !s.empty() && s.size() <= 253 && s[0] != '.' && s[0] != '-' && std::all_of(s.begin(), s.end(), fits);
}

/// Digits and dots alone must be an IPv4 address: `1.2.3` or `300.1.1.1` is a slip, not a name.
bool is_host(const std::string& s) {
  return s.find_first_not_of("0123456789.") == std::string::npos ? is_ipv4(s) : is_host_name(s);
}

}  // namespace

std::string quote(std::string_view s) {
  return '"' + log::printable(s, 80) + '"';
}

std::string to_string(const address& a) {
  const bool v6 = a.host.find(':') != std::string::npos;
  return v6 ? fmt::format("[{}]:{}", a.host, a.port) : fmt::format("{}:{}", a.host, a.port);
}

bool is_loopback(const address& a) {
  in6_addr v6{};
  if (::inet_pton(AF_INET6, a.host.c_str(), &v6) == 1) {
    return IN6_IS_ADDR_LOOPBACK(&v6);
  }
  return a.host == "localhost" || (is_ipv4(a.host) && a.host.rfind("127.", 0) == 0);
}

bool is_wildcard(const address& a) {
  in6_addr v6{};
  if (::inet_pton(AF_INET6, a.host.c_str(), &v6) == 1) {
    return IN6_IS_ADDR_UNSPECIFIED(&v6);
  }
  in_addr v4{};
  return ::inet_pton(AF_INET, a.host.c_str(), &v4) == 1 && v4.s_addr == INADDR_ANY;
}

result<address> parse_address(std::string_view s) {
  const auto wrong = [&](std::string_view what) {
    return fail(errc::invalid, fmt::format("{} {}", quote(s), what));
  };
  const auto colon = s.rfind(':');
  if (colon == std::string_view::npos || s.back() == ']') {
    return wrong("has no port; write HOST:PORT, for instance 127.0.0.1:8080");
  }
  auto host = s.substr(0, colon);
  auto port_text = s.substr(colon + 1);
  const bool brackets = host.size() > 2 && host.front() == '[' && host.back() == ']';
  address a{std::string(brackets ? host.substr(1, host.size() - 2) : host), 0};
  if (a.host.empty()) {
    return wrong("has no host; write 127.0.0.1:PORT, or 0.0.0.0:PORT for all interfaces");
  }
  if (!brackets && a.host.find(':') != std::string::npos) {
    return wrong("is not HOST:PORT; an IPv6 address needs brackets, for instance [::1]:8080");
  }
  if (brackets ? !is_ipv6(a.host) : !is_host(a.host)) {
    return wrong(
        "does not begin with a host name or an address; write HOST:PORT, for instance 127.0.0.1:8080");
  }
  const auto port = take_number(port_text);
  if (!port || !port_text.empty() || *port > 65535) {
    return wrong("does not end with a port between 0 and 65535");
  }
  a.port = static_cast<std::uint16_t>(*port);
  return a;
}

result<bool> parse_boolean(std::string_view s) {
  if (s != "true" && s != "false") {
    return fail(errc::invalid, quote(s) + " is neither true nor false");
  }
  return s == "true";
}

result<std::uint64_t> parse_count(std::string_view s) {
  auto rest = s;
  const auto n = take_number(rest);
  if (!n || !rest.empty()) {
    return fail(errc::invalid, quote(s) + " is not a whole number; write digits only");
  }
  return *n;
}

result<std::uint64_t> parse_size(std::string_view s) {
  const auto n = take_with_unit(s, size_units, std::numeric_limits<std::uint64_t>::max());
  if (!n) {
    return fail(errc::invalid,
                quote(s) + " is not a size; write bytes or a unit, for instance 65536, 64KiB or 4MiB");
  }
  return *n;
}

result<milliseconds> parse_duration(std::string_view s) {
  const auto n = take_with_unit(s, duration_units, std::numeric_limits<milliseconds::rep>::max());
  if (!n) {
    return fail(errc::invalid,
                quote(s) +
                    " is not a duration; write a whole number and its unit, for instance 500ms, "
                    "30s, 5m or 2h");
  }
  return milliseconds{static_cast<milliseconds::rep>(*n)};
}

std::string format_size(std::uint64_t bytes) {
  return bytes == 0 ? "0" : format_with_unit(bytes, size_units);
}

std::string format_duration(milliseconds d) {
  return d.count() == 0 ? "0s" : format_with_unit(static_cast<std::uint64_t>(d.count()), duration_units);
}

}  // namespace cafmcp::config
