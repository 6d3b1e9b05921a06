#include "bench/http_parsers.hpp"

#include <boost/beast/http/rfc7230.hpp>
#include <cstring>

namespace cafmcp::bench {

asio::mutable_buffer input::space() {
  if (end_ == input_bytes && begin_ > 0) {
    std::memmove(data_.get(), data_.get() + begin_, end_ - begin_);
    end_ -= begin_;
    begin_ = 0;
  }
  return {data_.get() + end_, input_bytes - end_};
}

void input::drop(std::size_t bytes) {
  begin_ += bytes;
  if (begin_ == end_)
    begin_ = end_ = 0;
}

response_parser::response_parser() {
  eager(true);
  body_limit(max_body_bytes);
}

request_parser::request_parser(std::string& path, std::string& body) : path_(path), body_(body) {
  eager(true);
  body_limit(max_body_bytes);
  body_.clear();
}

void request_parser::on_request_impl(http::verb method, beast::string_view, beast::string_view target, int,
                                     error_code&) {
  method_ = method;
  path_.assign(target.data(), target.size());
}

void request_parser::on_field_impl(http::field name, beast::string_view, beast::string_view value,
                                   error_code&) {
  if (name == http::field::sec_websocket_protocol)
    offers_mcp_ = offers_mcp_ || http::token_list{value}.exists("mcp");
}

std::size_t request_parser::on_body_impl(beast::string_view body, error_code&) {
  body_.append(body.data(), body.size());
  return body.size();
}

std::size_t request_parser::on_chunk_body_impl(std::uint64_t, beast::string_view body, error_code& ec) {
  return on_body_impl(body, ec);
}

}  // namespace cafmcp::bench
