#include "cluster/runtime/link/candidate.hpp"

#include <openssl/err.h>
#include <openssl/sslerr.h>

#include <boost/asio/connect.hpp>
#include <boost/asio/dispatch.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/ssl/error.hpp>

#include "cluster/runtime/link/link_directory.hpp"

namespace cafmcp::cluster {

namespace asio = boost::asio;
using asio::ip::tcp;

namespace {

constexpr const char* half_tls =
    "one side has TLS and the other has none: give all nodes cluster.tls, or none";

bool is_no_tls(const boost::system::error_code& ec) {
  return ec.category() == asio::error::get_ssl_category() &&
         ERR_GET_REASON(static_cast<unsigned long>(ec.value())) == SSL_R_WRONG_VERSION_NUMBER;
}

// How TLS begins, or refuses what is none: a record of a handshake, or an alert.
bool is_tls(std::string_view header) {
  return (header[0] == 0x16 || header[0] == 0x15) && header[1] == 0x03;
}

}  // namespace

candidate::candidate(link_environment_ptr environment, asio::io_context& io, bool dialer,
                     std::string expected)
    : environment_(std::move(environment)),
      io_(io),
      dialer_(dialer),
      talk_(dialer, environment_->greeting(), environment_->secret, std::move(expected)),
      deadline_(io),
      resolver_(io) {}

candidate::~candidate() = default;

std::shared_ptr<candidate> candidate::accepted(link_environment_ptr environment, asio::io_context& io,
                                               tcp::socket socket) {
  std::shared_ptr<candidate> c{new candidate(std::move(environment), io, false, {})};
  c->use(std::move(socket));
  return c;
}

std::shared_ptr<candidate> candidate::dial(link_environment_ptr environment, asio::io_context& io,
                                           std::string host, std::uint16_t port, std::string expected) {
  std::shared_ptr<candidate> c{new candidate(std::move(environment), io, true, std::move(expected))};
  c->host_ = std::move(host);
  c->port_ = port;
  c->remote_ = c->host_ + ':' + std::to_string(port);
  return c;
}

void candidate::use(tcp::socket socket) {
  const auto tls = environment_->tls ? environment_->tls->context() : nullptr;
  channel_ =
      tls ? std::make_unique<channel>(std::move(socket), tls) : std::make_unique<channel>(std::move(socket));
  if (remote_.empty())
    remote_ = channel_->remote();
}

void candidate::start(handler on_event) {
  on_event_ = std::move(on_event);
  asio::post(io_, [me = shared_from_this()] {
    if (me->over_)
      return;
    me->deadline_.expires_after(me->channel_ ? me->environment_->manners.handshake
                                             : me->environment_->manners.connect);
    me->deadline_.async_wait([w = me->weak_from_this()](const boost::system::error_code& ec) {
      if (const auto c = ec ? nullptr : w.lock())
        c->fail(cafmcp::fail(errc::timeout, c->channel_ ? "no handshake in time" : "no connection in time"));
    });
    me->channel_ ? me->secure() : me->resolve();
  });
}

void candidate::resolve() {
  resolver_.async_resolve(host_, std::to_string(port_),
                          [me = shared_from_this()](const boost::system::error_code& ec, const auto& found) {
                            if (me->over_)
                              return;
                            if (ec)
                              return me->fail(cafmcp::fail(
                                  errc::io, "cannot find the address of " + me->host_ + ": " + ec.message()));
                            me->connect(found);
                          });
}

void candidate::connect(const tcp::resolver::results_type& where) {
  socket_.emplace(io_);
  asio::async_connect(*socket_, where,
                      [me = shared_from_this()](const boost::system::error_code& ec, const tcp::endpoint&) {
                        if (me->over_)
                          return;
                        me->refused_by_host_ = ec == asio::error::connection_refused;
                        if (ec)
                          return me->fail(cafmcp::fail(errc::io, "cannot connect: " + ec.message()));
                        me->use(std::move(*me->socket_));
                        me->socket_.reset();
                        // The handshake has time of its own.
                        me->deadline_.cancel();
                        const auto on_event = std::move(me->on_event_);
                        me->start(on_event);
                      });
}

void candidate::secure() {
  channel_->handshake(dialer_, [me = shared_from_this()](const boost::system::error_code& ec) {
    if (me->over_)
      return;
    if (is_no_tls(ec))
      return me->on_no_tls();
    if (ec)
      return me->fail(cafmcp::fail(errc::denied, "TLS: " + ec.message()));
    me->write(me->talk_.begin(), [me] { me->read_header(); });
  });
}

// The other side is told in its own way, if that can be done at once.
void candidate::on_no_tls() {
  boost::system::error_code ignored;
  channel_->socket().non_blocking(true, ignored);
  channel_->socket().write_some(asio::buffer(encode_frame(handshake_frame::refusal, half_tls)), ignored);
  fail(cafmcp::fail(errc::denied, half_tls));
}

// Reads exactly so many bytes: what follows the handshake is the link's.
void candidate::read(std::size_t bytes, std::function<void()> then) {
  in_.resize(bytes);
  if (have_ == bytes) {
    have_ = 0;
    return then();
  }
  channel_->read_some(asio::buffer(in_.data() + have_, bytes - have_),
                      [me = shared_from_this(), bytes, then = std::move(then)](
                          const boost::system::error_code& ec, std::size_t n) mutable {
                        if (me->over_)
                          return;
                        if (ec)
                          return me->fail(cafmcp::fail(errc::io, "the other side hung up: " + ec.message()));
                        me->have_ += n;
                        me->read(bytes, std::move(then));
                      });
}

void candidate::read_header() {
  read(handshake_header_bytes, [this] {
    if (is_tls(in_))
      return say_and_fail(cafmcp::fail(errc::denied, half_tls));
    const auto head = decode_header(in_);
    if (!head)
      return fail(cafmcp::fail(errc::denied, "this is no node"));
    read(head->first, [this, kind = head->second] { on_frame(kind); });
  });
}

void candidate::on_frame(handshake_frame kind) {
  const auto before = talk_.state();
  const bool greeted = !talk_.peer().node.empty();
  auto answer = talk_.receive(kind, in_);
  if (!answer)
    return answer.error().code == errc::conflict ? fail(answer.error()) : say_and_fail(answer.error());
  if (const auto why = greeted ? std::nullopt : objection())
    return say_and_fail(*why);
  const auto state = talk_.state();
  write(std::move(*answer), [this, before, state] {
    if (state == handshake_state::ready)
      return become(event::taken);
    if (state == handshake_state::proven && before != state)
      become(event::proven);
    // The arbiter has nothing to hear any more; the other waits for its word.
    if (!over_ && (state == handshake_state::talking || !talk_.arbiter()))
      read_header();
  });
}

// What speaks against a node that has said who it is.
std::optional<error> candidate::objection() {
  const auto& node = talk_.peer().node;
  if (!channel_->certified_for(node))
    return cafmcp::fail(errc::denied,
                        "the certificate is for " + channel_->certified_names() + " and not for " + node);
  // Whichever of the two decides: the one that is linked keeps its name.
  const auto known = environment_->directory->get(node);
  if (known.link && known.about.id != talk_.peer().id)
    return cafmcp::fail(errc::denied,
                        "another node is called " + node + ": give each a name of its own (--name)");
  return {};
}

void candidate::write(std::string bytes, std::function<void()> then) {
  if (bytes.empty())
    return then();
  out_ = std::move(bytes);
  channel_->write(asio::buffer(out_), [me = shared_from_this(), then = std::move(then)](
                                          const boost::system::error_code& ec, std::size_t) {
    if (me->over_)
      return;
    if (ec)
      return me->fail(cafmcp::fail(errc::io, "the other side hung up: " + ec.message()));
    then();
  });
}

void candidate::take() {
  asio::post(io_, [me = shared_from_this()] {
    if (!me->over_)
      me->write(encode_frame(handshake_frame::ready, {}), [me] { me->become(event::taken); });
  });
}

void candidate::refuse(std::string why) {
  asio::post(io_, [me = shared_from_this(), why = std::move(why)] {
    if (!me->over_)
      me->say_and_fail(cafmcp::fail(errc::conflict, why));
  });
}

void candidate::drop() {
  asio::post(io_,
             [me = shared_from_this()] { me->fail(cafmcp::fail(errc::conflict, "not wanted any more")); });
}

// A stranger learns why, too: it may be a colleague who has mistyped the secret.
void candidate::say_and_fail(const error& why) {
  write(encode_frame(handshake_frame::refusal, std::string_view{why.message}.substr(0, 200)),
        [this, why] { fail(why); });
}

void candidate::fail(error why) {
  if (over_)
    return;
  failure_ = std::move(why);
  if (channel_)
    channel_->close();
  boost::system::error_code ignored;
  if (socket_)
    socket_->close(ignored);
  resolver_.cancel();
  become(event::failed);
}

void candidate::become(event what) {
  if (what != event::proven) {
    over_ = true;
    deadline_.cancel();
  }
  // It may hold whoever holds this: only as long as there is something to tell.
  const auto on_event = what == event::proven ? on_event_ : std::exchange(on_event_, {});
  if (on_event)
    on_event(shared_from_this(), what);
}

link_terms candidate::terms() const {
  const auto& p = talk_.peer();
  // However much the peer would take, more is of no use, and less than a message would never move one.
  const auto within = [](std::uint64_t bytes) {
    return static_cast<std::size_t>(std::clamp<std::uint64_t>(bytes, 64 << 10, 1 << 30));
  };
  return {p.node,
          p.incarnation,
          talk_.version(),
          within(p.window_bytes),
          within(p.actor_bytes),
          within(p.message_bytes)};
}

}  // namespace cafmcp::cluster
