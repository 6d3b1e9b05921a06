#include "bench/mcp_response.hpp"

#include <boost/beast/core/string.hpp>
#include <charconv>

namespace cafmcp::bench {

namespace {

std::chrono::seconds seconds_of(std::string_view value) {
  unsigned seconds = 0;
  const char* end = value.data() + value.size();
  const auto [at, ec] = std::from_chars(value.data(), end, seconds);
  return std::chrono::seconds{ec == std::errc{} && at == end ? seconds : 1};
}

}  // namespace

mcp_response::mcp_response(answer_reader& reader) : reader_(reader), events_(max_body_bytes) {}

void mcp_response::clear() {
  status_ = 0;
  keep_alive_ = is_stream_ = false;
  retry_after_.reset();
  session_id_.clear();
  message_.clear();
  events_.clear();
}

mcp_answer mcp_response::read() {
  message_.reserve(message_.size() + json_reader::room_needed);
  return reader_.read(message_, message_.capacity() - message_.size());
}

void mcp_response::field(http::field name, std::string_view written, std::string_view value) {
  if (name == http::field::content_type) {
    constexpr std::string_view stream = "text/event-stream";
    is_stream_ = beast::iequals(value.substr(0, stream.size()), stream);
  } else if (name == http::field::retry_after) {
    retry_after_ = seconds_of(value);
  } else if (name == http::field::unknown && beast::iequals(written, "Mcp-Session-Id")) {
    session_id_ = value;
  }
}

bool mcp_response::body(std::string_view piece) {
  if (!is_stream_) {
    message_ += piece;  // the parser has the limit
    return true;
  }
  // What comes before the answer, such as progress, and what primes a reconnect, is passed over.
  return events_.take(piece, [this](std::string& data) {
    using kind = mcp_answer::kind;
    if (data.empty() || !message_.empty())
      return;
    const kind what = reader_.read(data).what;
    if (what != kind::notified && what != kind::request)
      message_.swap(data);
  });
}

mcp_response_parser::mcp_response_parser(mcp_response& out) : out_(out) {
  eager(true);
  body_limit(max_body_bytes);
  out_.clear();
}

void mcp_response_parser::on_field_impl(http::field name, beast::string_view written,
                                        beast::string_view value, error_code&) {
  out_.field(name, {written.data(), written.size()}, {value.data(), value.size()});
}

std::size_t mcp_response_parser::on_body_impl(beast::string_view body, error_code& ec) {
  if (!out_.body({body.data(), body.size()}))
    ec = http::error::body_limit;
  return body.size();
}

std::size_t mcp_response_parser::on_chunk_body_impl(std::uint64_t, beast::string_view body, error_code& ec) {
  return on_body_impl(body, ec);
}

}  // namespace cafmcp::bench
