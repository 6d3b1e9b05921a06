#include "bench/url.hpp"

#include <algorithm>
#include <charconv>

namespace cafmcp::bench {

namespace {

using std::string_view;

error invalid(string_view kind, string_view text, string_view why) {
  return fail(errc::invalid, std::string{kind} + " '" + std::string{text} + "': " + std::string{why});
}

// Whole text to number; anything left over is an error.
template <class T>
bool number(string_view text, T& out) {
  const auto [end, ec] = std::from_chars(text.data(), text.data() + text.size(), out);
  return ec == std::errc{} && end == text.data() + text.size();
}

}  // namespace

std::string url::authority() const {
  const bool ipv6 = host.find(':') != std::string::npos;
  return (ipv6 ? "[" + host + "]" : host) + ":" + std::to_string(port);
}

result<url> parse_url(string_view text) {
  url out;
  const auto colon = text.find("://");
  if (colon == string_view::npos)
    return invalid("URL", text, "must begin with http:// or ws://");
  out.scheme = text.substr(0, colon);
  if (out.scheme == "https" || out.scheme == "wss")
    return invalid("URL", text, "TLS is not supported, use http:// or ws://");
  if (out.scheme != "http" && out.scheme != "ws")
    return invalid("URL", text, "the scheme must be http or ws");
  // A space or a control character would end up in the request line.
  if (std::any_of(text.begin(), text.end(), [](unsigned char c) { return c <= ' ' || c >= 0x7f; }))
    return invalid("URL", text, "holds a space, a control or a non-ASCII character");

  string_view rest = text.substr(colon + 3);
  const auto slash = rest.find_first_of("/?#");
  if (slash != string_view::npos) {
    const string_view path = rest.substr(slash, rest.find('#') - slash);
    out.path = path.starts_with('/') ? std::string{path} : "/" + std::string{path};
    rest = rest.substr(0, slash);
  }
  if (rest.find('@') != string_view::npos)
    return invalid("URL", text, "user names are not supported");

  string_view port;
  if (rest.starts_with('[')) {
    const auto close = rest.find(']');
    if (close == string_view::npos || (close + 1 < rest.size() && rest[close + 1] != ':'))
      return invalid("URL", text, "malformed IPv6 address");
    out.host = rest.substr(1, close - 1);
    port = rest.substr(close + 1);
  } else {
    const auto separator = std::min(rest.find(':'), rest.size());
    out.host = rest.substr(0, separator);
    port = rest.substr(separator);
  }
  if (out.host.empty())
    return invalid("URL", text, "has no host");
  if (!port.empty() && (!number(port.substr(1), out.port) || out.port == 0))
    return invalid("URL", text, "the port must be 1 to 65535");
  return out;
}

result<std::chrono::nanoseconds> parse_duration(string_view text) {
  const auto unit_at = std::min(text.find_first_not_of("0123456789."), text.size());
  const string_view unit = text.substr(unit_at);
  double seconds = 0;
  if (!number(text.substr(0, unit_at), seconds))
    return invalid("duration", text, "must be a number with a unit, such as 500ms, 5s, 2m or 1h");
  if (unit == "ms")
    seconds /= 1000;
  else if (unit == "m")
    seconds *= 60;
  else if (unit == "h")
    seconds *= 3600;
  else if (unit != "s")
    return invalid("duration", text, "the unit must be ms, s, m or h");
  if (!(seconds <= 3600))
    return invalid("duration", text, "is longer than 1h");
  return std::chrono::nanoseconds{static_cast<std::int64_t>(seconds * 1e9)};
}

}  // namespace cafmcp::bench
