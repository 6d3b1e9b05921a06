// The steps of a connection: none of them waits.
#include <sys/socket.h>
#include <sys/uio.h>

#include <algorithm>
#include <array>
#include <cerrno>

#include "mcp/errors.hpp"
#include "transport/connection.hpp"
#include "transport/streamable_http_error.hpp"

namespace cafmcp::transport {

namespace {

constexpr std::size_t read_size = 4 * 1024;
constexpr std::size_t body_step = 64 * 1024;

// A spare workspace keeps buffers up to this size.
constexpr std::size_t keep_bytes = 16 * 1024;

void trim(std::string& text) noexcept {
  text.clear();
  if (text.capacity() > keep_bytes)
    std::string{}.swap(text);
}

std::string_view view(const boost::beast::flat_buffer& in) noexcept {
  return {static_cast<const char*>(in.data().data()), in.size()};
}

}  // namespace

void workspace::reset() noexcept {
  in.consume(in.size());
  if (in.capacity() > keep_bytes)
    in.shrink_to_fit();
  scanner.clear();
  parser.reset();
  req.clear();
  trim(req.body);
  route = nullptr;
  res.clear();
  trim(res.body);
  trim(res.extra_);
  trim(out);
  sent = 0;
  body_apart = false;
}

std::size_t connection::unread() const noexcept {
  boost::system::error_code ec;
  return socket_.is_open() ? socket_.available(ec) : 0;
}

void connection::await_request() {
  if (phase_ == phase::head)
    return;
  if (work_ && work_->in.size() > 0)
    return enter(phase::head, shard_.bounds.header_timeout);
  shard_.give_back(std::move(work_));
  if (phase_ != phase::idle)
    enter(phase::idle, shard_.bounds.idle_timeout);
}

connection::step connection::refuse_with(const refusal& why) {
  refusal_ = &why;
  return step::refused;
}

connection::step connection::interrupted() {
  if (closing_ || !expired_)
    return step::gone;
  return refuse_with(phase_ == phase::body ? refusals::body_timeout : refusals::header_timeout);
}

connection::step connection::fill_head() {
  if (!work_)
    work_ = shard_.take_workspace();
  const auto got = receive();
  return got == step::ready ? parse_head() : got;
}

// One read. Bodies of a known length go straight to the request, everything else to the buffer.
connection::step connection::receive() {
  auto& w = *work_;
  const auto left = phase_ == phase::body ? w.parser->body_left() : 0;
  char* to = nullptr;
  std::size_t space = 0;
  const auto have = w.req.body.size();
  if (left > 0) {
    space = static_cast<std::size_t>(std::min<std::uint64_t>(left, body_step));
    w.req.body.resize(have + space);
    to = w.req.body.data() + have;
  } else {
    space = std::min(w.in.max_size() - w.in.size(), std::max(read_size, w.in.capacity() - w.in.size()));
    to = static_cast<char*>(w.in.prepare(space).data());
  }
  ssize_t n = 0;
  do
    n = ::recv(socket_.native_handle(), to, space, MSG_DONTWAIT);
  while (n < 0 && errno == EINTR);
  const auto got = n > 0 ? static_cast<std::size_t>(n) : 0;
  if (left > 0) {
    w.req.body.resize(have + got);
    w.parser->body_taken(got);
  } else {
    w.in.commit(got);
  }
  if (got > 0) {
    counters_.bytes_in.add(got);
    return step::ready;
  }
  if (n < 0 && errno == EAGAIN)
    return step::more;
  broken_ = true;
  return step::gone;
}

connection::step connection::parse_head() {
  auto& w = *work_;
  // Empty lines before a request are skipped (RFC 9112, 2.2).
  if (!w.scanner.has_request_line())
    while (w.in.size() > 1 && view(w.in).starts_with("\r\n")) {
      w.in.consume(2);
      w.scanner.clear();
    }
  if (w.in.size() == 0 || (w.in.size() == 1 && view(w.in) == "\r"))
    return step::more;
  switch (w.scanner.scan(view(w.in))) {
    case head_scanner::state::bad:
      return refuse_with(refusals::bad_request);
    case head_scanner::state::more:
      if (w.in.size() < w.in.max_size())
        return step::more;
      return refuse_with(w.scanner.has_request_line() ? refusals::headers_too_large : refusals::uri_too_long);
    case head_scanner::state::complete:
      break;
  }
  w.parser.emplace(w.req);
  const auto* why = w.parser->head(view(w.in).substr(0, w.scanner.size()), shard_.bounds.body_bytes);
  w.in.consume(w.scanner.size());
  w.scanner.clear();
  return why == nullptr ? step::ready : refuse_with(*why);
}

connection::step connection::begin_body() {
  auto& w = *work_;
  w.req.remote = remote_;
  w.req.context = ticket_->shard();
  w.res.clear();
  w.route = set().routes().find(w.req, w.res);
  keep_ = w.req.keep_alive;
  if (w.route != nullptr)
    return take_body();
  // Nobody wants the body, so it is not read, and what follows it can't be found.
  if (!w.parser->is_done())
    keep_ = false;
  return step::ready;
}

connection::step connection::take_body() {
  auto& w = *work_;
  auto& parser = *w.parser;
  if (!parser.chunked()) {
    const auto n = static_cast<std::size_t>(std::min<std::uint64_t>(parser.body_left(), w.in.size()));
    w.req.body.append(view(w.in).substr(0, n));
    w.in.consume(n);
    parser.body_taken(n);
    return parser.body_left() == 0 ? step::ready : step::more;
  }
  std::size_t used = 1;
  while (used > 0 && w.in.size() > 0 && !parser.is_done()) {
    const auto* why = parser.chunks(view(w.in), used);
    w.in.consume(used);
    if (why != nullptr)
      return refuse_with(*why);
  }
  if (parser.is_done())
    return step::ready;
  // A chunk extension or a trailer that does not end.
  return w.in.size() < w.in.max_size() ? step::more : refuse_with(refusals::headers_too_large);
}

bool connection::handle_now() {
  auto& w = *work_;
  if (w.route == nullptr)
    return true;
  if (!w.route->now)
    return false;
  try {
    w.route->now(w.req, w.res);
  } catch (const std::exception& e) {
    handler_threw(e.what());
  } catch (...) {
    handler_threw("something that is no std::exception");
  }
  return true;
}

void connection::handler_threw(const char* what) {
  counters_.handler_errors.add();
  set().report(event::kind::handler_failed, what);
  if (!work_)
    return;
  fail_with(refusals::handler_failed);
}

void connection::fail_with(const refusal& why) {
  auto& w = *work_;
  w.res.clear();
  // What is refused early has no path yet.
  const auto path = w.req.path.empty() ? w.req.target.substr(0, w.req.target.find('?')) : w.req.path;
  if (set().routes().is_json_rpc(path))
    rpc_fail(w.res, why.status, why.status == 500 ? mcp::code::internal_error : mcp::code::transport,
             why.message);
  else
    w.res.fail(why.status, why.code, why.message);
}

void connection::finish_response() {
  auto& w = *work_;
  phase_ = phase::write;  // so that the next wait starts a new deadline
  if (w.res.status < 200 || w.res.status > 599)
    handler_threw("a status outside 200 to 599");
  if (w.res.close || set().draining())
    keep_ = false;
  w.body_apart = !serialise(w.res, w.req.version, keep_, w.req.method == http::verb::head, w.out);
  w.sent = 0;
  counters_.responses[w.res.status / 100].add();
}

// Sends what it can of the two, from `sent` on, and moves `sent`. False if the client is gone.
bool connection::send_part(std::string_view first, std::string_view second) {
  auto& w = *work_;
  std::array<iovec, 2> parts{};
  std::size_t used = 0;
  auto skip = w.sent;
  for (const auto part : {first, second}) {
    const auto gone = std::min(skip, part.size());
    skip -= gone;
    if (gone < part.size())
      parts[used++] = {const_cast<char*>(part.data()) + gone, part.size() - gone};
  }
  msghdr message{};
  message.msg_iov = parts.data();
  message.msg_iovlen = used;
  ssize_t n = 0;
  do
    n = ::sendmsg(socket_.native_handle(), &message, MSG_DONTWAIT | MSG_NOSIGNAL);
  while (n < 0 && errno == EINTR);
  if (n < 0)
    return errno == EAGAIN;
  w.sent += static_cast<std::size_t>(n);
  counters_.bytes_out.add(static_cast<std::uint64_t>(n));
  return true;
}

bool connection::flush_now() {
  auto& w = *work_;
  const std::string_view body = w.body_apart ? std::string_view{w.res.body} : std::string_view{};
  if (!send_part(w.out, body)) {
    broken_ = true;
    return true;
  }
  return w.sent == w.out.size() + body.size();
}

}  // namespace cafmcp::transport
