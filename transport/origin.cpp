#include "transport/origin.hpp"

#include <algorithm>
#include <boost/asio/ip/address.hpp>

namespace cafmcp::transport {

namespace {

std::string lower(std::string_view text) {
  std::string out{text};
  for (auto& c : out)
    if (c >= 'A' && c <= 'Z')
      c = static_cast<char>(c - 'A' + 'a');
  return out;
}

bool only(std::string_view text, bool (*good)(char)) {
  return std::all_of(text.begin(), text.end(), good);
}

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

// Of a name or an IPv4 address in lower case.
bool is_name_char(char c) {
  return is_digit(c) || (c >= 'a' && c <= 'z') || c == '.' || c == '-' || c == '_';
}

bool is_v6_char(char c) {
  return is_digit(c) || (c >= 'a' && c <= 'f') || c == ':' || c == '.';
}

bool contains(const std::vector<std::string>& list, const std::string& text) {
  return std::find(list.begin(), list.end(), text) != list.end();
}

}  // namespace

std::string host_of(std::string_view authority) {
  const auto text = lower(authority);
  if (text.starts_with('[')) {
    const auto end = text.find(']');
    if (end == std::string::npos)
      return {};
    const auto port = std::string_view{text}.substr(end + 1);
    const auto host = text.substr(1, end - 1);
    const bool good = only(host, is_v6_char) && (port.empty() || port[0] == ':') &&
                      (port.empty() || only(port.substr(1), is_digit));
    return good ? host : std::string{};
  }
  const auto colon = std::min(text.find(':'), text.size());
  const auto host = text.substr(0, colon);
  const auto port = std::string_view{text}.substr(std::min(colon + 1, text.size()));
  return only(host, is_name_char) && only(port, is_digit) ? host : std::string{};
}

origin_check::origin_check(const std::vector<std::string>& hosts, const std::vector<std::string>& origins)
    : any_host_(contains(hosts, "*")), any_origin_(contains(origins, "*")) {
  for (const auto& h : hosts)
    hosts_.push_back(lower(h));
  for (const auto& o : origins)
    origins_.push_back(lower(o));
}

bool origin_check::knows(const std::string& host) const {
  if (host.empty())
    return false;
  if (host == "localhost" || contains(hosts_, host))
    return true;
  boost::system::error_code ec;
  const auto address = asio::ip::make_address(host, ec);
  return !ec && address.is_loopback();
}

bool origin_check::admits(std::string_view origin) const {
  if (any_origin_ || contains(origins_, lower(origin)))
    return true;
  for (const std::string_view scheme : {"http://", "https://"})
    if (lower(origin.substr(0, scheme.size())) == scheme)
      return knows(host_of(origin.substr(scheme.size())));
  return false;
}

const char* origin_check::refusal_of(const request& req) const {
  if (!any_host_ && !knows(host_of(req.host)))
    return "Forbidden: this Host is not known here; use one of the server's names, or add it to the allowed "
           "hosts";
  const auto origins = req.count(http::field::origin);
  if (origins > 1 || (origins == 1 && !admits(req[http::field::origin])))
    return "Forbidden: this Origin may not call this server; add it to the allowed origins";
  return nullptr;
}

}  // namespace cafmcp::transport
