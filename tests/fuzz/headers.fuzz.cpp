// Headers: Host and Origin, Accept, Content-Type, lists of tokens, the query, and what is echoed.
// The first line of the input is the target, the others are header lines.
// words: http.dict
#include <algorithm>
#include <boost/asio/ip/address.hpp>
#include <memory>
#include <string>
#include <vector>

#include "tests/fuzz/fuzz.hpp"
#include "transport/origin.hpp"
#include "transport/request_parser.hpp"
#include "transport/streamable_http_headers.hpp"

namespace {

using namespace cafmcp::transport;
using namespace cafmcp::fuzz;

using lines = std::vector<std::string>;

std::string lower(std::string_view text) {
  std::string out(text);
  for (auto& c : out)
    c = c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
  return out;
}

std::string upper(std::string_view text) {
  std::string out(text);
  for (auto& c : out)
    c = c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c;
  return out;
}

lines split(std::string_view text, char at) {
  lines out(1);
  for (const char c : text) {
    if (c == at)
      out.emplace_back();
    else
      out.back() += c;
  }
  return out;
}

/// A request with these header lines; null if it is refused before anyone asks about its headers.
std::unique_ptr<request> make(const std::string& target, const lines& headers) {
  std::string head = "GET " + target + " HTTP/1.1\r\n";
  for (const auto& line : headers)
    head += line + "\r\n";
  head += "\r\n";
  head_scanner scanner;
  if (scanner.scan(head) != head_scanner::state::complete || scanner.size() != head.size())
    return nullptr;
  auto req = std::make_unique<request>();
  request_parser parser(*req);
  return parser.head(head, 1000) == nullptr ? std::move(req) : nullptr;
}

/// A second opinion: whether an authority is a loopback name or address, or `known.example`, with or without
/// a port.
bool is_known(std::string_view authority) {
  auto host = lower(authority);
  const auto bracket = host.rfind(']');
  const auto colon = host.rfind(':');
  if (colon != std::string::npos && (bracket == std::string::npos || colon > bracket)) {
    if (host.find_first_not_of("0123456789", colon + 1) != std::string::npos)
      return false;
    host.resize(colon);
  }
  if (host == "localhost" || host == "known.example")
    return true;
  if (host.starts_with('[') && host.ends_with(']'))
    host = host.substr(1, host.size() - 2);
  boost::system::error_code ec;
  const auto address = asio::ip::make_address(host, ec);
  return !ec && address.is_loopback();
}

bool is_known_origin(std::string_view origin) {
  const auto text = lower(origin);
  if (text == "https://app.example:8443")
    return true;
  for (const std::string_view scheme : {"http://", "https://"})
    if (text.starts_with(scheme))
      return is_known(std::string_view(text).substr(scheme.size()));
  return false;
}

void check_origin(const request& req, std::string_view about) {
  static const origin_check check({"Known.Example"}, {"HTTPS://app.example:8443"});
  static const origin_check all({"*"}, {"*"});
  const bool passes = check.refusal_of(req) == nullptr;
  const auto origins = req.count(http::field::origin);
  if (passes) {
    FUZZ_CHECK(is_known(req.host), about);
    FUZZ_CHECK(origins == 0 || (origins == 1 && is_known_origin(req[http::field::origin])), about);
    FUZZ_CHECK(all.refusal_of(req) == nullptr, about);
  }
  FUZZ_CHECK((all.refusal_of(req) == nullptr) == (origins <= 1), about);
  const auto host = host_of(req.host);
  FUZZ_CHECK(host == host_of(upper(req.host)) && host == lower(host), about);
  FUZZ_CHECK(lower(req.host).find(host) != std::string::npos, about);
}

/// The same, read with another hand: the elements of all Accept headers.
bool expected_accepts(const request& req, const std::string& type) {
  const auto family = type.substr(0, type.find('/')) + "/*";
  for (const auto& h : req.headers()) {
    if (lower(h.name) != "accept")
      continue;
    for (const auto& element : split(h.value, ',')) {
      auto range = lower(split(element, ';')[0]);
      const auto first = range.find_first_not_of(" \t");
      if (first == std::string::npos)
        continue;
      range = range.substr(first, range.find_last_not_of(" \t") - first + 1);
      if (range == type || range == "*/*" || range == family)
        return true;
    }
  }
  return false;
}

void check_lists(const request& req, const std::string& target, const lines& headers,
                 std::string_view about) {
  const lines types{"application/json", "text/event-stream"};
  for (const auto& type : types)
    FUZZ_CHECK(accepts(req, type) == expected_accepts(req, type), about);
  auto more = headers;
  more.emplace_back("aCCept: */*");
  if (const auto wider = make(target, more))
    for (const auto& type : types)
      FUZZ_CHECK(accepts(*wider, type), about);
  const bool has = has_token(req, "Upgrade", "websocket", true);
  FUZZ_CHECK(has || !has_token(req, "Upgrade", "websocket", false), about);
  more.back() = "upgrade:,x ,\tWebSocket\t";
  if (const auto asking = make(target, more))
    FUZZ_CHECK(has_token(*asking, "Upgrade", "websocket", true), about);
  more.back() = "Content-Type: application/json";
  if (const auto typed = make(target, more))
    FUZZ_CHECK(is_json(*typed) == (req.count(http::field::content_type) == 0), about);
  if (is_json(req))
    FUZZ_CHECK(lower(req[http::field::content_type]).starts_with("application/json"), about);
}

std::string percent(std::string_view text) {
  constexpr char hex[] = "0123456789aBcDeF";
  std::string out;
  for (const char c : text) {
    out += '%';
    out += hex[static_cast<unsigned char>(c) >> 4];
    out += hex[static_cast<unsigned char>(c) & 15];
  }
  return out;
}

void check_query(std::string_view query, std::string_view about) {
  constexpr std::string_view name = "mcp-session-id";
  const auto value = query_value(query, name);
  FUZZ_CHECK(value.size() <= query.size(), about);
  // What is encoded comes back, whatever stands around it.
  FUZZ_CHECK(query_value("mcp-session-id=" + percent(about) + "&" + std::string(query), name) == about,
             about);
  const auto later = "x=1&mcp-session-idx=2&" + std::string(query) + "&mcp-session-id=" + percent(about);
  const bool had = ("&" + std::string(query)).find("&mcp-session-id=") != std::string::npos;
  FUZZ_CHECK(query_value(later, name) == (had ? value : std::string(about)), about);
}

// What is echoed can't begin a line of its own.
void check_echo(std::string_view about) {
  response res;
  res.header("X-Echo", about);
  res.fail(404, about.substr(0, 20), about);
  std::string out;
  serialise(res, 11, true, false, out);
  const auto head = out.substr(0, out.find("\r\n\r\n") + 2);
  FUZZ_CHECK(std::count(head.begin(), head.end(), '\n') == 5, about);
  FUZZ_CHECK(std::count(head.begin(), head.end(), '\r') == 5, about);
  const auto strange = [](char c) { return c < 0x20 || c > 0x7e; };
  FUZZ_CHECK(std::none_of(res.body.begin(), res.body.end(), strange), about);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto bytes = text_of(data, size);
  auto headers = split(bytes, '\n');
  const auto target = headers.front();
  headers.erase(headers.begin());
  check_query(target, bytes);
  check_echo(bytes);
  const auto host = host_of(bytes);
  FUZZ_CHECK(host.empty() || lower(bytes).find(host) != std::string::npos, bytes);
  const auto req = make(target, headers);
  if (req == nullptr)
    return 0;
  check_origin(*req, bytes);
  check_lists(*req, target, headers, bytes);
  check_query(req->query, bytes);
  return 0;
}
