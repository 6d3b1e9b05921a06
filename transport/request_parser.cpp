#include "transport/request_parser.hpp"

#include <algorithm>
#include <boost/asio/buffer.hpp>
#include <boost/beast/core/string.hpp>
#include <boost/beast/http/error.hpp>
#include <cstring>

namespace cafmcp::transport {

namespace {

constexpr std::size_t max_fields = 128;

constexpr refusal bad_version{505, "http_version", "only HTTP/1.1 and HTTP/1.0 are spoken here"};
constexpr refusal bad_method{501, "unknown_method", "this method is not implemented"};
constexpr refusal bad_coding{501, "transfer_coding", "only the transfer coding chunked is implemented"};
constexpr refusal bad_expectation{417, "expectation_failed", "only Expect: 100-continue is understood"};
constexpr refusal bad_framing{
    400, "bad_framing",
    "the length of the body is ambiguous; send one Content-Length or Transfer-Encoding: chunked"};
constexpr refusal bad_host{400, "bad_host", "an HTTP/1.1 request needs exactly one valid Host header"};
constexpr refusal bad_target{400, "bad_target", "the request target must be a path or an http URL"};

bool is_decimal(char c) noexcept {
  return c >= '0' && c <= '9';
}

bool iequals(std::string_view a, std::string_view b) noexcept {
  return boost::beast::iequals({a.data(), a.size()}, {b.data(), b.size()});
}

// Whether the request line ends in a well-formed version that is none of ours: HTTP/2's preface, for one.
bool other_version(std::string_view head) noexcept {
  const auto line = head.substr(0, head.find("\r\n"));
  const auto version = line.substr(line.rfind(' ') + 1);
  return version.size() == 8 && version.starts_with("HTTP/") && is_decimal(version[5]) && version[6] == '.' &&
         is_decimal(version[7]) && version != "HTTP/1.1" && version != "HTTP/1.0";
}

const refusal* refusal_of(const boost::beast::error_code& ec, std::string_view head) noexcept {
  if (ec == http::error::body_limit)
    return &refusals::body_too_large;
  if (ec == http::error::header_limit || ec == http::error::buffer_overflow)
    return &refusals::headers_too_large;
  if (ec == http::error::bad_version && other_version(head))
    return &bad_version;
  if (ec == http::error::bad_content_length || ec == http::error::multiple_content_length ||
      ec == http::error::bad_transfer_encoding)
    return &bad_framing;
  return &refusals::bad_request;
}

}  // namespace

head_scanner::state head_scanner::scan(std::string_view bytes) noexcept {
  // No method begins like this: a TLS handshake or other noise, which would keep us waiting for a line.
  if (!bytes.empty() &&
      (static_cast<unsigned char>(bytes[0]) <= 0x20 || static_cast<unsigned char>(bytes[0]) >= 0x7f))
    return state::bad;
  while (position_ < bytes.size()) {
    const auto* hit =
        static_cast<const char*>(std::memchr(bytes.data() + position_, '\n', bytes.size() - position_));
    if (hit == nullptr)
      break;
    const auto end = static_cast<std::size_t>(hit - bytes.data());
    if (end == line_ || bytes[end - 1] != '\r')
      return state::bad;
    const bool empty = end == line_ + 1;
    const bool folded = line_ > 0 && (bytes[line_] == ' ' || bytes[line_] == '\t');
    if (folded)
      return state::bad;
    position_ = line_ = end + 1;
    if (empty)
      return state::complete;
  }
  position_ = bytes.size();
  return state::more;
}

const refusal* request_parser::head(std::string_view bytes, std::size_t body_limit_bytes) {
  request_.clear();
  request_.head_.assign(bytes.begin(), bytes.end());
  this->header_limit(static_cast<std::uint32_t>(bytes.size()) + 1);
  this->body_limit(body_limit_bytes);
  eager(false);
  boost::beast::error_code ec;
  const auto used = put(asio::buffer(request_.head_), ec);
  if (ec)
    return refusal_of(ec, bytes);
  if (!is_header_done() || used != bytes.size())
    return &refusals::bad_request;
  request_.keep_alive = this->keep_alive();
  body_left_ = chunked() ? 0 : content_length().value_or(0);
  if (const auto* why = check_framing())
    return why;
  if (const auto* why = check_target())
    return why;
  return check_host();
}

const refusal* request_parser::check_framing() const {
  if (request_.method == http::verb::unknown || request_.method == http::verb::connect)
    return &bad_method;
  const auto lengths = request_.count(http::field::content_length);
  const auto codings = request_.count(http::field::transfer_encoding);
  if (lengths > 1 || codings > 1 || (lengths > 0 && codings > 0) || (codings > 0 && request_.version == 10))
    return &bad_framing;
  const auto length = request_[http::field::content_length];
  if (lengths == 1 && (length.empty() || !std::all_of(length.begin(), length.end(), is_decimal)))
    return &bad_framing;
  if (codings == 1 && !iequals(request_[http::field::transfer_encoding], "chunked"))
    return &bad_coding;
  const auto expect = request_[http::field::expect];
  if (!expect.empty() && !expects_continue_)
    return &bad_expectation;
  return nullptr;
}

const refusal* request_parser::check_target() {
  auto rest = request_.target;
  if (rest.find('#') != std::string_view::npos)
    return &bad_target;
  if (rest == "*") {
    request_.path = rest;
    return request_.method == http::verb::options ? nullptr : &bad_target;
  }
  if (!rest.starts_with('/')) {
    // The absolute form (RFC 9112, 3.2.2): its authority goes before Host.
    const auto scheme = rest.find("://");
    if (scheme == std::string_view::npos ||
        !(iequals(rest.substr(0, scheme), "http") || iequals(rest.substr(0, scheme), "https")))
      return &bad_target;
    rest.remove_prefix(scheme + 3);
    const auto end = std::min(rest.find_first_of("/?"), rest.size());
    request_.host = rest.substr(0, end);
    rest.remove_prefix(end);
    if (request_.host.empty())
      return &bad_target;
  }
  const auto mark = rest.find('?');
  request_.path = rest.substr(0, mark);
  if (request_.path.empty())
    request_.path = "/";
  if (mark != std::string_view::npos)
    request_.query = rest.substr(mark + 1);
  return nullptr;
}

const refusal* request_parser::check_host() {
  const auto hosts = request_.count(http::field::host);
  if (hosts > 1 || (hosts == 0 && request_.version == 11))
    return &bad_host;
  if (request_.host.empty())
    request_.host = request_[http::field::host];
  const auto bad = [](char c) {
    return static_cast<unsigned char>(c) <= 0x20 || static_cast<unsigned char>(c) >= 0x7f ||
           std::strchr("/\\@?#\"<>,", c) != nullptr;
  };
  return std::any_of(request_.host.begin(), request_.host.end(), bad) ? &bad_host : nullptr;
}

const refusal* request_parser::chunks(std::string_view bytes, std::size_t& used) {
  // Once Beast (1.81) has seen the line "0\r\n" it asserts that five bytes are there, and aborts if they come
  // one by one. Whatever begins like this, the last chunk or data, has as many before the body's end.
  if (bytes.size() < 5 && bytes.starts_with('0')) {
    used = 0;
    return nullptr;
  }
  eager(true);
  boost::beast::error_code ec;
  used = put(asio::buffer(bytes.data(), bytes.size()), ec);
  if (!ec || ec == http::error::need_more)
    return nullptr;
  return refusal_of(ec, {});
}

void request_parser::on_request_impl(http::verb method, text, text target, int version, ec_type&) {
  request_.method = method;
  request_.target = {target.data(), target.size()};
  request_.version = static_cast<unsigned>(version);
}

void request_parser::on_response_impl(int, text, int, ec_type&) {}

void request_parser::on_field_impl(http::field id, text name, text value, ec_type& ec) {
  if (in_trailer_)
    return;
  if (request_.headers_.size() == max_fields) {
    ec = http::error::header_limit;
    return;
  }
  request_.headers_.push_back({id, {name.data(), name.size()}, {value.data(), value.size()}});
  if (id == http::field::expect)
    expects_continue_ = request_.version == 11 && iequals({value.data(), value.size()}, "100-continue");
}

void request_parser::on_header_impl(ec_type&) {
  in_trailer_ = true;
}

void request_parser::on_body_init_impl(const boost::optional<std::uint64_t>&, ec_type&) {}

std::size_t request_parser::on_body_impl(text bytes, ec_type&) {
  request_.body.append(bytes.data(), bytes.size());
  return bytes.size();
}

void request_parser::on_chunk_header_impl(std::uint64_t, text, ec_type&) {}

std::size_t request_parser::on_chunk_body_impl(std::uint64_t, text bytes, ec_type&) {
  request_.body.append(bytes.data(), bytes.size());
  return bytes.size();
}

void request_parser::on_finish_impl(ec_type&) {}

}  // namespace cafmcp::transport
