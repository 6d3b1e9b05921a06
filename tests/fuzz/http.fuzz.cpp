// HTTP: head scanner, request parser and router on a stream, whole and in pieces, and beside Beast's parser.
// words: http.dict
#include <algorithm>
#include <boost/beast/core/string.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>
#include <functional>
#include <optional>
#include <string>

#include "tests/fuzz/fuzz.hpp"
#include "transport/request_parser.hpp"
#include "transport/router.hpp"

namespace {

using namespace cafmcp::transport;
using namespace cafmcp::fuzz;

// Small, so that short inputs reach them.
constexpr std::size_t buffer_bytes = 700;
constexpr std::size_t body_bytes = 300;
constexpr std::size_t most_fields = 128;

const router& routes() {
  static const auto table = [] {
    router r;
    const auto nothing = [](request&, response&) {};
    r.get("/hello", nothing).post("/mcp", nothing).get("/mcp", nothing).json_rpc("/mcp");
    r.add(router::any, "/any", nothing).add_prefix(http::verb::get, "/tree/", nothing);
    return r;
  }();
  return table;
}

/// How many bytes the next read gets.
using piece_size = std::function<std::size_t()>;

/// What a connection does with the bytes that it reads (transport/connection_io.cpp), without a socket.
class reader {
 public:
  reader(std::string_view bytes, piece_size next) : bytes_(bytes), next_(std::move(next)) {}

  /// All that came out of the bytes, as text; equal for equal outcomes.
  std::string run() {
    while (one_request()) {
    }
    return std::move(out_);
  }

 private:
  enum class step : unsigned char { ready, more, refused };

  // False at the end of the bytes, or after what closes the connection.
  bool one_request() {
    route_ = nullptr;
    auto next = in_.empty() ? step::more : parse_head();
    while (next == step::more && receive())
      next = parse_head();
    if (next == step::ready)
      next = begin_body();
    while (next == step::more && route_ != nullptr && receive())
      next = take_body();
    if (next != step::ready && strange_chunks()) {
      out_ += "no body\n";
      return false;
    }
    if (next == step::refused) {
      out_ += "refused " + std::to_string(why_->status) + " " + why_->code + "\n";
      return false;
    }
    if (next == step::more)
      return false;
    describe();
    if (route_ != nullptr)
      check_with_beast();
    return keep_;
  }

  // Known: Beast looks for the end of a quoted string in a chunk's extension beyond the line, and takes the
  // chunk's size off the bound each time that it has to wait. It never takes such a body, but when and how it
  // says so depends on the pieces.
  bool strange_chunks() const {
    return route_ != nullptr && parser_ && parser_->chunked() &&
           bytes_.find('"', begin_) != std::string_view::npos;
  }

  // One read into the buffer; bodies of a known length go straight to the request.
  bool receive() {
    const auto left = parser_ ? static_cast<std::size_t>(parser_->body_left()) : 0;
    const auto room = left > 0 ? left : buffer_bytes - in_.size();
    const auto n = std::min({next_(), room, bytes_.size() - at_});
    if (n == 0)
      return false;
    (left > 0 ? req_.body : in_).append(bytes_.substr(at_, n));
    if (left > 0)
      parser_->body_taken(n);
    at_ += n;
    return true;
  }

  step refuse(const refusal& why) {
    why_ = &why;
    return step::refused;
  }

  void consume(std::size_t n) {
    FUZZ_CHECK(n <= in_.size(), bytes_);
    in_.erase(0, n);
  }

  step parse_head() {
    if (!scanner_.has_request_line())
      while (in_.size() > 1 && in_.starts_with("\r\n")) {
        consume(2);
        scanner_.clear();
      }
    if (in_.empty() || in_ == "\r")
      return step::more;
    const auto state = scanner_.scan(in_);
    if (state == head_scanner::state::bad)
      return refuse(refusals::bad_request);
    if (state == head_scanner::state::more) {
      if (in_.size() < buffer_bytes)
        return step::more;
      return refuse(scanner_.has_request_line() ? refusals::headers_too_large : refusals::uri_too_long);
    }
    begin_ = at_ - in_.size();
    const auto head = in_.substr(0, scanner_.size());
    FUZZ_CHECK(head.ends_with("\r\n\r\n") && head.find("\r\n\r\n") == head.size() - 4, bytes_);
    parser_.emplace(req_);
    const auto* why = parser_->head(head, body_bytes);
    check_head(head, why == nullptr);
    consume(scanner_.size());
    scanner_.clear();
    return why == nullptr ? step::ready : refuse(*why);
  }

  step begin_body() {
    res_.clear();
    route_ = routes().find(req_, res_);
    keep_ = req_.keep_alive;
    if (route_ != nullptr)
      return take_body();
    if (!parser_->is_done())
      keep_ = false;
    return step::ready;
  }

