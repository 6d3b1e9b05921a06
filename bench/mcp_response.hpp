#pragma once
// An HTTP response as an MCP client reads it: its status, the session's id, and the one message that answers
// the request, whether it comes as JSON or in a stream of events among others. `mcp_response` is the
// connection's, with strings that are used again; a `mcp_response_parser` lives for one response.
// Thread-compatible.

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

#include "bench/http_parsers.hpp"
#include "bench/mcp_answer.hpp"
#include "bench/sse_reader.hpp"

namespace cafmcp::bench {

class mcp_response {
 public:
  /// `reader` is the thread's and outlives this.
  explicit mcp_response(answer_reader& reader);

  /// Forgets the response before.
  void clear();

  int status() const { return status_; }
  bool keep_alive() const { return keep_alive_; }
  const std::string& session_id() const { return session_id_; }  ///< empty when absent

  /// When a refusal says to try again; one second for what it doesn't say in seconds.
  std::optional<std::chrono::seconds> retry_after() const { return retry_after_; }

  /// The message that answers; empty when there is none (a notification's 202).
  const std::string& message() const { return message_; }

  /// What it says. Malformed also when there is none.
  mcp_answer read();

 private:
  friend class mcp_response_parser;

  void field(http::field name, std::string_view written, std::string_view value);
  bool body(std::string_view piece);  // false when too long

  answer_reader& reader_;
  int status_ = 0;
  bool keep_alive_ = false;
  bool is_stream_ = false;
  std::optional<std::chrono::seconds> retry_after_;
  std::string session_id_;
  std::string message_;
  sse_reader events_;
};

class mcp_response_parser : public http::basic_parser<false> {
 public:
  explicit mcp_response_parser(mcp_response& out);

  /// Once the response is complete.
  void finish() { out_.keep_alive_ = keep_alive(); }

 private:
  void on_request_impl(http::verb, beast::string_view, beast::string_view, int, error_code&) override {}
  void on_response_impl(int status, beast::string_view, int, error_code&) override { out_.status_ = status; }
  void on_field_impl(http::field name, beast::string_view written, beast::string_view value,
                     error_code&) override;
  void on_header_impl(error_code&) override {}
  void on_body_init_impl(const boost::optional<std::uint64_t>&, error_code&) override {}
  std::size_t on_body_impl(beast::string_view body, error_code& ec) override;
  void on_chunk_header_impl(std::uint64_t, beast::string_view, error_code&) override {}
  std::size_t on_chunk_body_impl(std::uint64_t, beast::string_view body, error_code& ec) override;
  void on_finish_impl(error_code&) override {}

  mcp_response& out_;
};

}  // namespace cafmcp::bench
