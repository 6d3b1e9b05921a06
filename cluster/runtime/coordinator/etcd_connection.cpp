#include "cluster/runtime/coordinator/etcd_connection.hpp"

#include <algorithm>
#include <boost/asio/connect.hpp>
#include <boost/asio/post.hpp>
#include <utility>

#include "base/assert.hpp"

namespace cafmcp::cluster {

namespace asio = boost::asio;
namespace http = boost::beast::http;

namespace {

constexpr std::size_t read_bytes = 16U << 10U;
constexpr std::size_t max_unparsed_bytes = 64U << 10U;
constexpr std::uint32_t max_header_bytes = 16U << 10U;

}  // namespace

etcd_connection::etcd_connection(asio::io_context& io, etcd_target target, const etcd_options& options)
    : io_(io),
      target_(std::move(target)),
      patience_(options.connect),
      answer_bytes_(options.answer_bytes),
      tls_(target_.secure ? options.tls : nullptr),
      limit_(io),
      resolver_(io),
      in_(max_unparsed_bytes) {}

void etcd_connection::exchange(std::string request, handler then, line_handler on_line) {
  CAFMCP_ASSERT(!over_ && !then_ && !writing_);
  out_ = std::move(request);
  then_ = std::move(then);
  on_line_ = std::move(on_line);
  sent_ = false;
  if (ready_)
    return send();
  limit_.expires_after(patience_);
  limit_.async_wait([w = weak_from_this()](const boost::system::error_code& ec) {
    if (const auto me = ec ? nullptr : w.lock(); me && !me->ready_)
      me->fail("no connection in time");
  });
  resolve();
}

// An address needs no resolver, whose thread may be busy with names that nobody knows.
void etcd_connection::resolve() {
  boost::system::error_code no_address;
  const auto address = asio::ip::make_address(target_.host, no_address);
  if (!no_address)
    return asio::post(io_, [me = shared_from_this(), address] {
      if (!me->over_)
        me->connect(tcp::resolver::results_type::create(tcp::endpoint{address, me->target_.port}, {}, {}));
    });
  resolver_.async_resolve(
      target_.host, std::to_string(target_.port),
      [me = shared_from_this()](const boost::system::error_code& ec, const auto& found) {
        if (me->over_)
          return;
        ec ? me->fail("cannot find the address of " + me->target_.host + ": " + ec.message())
           : me->connect(found);
      });
}

void etcd_connection::connect(const tcp::resolver::results_type& where) {
  socket_.emplace(io_);
  asio::async_connect(
      *socket_, where, [me = shared_from_this()](const boost::system::error_code& ec, const tcp::endpoint&) {
        if (me->over_)
          return;
        ec ? me->fail("cannot connect to " + me->target_.shown() + ": " + ec.message()) : me->secure();
      });
}

void etcd_connection::secure() {
  channel_ = tls_ ? std::make_unique<channel>(std::move(*socket_), tls_)
                  : std::make_unique<channel>(std::move(*socket_));
  socket_.reset();
  if (target_.certified_for.empty())
    channel_->expect_host(target_.host);
  channel_->handshake(true, [me = shared_from_this()](const boost::system::error_code& ec) {
    if (me->over_)
      return;
    if (ec)
      return me->fail("TLS with " + me->target_.shown() + ": " + ec.message());
    if (!me->target_.certified_for.empty() && !me->channel_->certified_for(me->target_.certified_for))
      return me->fail("the certificate of " + me->target_.shown() + " is for " +
                      me->channel_->certified_names() + " and not for " + me->target_.certified_for);
    me->ready_ = true;
    me->limit_.cancel();
    me->send();
    me->read();
  });
}

void etcd_connection::send() {
  sent_ = true;
  writing_ = true;
  pending_.clear();
  parser_.emplace();
  parser_->eager(true);
  parser_->header_limit(max_header_bytes);
  if (on_line_)
    parser_->body_limit(boost::none);  // each line has one
  else
    parser_->body_limit(answer_bytes_);
  channel_->write(asio::buffer(out_),
                  [me = shared_from_this()](const boost::system::error_code& ec, std::size_t) {
                    me->writing_ = false;
                    if (me->over_)
                      return;
                    ec ? me->fail("cannot write: " + ec.message()) : me->complete();
                  });
}

void etcd_connection::read() {
  const auto room = std::min(read_bytes, in_.max_size() - in_.size());
  if (room == 0)
    return fail("what it says is not HTTP");
  channel_->read_some(in_.prepare(room),
                      [me = shared_from_this()](const boost::system::error_code& ec, std::size_t n) {
                        if (me->over_)
                          return;
                        ec ? me->on_end(ec) : me->on_bytes(n);
                      });
}

void etcd_connection::on_bytes(std::size_t n) {
  in_.commit(n);
  if (!parser_)
    return fail("it speaks unasked");
  boost::system::error_code failed;
  while (in_.size() > 0 && !parser_->is_done()) {
    const auto used = parser_->put(in_.data(), failed);
    in_.consume(used);
    if (failed || used == 0)
      break;
  }
  if (failed && failed != http::error::need_more)
    return fail(failed == http::error::body_limit ? "its answer is too large"
                                                  : "what it says is not HTTP: " + failed.message());
  if (on_line_ && parser_->is_header_done() && !take_lines())
    return;
  complete();
  if (!over_)
    read();
}

// What has no length ends with the connection.
void etcd_connection::on_end(const boost::system::error_code& why) {
  boost::system::error_code failed;
  if (parser_ && parser_->is_header_done() && why == asio::error::eof)
    parser_->put_eof(failed);
  if (!parser_ || failed || !parser_->is_done() || parser_->keep_alive())
    return fail("it hung up: " + why.message());
  complete();
}

// False: it is over.
bool etcd_connection::take_lines() {
  auto& body = parser_->get().body();
  pending_ += body;
  body.clear();
  if (parser_->get().result_int() == 200) {
    std::size_t begin = 0;
    for (auto end = pending_.find('\n'); end != std::string::npos; end = pending_.find('\n', begin)) {
      // It may end us.
      if (end > begin)
        on_line_(std::string_view{pending_}.substr(begin, end - begin));
      if (over_)
        return false;
      begin = end + 1;
    }
    pending_.erase(0, begin);
  }
  if (pending_.size() <= answer_bytes_)
    return true;
  fail("its answer is too large");
  return false;
}

// The next request may use what this one has written from, so both directions must be through.
void etcd_connection::complete() {
  if (!parser_ || !parser_->is_done() || writing_)
    return;
  etcd_exchange out{true, true, parser_->get().result_int(),
                    on_line_ ? std::move(pending_) : std::move(parser_->get().body())};
  const bool reusable = parser_->keep_alive() && in_.size() == 0;
  parser_.reset();
  on_line_ = {};
  if (!reusable)
    close();
  std::exchange(then_, {})(std::move(out));
}

void etcd_connection::fail(const std::string& why) {
  if (over_)
    return;
  auto then = std::exchange(then_, {});
  const bool sent = sent_;
  close();
  if (then)
    then({false, sent, 0, why});
}

void etcd_connection::close() {
  if (over_)
    return;
  over_ = true;
  // This may be called from within one of the handlers, which must not die meanwhile.
  asio::post(io_, [me = shared_from_this()] {
    me->then_ = {};
    me->on_line_ = {};
  });
  limit_.cancel();
  resolver_.cancel();
  boost::system::error_code ignored;
  if (socket_)
    socket_->close(ignored);
  if (channel_)
    channel_->close();
}

}  // namespace cafmcp::cluster
