#pragma once
// Beast's HTTP parser without the containers: derived parsers that keep the few facts that a benchmark needs,
// so that a message costs no allocation. `input` is the buffer they read from. One of each a connection;
// thread-compatible.

#include <boost/asio/buffer.hpp>
#include <boost/beast/http/basic_parser.hpp>
#include <memory>
#include <string>
#include <string_view>

#include "bench/net.hpp"

namespace cafmcp::bench {

namespace http = beast::http;

/// A fixed buffer of `input_bytes` that was read into and is parsed from. Not initialised: the pages of a
/// large number of idle connections are never touched.
class input {
 public:
  /// Where to read to: what is free behind the data. Empty only when the buffer is full of unparsed data.
  asio::mutable_buffer space();

  void added(std::size_t bytes) { end_ += bytes; }
  std::string_view data() const { return {data_.get() + begin_, end_ - begin_}; }

  /// Forgets the first `bytes` of the data.
  void drop(std::size_t bytes);

 private:
  std::unique_ptr<char[]> data_ = std::make_unique_for_overwrite<char[]>(input_bytes);
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
};

/// A response: its status; fields and body are checked for form and dropped.
class response_parser : public http::basic_parser<false> {
 public:
  response_parser();
  int status() const { return status_; }

 private:
  void on_request_impl(http::verb, beast::string_view, beast::string_view, int, error_code&) override {}
  void on_response_impl(int status, beast::string_view, int, error_code&) override { status_ = status; }
  void on_field_impl(http::field, beast::string_view, beast::string_view, error_code&) override {}
  void on_header_impl(error_code&) override {}
  void on_body_init_impl(const boost::optional<std::uint64_t>&, error_code&) override {}
  std::size_t on_body_impl(beast::string_view body, error_code&) override { return body.size(); }
  void on_chunk_header_impl(std::uint64_t, beast::string_view, error_code&) override {}
  std::size_t on_chunk_body_impl(std::uint64_t, beast::string_view body, error_code&) override {
    return body.size();
  }
  void on_finish_impl(error_code&) override {}

  int status_ = 0;
};

/// A request: its method, path and body, and whether the WebSocket subprotocol `mcp` is offered. `body` and
/// `path` are the connection's strings, reused from request to request.
class request_parser : public http::basic_parser<true> {
 public:
  request_parser(std::string& path, std::string& body);
  http::verb method() const { return method_; }
  bool offers_mcp() const { return offers_mcp_; }

 private:
  void on_request_impl(http::verb method, beast::string_view, beast::string_view target, int,
                       error_code&) override;
  void on_response_impl(int, beast::string_view, int, error_code&) override {}
  void on_field_impl(http::field name, beast::string_view, beast::string_view value, error_code&) override;
  void on_header_impl(error_code&) override {}
  void on_body_init_impl(const boost::optional<std::uint64_t>&, error_code&) override {}
  std::size_t on_body_impl(beast::string_view body, error_code&) override;
  void on_chunk_header_impl(std::uint64_t, beast::string_view, error_code&) override {}
  std::size_t on_chunk_body_impl(std::uint64_t, beast::string_view body, error_code& ec) override;
  void on_finish_impl(error_code&) override {}

  std::string& path_;
  std::string& body_;
  http::verb method_ = http::verb::unknown;
  bool offers_mcp_ = false;
};

/// Feeds `in` to `parser` until the message is complete or the data is used up; need for more is no error.
template <class Parser>
void parse(Parser& parser, input& in, error_code& ec) {
  ec = {};
  if (in.data().empty() || parser.is_done())
    return;
  in.drop(parser.put(asio::buffer(in.data()), ec));
  if (ec == http::error::need_more)
    ec = {};
}

}  // namespace cafmcp::bench
