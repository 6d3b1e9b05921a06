#include "transport/http.hpp"

#include <algorithm>
#include <array>
#include <boost/beast/core/string.hpp>
#include <boost/beast/http/status.hpp>
#include <charconv>
#include <ctime>

namespace cafmcp::transport {

namespace {

// Bodies up to this size are copied behind their head, so that one write takes both.
constexpr std::size_t small_body = 32 * 1024;

void append_number(std::string& out, std::uint64_t n) {
  std::array<char, 20> digits;
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), n).ptr;
  out.append(digits.data(), end);
}

// The Date header (RFC 9110, 6.6.1), made once a second for each thread.
std::string_view date_line() {
  thread_local std::time_t made_at = 0;
  thread_local std::array<char, 64> line{};
  thread_local std::size_t size = 0;
  const auto now = std::time(nullptr);
  if (now != made_at) {
    std::tm parts{};
    gmtime_r(&now, &parts);
    size = std::strftime(line.data(), line.size(), "Date: %a, %d %b %Y %H:%M:%S GMT\r\n", &parts);
    made_at = now;
  }
  return {line.data(), size};
}

void append_escaped(std::string& out, std::string_view text) {
  for (const char c : text) {
    if (c == '"' || c == '\\')
      out += '\\';
    out += static_cast<unsigned char>(c) < 0x20 || static_cast<unsigned char>(c) > 0x7e ? '?' : c;
  }
}

// The status line and what every answer has.
void begin_head(const response& res, std::string& out) {
  out = "HTTP/1.1 ";
  append_number(out, res.status);
  out += ' ';
  out += reason(res.status);
  out += "\r\n";
  out += date_line();
  if (!res.content_type.empty()) {
    out += "Content-Type: ";
    out += res.content_type;
    out += "\r\n";
  }
}

}  // namespace

std::string_view request::operator[](http::field id) const noexcept {
  const auto hit = std::find_if(headers_.begin(), headers_.end(), [id](const auto& h) { return h.id == id; });
  return hit == headers_.end() ? std::string_view{} : hit->value;
}

const std::string_view* request::find(std::string_view name) const noexcept {
  for (const auto& h : headers_)
    if (boost::beast::iequals({h.name.data(), h.name.size()}, {name.data(), name.size()}))
      return &h.value;
  return nullptr;
}

std::size_t request::count(http::field id) const noexcept {
  return static_cast<std::size_t>(
      std::count_if(headers_.begin(), headers_.end(), [id](const auto& h) { return h.id == id; }));
}

http::request<http::empty_body> request::to_beast() const {
  http::request<http::empty_body> out;
  out.method(method);
  out.target({target.data(), target.size()});
  out.version(version);
  for (const auto& h : headers_)
    out.insert({h.name.data(), h.name.size()}, {h.value.data(), h.value.size()});
  return out;
}

void request::clear() noexcept {
  method = http::verb::unknown;
  version = 11;
  target = path = query = host = tail = {};
  body.clear();
  keep_alive = false;
  head_.clear();
  headers_.clear();
}

void response::header(std::string_view name, std::string_view value) {
  const auto append_clean = [this](std::string_view text) {
    for (const char c : text)
      extra_ += c == '\r' || c == '\n' || c == '\0' ? ' ' : c;
  };
  append_clean(name);
  extra_ += ": ";
  append_clean(value);
  extra_ += "\r\n";
}

void response::json(unsigned code, std::string_view document) {
  status = code;
  content_type = "application/json";
  body = document;
}

void response::fail(unsigned code, std::string_view error_code, std::string_view message) {
  status = code;
  content_type = "application/json";
  body = R"({"error":{"code":")";
  append_escaped(body, error_code);
  body += R"(","message":")";
  append_escaped(body, message);
  body += R"("}})";
}

void response::clear() noexcept {
  status = 200;
  content_type.clear();
  body.clear();
  close = false;
  extra_.clear();
  if (takeover_)
    takeover_ = nullptr;
}

std::string_view reason(unsigned status) noexcept {
  const auto text = http::obsolete_reason(http::int_to_status(status));
  return {text.data(), text.size()};
}

bool serialise(const response& res, unsigned version, bool keep_alive, bool head_only, std::string& out) {
  begin_head(res, out);
  const bool bodiless = res.status == 204 || res.status == 304;
  if (!bodiless) {
    out += "Content-Length: ";
    append_number(out, res.body.size());
    out += "\r\n";
  }
  out += res.extra_;
  if (!keep_alive)
    out += "Connection: close\r\n";
  else if (version == 10)
    out += "Connection: keep-alive\r\n";
  out += "\r\n";
  if (bodiless || head_only)
    return true;
  if (res.body.size() > small_body)
    return false;
  out += res.body;
  return true;
}

void serialise_head(const response& res, unsigned version, bool keep_alive, std::string& out) {
  begin_head(res, out);
  out += res.extra_;
  if (version > 10)
    out += "Transfer-Encoding: chunked\r\n";
  if (!keep_alive)
    out += "Connection: close\r\n";
  out += "\r\n";
}

std::string closing_answer(const refusal& why, unsigned retry_after) {
  response res;
  res.fail(why.status, why.code, why.message);
  if (retry_after > 0)
    res.header("Retry-After", std::to_string(retry_after));
  std::string out;
  serialise(res, 11, false, false, out);
  return out;
}

}  // namespace cafmcp::transport
