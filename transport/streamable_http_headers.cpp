#include "transport/streamable_http_headers.hpp"

#include <boost/beast/core/string.hpp>

namespace cafmcp::transport {

namespace {

bool same(std::string_view a, std::string_view b) {
  return boost::beast::iequals({a.data(), a.size()}, {b.data(), b.size()});
}

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t'))
    text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t'))
    text.remove_suffix(1);
  return text;
}

// Calls `f` with each element of all headers of that name, without white space around it; stops at true.
template <class F>
bool any_element(const request& req, std::string_view header, F f) {
  for (const auto& h : req.headers()) {
    if (!same(h.name, header))
      continue;
    for (auto rest = h.value; !rest.empty();) {
      const auto comma = rest.find(',');
      if (f(trimmed(rest.substr(0, comma))))
        return true;
      rest = comma == std::string_view::npos ? std::string_view{} : rest.substr(comma + 1);
    }
  }
  return false;
}

int digit_of(char c) {
  if (c >= '0' && c <= '9')
    return c - '0';
  const auto low = static_cast<char>(c | 0x20);
  return low >= 'a' && low <= 'f' ? low - 'a' + 10 : -1;
}

}  // namespace

bool accepts(const request& req, std::string_view type) {
  const auto slash = type.find('/');
  return any_element(req, "Accept", [&](std::string_view range) {
    range = trimmed(range.substr(0, range.find(';')));
    return same(range, type) || range == "*/*" ||
           (range.ends_with("/*") && same(range.substr(0, range.size() - 2), type.substr(0, slash)));
  });
}

bool is_json(const request& req) {
  const auto value = req[http::field::content_type];
  return req.count(http::field::content_type) == 1 &&
         same(trimmed(value.substr(0, value.find(';'))), "application/json");
}

bool has_token(const request& req, std::string_view header, std::string_view word, bool any_case) {
  return any_element(req, header, [&](std::string_view element) {
    return any_case ? same(element, word) : element == word;
  });
}

std::string query_value(std::string_view query, std::string_view name) {
  while (!query.empty()) {
    const auto end = query.find('&');
    const auto pair = query.substr(0, end);
    query = end == std::string_view::npos ? std::string_view{} : query.substr(end + 1);
    if (!pair.starts_with(name) || pair.size() == name.size() || pair[name.size()] != '=')
      continue;
    const auto text = pair.substr(name.size() + 1);
    std::string out;
    for (std::size_t i = 0; i < text.size(); ++i) {
      const bool escape = text[i] == '%' && i + 2 < text.size();
      const auto high = escape ? digit_of(text[i + 1]) : -1;
      const auto low = escape ? digit_of(text[i + 2]) : -1;
      if (high >= 0 && low >= 0) {
        out += static_cast<char>(high * 16 + low);
        i += 2;
      } else {
        out += text[i];
      }
    }
    return out;
  }
  return {};
}

}  // namespace cafmcp::transport
