#pragma once
// Bytes to a `request`, in two steps. `head_scanner` looks for the end of a head in whatever has arrived,
// line by line, and refuses what is no HTTP before more is read. `request_parser` then takes the whole head
// (one copy, which all views point into), lets Beast check the grammar, and refuses on top of that every
// shape which another server might frame differently (request smuggling, RFC 9112 sections 6.3 and 11.2):
// more than one Content-Length, Content-Length with Transfer-Encoding, codings other than chunked, bare LF,
// folded lines. Trailer fields are checked and dropped. Nothing is allocated by the peer's word: only for
// bytes that have arrived. Not thread-safe.

#include <boost/beast/http/basic_parser.hpp>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "transport/http.hpp"

namespace cafmcp::transport {

/// Finds the end of a head in a buffer that grows.
class head_scanner {
 public:
  enum class state : unsigned char { more, complete, bad };

  /// Goes on where the last call ended. `bytes` starts with the same bytes as then.
  state scan(std::string_view bytes) noexcept;

  /// The length of the head with its empty line, once it is complete.
  std::size_t size() const noexcept { return line_; }

  /// Whether the request line is complete.
  bool has_request_line() const noexcept { return line_ > 0; }

  void clear() noexcept { position_ = line_ = 0; }

 private:
  std::size_t position_ = 0;  // scanned up to here
  std::size_t line_ = 0;      // the current line begins here
};

/// One request's parser.
class request_parser final : public http::basic_parser<true> {
 public:
  explicit request_parser(request& target) noexcept : request_(target) {}

  /// Takes a complete head (`head_scanner`). Null if it is good, else why it is refused.
  const refusal* head(std::string_view bytes, std::size_t body_limit);

  /// How much of the body is still to come; for bodies with a Content-Length.
  std::uint64_t body_left() const noexcept { return body_left_; }

  /// Takes a part of such a body (at most `body_left`), which the caller has put into the request.
  void body_taken(std::size_t n) noexcept { body_left_ -= n; }

  /// Takes bytes of a chunked body and sets `used`. Null if they are good, also if they end too early: see
  /// `is_done`.
  const refusal* chunks(std::string_view bytes, std::size_t& used);

  /// Whether the client waits for "100 Continue" before it sends the body.
  bool expects_continue() const noexcept { return expects_continue_; }

 private:
  using text = boost::beast::string_view;
  using ec_type = boost::beast::error_code;

  const refusal* check_framing() const;
  const refusal* check_target();
  const refusal* check_host();

  void on_request_impl(http::verb method, text method_text, text target, int version, ec_type& ec) override;
  void on_response_impl(int code, text reason, int version, ec_type& ec) override;
  void on_field_impl(http::field id, text name, text value, ec_type& ec) override;
  void on_header_impl(ec_type& ec) override;
  void on_body_init_impl(const boost::optional<std::uint64_t>& size, ec_type& ec) override;
  std::size_t on_body_impl(text bytes, ec_type& ec) override;
  void on_chunk_header_impl(std::uint64_t size, text extensions, ec_type& ec) override;
  std::size_t on_chunk_body_impl(std::uint64_t left, text bytes, ec_type& ec) override;
  void on_finish_impl(ec_type& ec) override;

  request& request_;
  std::uint64_t body_left_ = 0;
  bool in_trailer_ = false;
  bool expects_continue_ = false;
};

/// The refusals that the connection needs too.
namespace refusals {
extern const refusal bad_request;
extern const refusal header_timeout;
extern const refusal body_timeout;
extern const refusal body_too_large;
extern const refusal uri_too_long;
extern const refusal headers_too_large;
extern const refusal handler_timeout;
extern const refusal handler_failed;
extern const refusal too_many_connections;
extern const refusal too_many_from_address;
extern const refusal out_of_descriptors;
extern const refusal draining;
}  // namespace refusals

}  // namespace cafmcp::transport