  step take_body() {
    if (!parser_->chunked()) {
      const auto n = std::min(static_cast<std::size_t>(parser_->body_left()), in_.size());
      req_.body.append(in_, 0, n);
      consume(n);
      parser_->body_taken(n);
      return parser_->body_left() == 0 ? step::ready : step::more;
    }
    std::size_t used = 1;
    while (used > 0 && !in_.empty() && !parser_->is_done()) {
      const auto* why = parser_->chunks(in_, used);
      consume(used);
      if (why != nullptr)
        return refuse(*why);
    }
    if (parser_->is_done())
      return step::ready;
    return in_.size() < buffer_bytes ? step::more : refuse(refusals::headers_too_large);
  }

  // An opinion of our own about what must not pass, from the bytes of the head alone.
  void check_head(std::string_view head, bool accepted) {
    std::size_t lengths = 0;
    std::size_t codings = 0;
    std::size_t fields = 0;
    bool bare = false;
    for (std::size_t begin = 0; begin < head.size();) {
      const auto end = head.find("\r\n", begin);
      const auto line = head.substr(begin, end - begin);
      bare = bare || line.find_first_of(std::string_view("\r\n\0", 3)) != std::string_view::npos;
      const auto name = line.substr(0, line.find(':'));
      lengths += boost::beast::iequals({name.data(), name.size()}, "content-length") ? 1 : 0;
      codings += boost::beast::iequals({name.data(), name.size()}, "transfer-encoding") ? 1 : 0;
      fields += begin > 0 && !line.empty() ? 1 : 0;
      begin = end + 2;
    }
    const bool must_fall =
        bare || lengths > 1 || codings > 1 || lengths + codings > 1 || fields > most_fields;
    FUZZ_CHECK(!accepted || !must_fall, head);
    FUZZ_CHECK(!accepted || req_.headers().size() == fields, head);
  }

  void describe() {
    const bool star = req_.path == "*" && req_.method == http::verb::options;
    FUZZ_CHECK(req_.path.starts_with('/') || star, bytes_);
    FUZZ_CHECK(req_.target.find_first_of(std::string_view("\r\n \0", 4)) == std::string_view::npos, bytes_);
    FUZZ_CHECK(req_.body.size() <= body_bytes, bytes_);
    FUZZ_CHECK(res_.status >= 200 && res_.status <= 599, bytes_);
    const auto method = http::to_string(req_.method);
    out_.append(method.data(), method.size());
    for (const auto part : {req_.target, req_.path, req_.query, req_.host, req_.tail})
      out_.append(" <").append(part).append(">");
    for (const auto& h : req_.headers()) {
      FUZZ_CHECK(h.value.find_first_of(std::string_view("\r\n\0", 3)) == std::string_view::npos, bytes_);
      FUZZ_CHECK(!h.name.empty() && req_.find(h.name) != nullptr, bytes_);
      out_.append("\n").append(h.name).append(": ").append(h.value);
    }
    out_ += "\nversion " + std::to_string(req_.version) + (keep_ ? " keep" : " close");
    out_ += " status " + std::to_string(res_.status) + "\n" + req_.body + "\n";
    const auto copy = req_.to_beast();
    FUZZ_CHECK(copy.method() == req_.method, bytes_);
  }

  // Beast by itself must find the same body in the same place: what is behind it is the next request.
  void check_with_beast() {
    const auto end = at_ - in_.size();
    const auto all = bytes_.substr(begin_, end - begin_);
    http::request_parser<http::string_body> other;
    other.body_limit(body_bytes);
    other.eager(true);
    boost::beast::error_code ec;
    std::size_t used = 0;
    while (!other.is_done() && !ec) {
      const auto n = other.put(asio::buffer(all.data() + used, all.size() - used), ec);
      used += n;
      if (n == 0)
        break;
    }
    FUZZ_CHECK(other.is_done() && used == all.size(), all);
    FUZZ_CHECK(other.get().body() == req_.body, all);
    // Beast lets a trailer say `Connection: close`; here trailers change nothing.
    FUZZ_CHECK(parser_->chunked() || other.keep_alive() == req_.keep_alive, all);
  }

  std::string_view bytes_;
  std::size_t at_ = 0;     // read up to here
  std::size_t begin_ = 0;  // of the request
  piece_size next_;
  std::string in_;
  std::string out_;
  head_scanner scanner_;
  request req_;
  response res_;
  std::optional<request_parser> parser_;
  const handler* route_ = nullptr;
  const refusal* why_ = nullptr;
  bool keep_ = false;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto bytes = text_of(data, size);
  const auto whole = reader(bytes, [] { return std::size_t{1} << 20; }).run();
  const auto one_by_one = reader(bytes, [] { return std::size_t{1}; }).run();
  FUZZ_CHECK(whole == one_by_one, whole + " | " + one_by_one + " | " + std::string(bytes));
  auto random = hash_of(bytes) | 1;
  const auto in_pieces = reader(bytes, [&random] {
                           random = random * 6364136223846793005ULL + 1442695040888963407ULL;
                           return static_cast<std::size_t>(1 + (random >> 33) % 40);
                         }).run();
  FUZZ_CHECK(whole == in_pieces, whole + " | " + in_pieces + " | " + std::string(bytes));
  return 0;
}
