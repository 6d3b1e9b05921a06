#include "bench/plan.hpp"

#include <algorithm>
#include <boost/beast/core/string.hpp>

namespace cafmcp::bench {

const char* const default_body =
    R"({"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"echo","arguments":)"
    R"({"message":"The quick brown fox jumps over the lazy dog, again."}}})";

namespace {

result<void> in_range(const char* name, std::uint64_t value, std::uint64_t lowest, std::uint64_t highest) {
  if (value >= lowest && value <= highest)
    return {};
  return fail(errc::invalid, std::string{name} + " is " + std::to_string(value) + ", must be " +
                                 std::to_string(lowest) + " to " + std::to_string(highest));
}

std::string http_request(const plan& p) {
  std::vector<std::pair<std::string, std::string>> fields{{"Host", p.where.authority()},
                                                          {"Accept", "application/json, text/event-stream"}};
  const bool post = p.what == mode::http_post;
  if (post)
    fields.insert(fields.end(),
                  {{"Content-Type", "application/json"}, {"Content-Length", std::to_string(p.body.size())}});
  for (const auto& added : p.headers) {
    std::erase_if(fields, [&](const auto& field) { return beast::iequals(field.first, added.first); });
    fields.push_back(added);
  }
  std::string out = (post ? "POST " : "GET ") + p.where.path + " HTTP/1.1\r\n";
  for (const auto& [name, value] : fields)
    out += name + ": " + value + "\r\n";
  out += "\r\n";
  return post ? out + p.body : out;
}

result<tcp::endpoint> resolve(const url& where) {
  asio::io_context context;
  tcp::resolver resolver{context};
  error_code ec;
  const auto found = resolver.resolve(where.host, std::to_string(where.port), ec);
  if (ec || found.empty())
    return fail(errc::unavailable, "cannot resolve host '" + where.host + "': " + ec.message());
  // IPv4 first: what a server given as localhost most likely listens on.
  auto best =
      std::find_if(found.begin(), found.end(), [](const auto& e) { return e.endpoint().address().is_v4(); });
  const tcp::endpoint address = best == found.end() ? found.begin()->endpoint() : best->endpoint();
  if (!address.address().is_loopback())
    return fail(errc::invalid, "host '" + where.host + "' is " + address.address().to_string() +
                                   ": only this machine's loopback addresses may be put under load");
  return address;
}

}  // namespace

result<mode> parse_mode(const std::string& text, const std::string& scheme) {
  if (text == "http-get")
    return mode::http_get;
  if (text == "http-post")
    return mode::http_post;
  if (text == "ws-echo")
    return mode::ws_echo;
  if (text.empty())
    return scheme == "ws" ? mode::ws_echo : mode::http_post;
  return fail(errc::invalid, "mode '" + text + "': must be http-get, http-post or ws-echo");
}

result<std::pair<std::string, std::string>> parse_header(const std::string& text) {
  const auto colon = text.find(':');
  const auto printable = [](unsigned char c) { return c >= ' ' && c != 0x7f; };
  const auto token = [](unsigned char c) {
    return std::isalnum(c) != 0 ||
           std::string_view{"!#$%&'*+-.^_`|~"}.find(static_cast<char>(c)) != std::string_view::npos;
  };
  if (colon == std::string::npos || colon == 0 || !std::all_of(text.begin(), text.end(), printable) ||
      !std::all_of(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(colon), token))
    return fail(errc::invalid, "header '" + text + "': must be 'Name: value'");
  const auto value = std::min(text.find_first_not_of(' ', colon + 1), text.size());
  return std::pair{text.substr(0, colon), text.substr(value)};
}

result<void> complete(plan& p) {
  for (const auto& checked :
       {in_range("connections", p.connections, 1, max_connections),
        in_range("threads", p.threads, 1, max_threads), in_range("pipeline", p.pipeline, 1, max_pipeline),
        in_range("body bytes", p.body.size(), 0, max_body_bytes)})
    if (checked.has_error())
      return checked.error();
  if ((p.what == mode::ws_echo) != (p.where.scheme == "ws"))
    return fail(errc::invalid,
                "mode and URL do not fit: ws-echo takes ws://, http-get and http-post take http://");
  if (p.duration <= std::chrono::nanoseconds{0})
    return fail(errc::invalid, "duration must be longer than 0s");
  if (p.pipeline > 1 && p.what != mode::ws_echo)
    return fail(errc::invalid, "pipeline above 1 is for ws-echo only");
  auto address = resolve(p.where);
  if (address.has_error())
    return address.error();
  p.address = *address;
  p.threads = std::min(p.threads, p.connections);
  p.request = http_request(p);
  return {};
}

}  // namespace cafmcp::bench
