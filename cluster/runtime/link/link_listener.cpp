#include "cluster/runtime/link/link_listener.hpp"

#include <unistd.h>

#include "base/log.hpp"
#include "cluster/runtime/link/link_messages.hpp"

namespace cafmcp::cluster {

namespace asio = boost::asio;
using asio::ip::tcp;

namespace {

log::logger& logger() {
  static auto& instance = log::get("cluster");
  return instance;
}

// After an error: out of descriptors, most likely, so others have to close some first.
constexpr std::chrono::milliseconds pause{100};

}  // namespace

// Accepts until it is closed. On the actor's context; what is accepted is spread over all.
struct link_listener::loop : std::enable_shared_from_this<loop> {
  loop(link_listener& owner, asio::io_context& io)
      : environment(owner.environment_),
        gate(owner.gate_),
        names(owner.names_),
        manager(owner.manager_),
        acceptor(io),
        timer(io) {}

  bool open(const net::listener& socket) {
    const int fd = ::dup(socket.fd());
    boost::system::error_code ec;
    if (fd >= 0)
      acceptor.assign(socket.endpoint().protocol(), fd, ec);
    if (fd >= 0 && ec)
      ::close(fd);
    return fd >= 0 && !ec;
  }

  void accept() {
    auto& io = environment->pool->context(environment->pool->next());
    acceptor.async_accept(io, [me = shared_from_this(), &io](const boost::system::error_code& ec,
                                                             tcp::socket socket) {
      if (!me->acceptor.is_open())
        return;
      if (ec)
        return me->rest(ec);
      me->welcome(io, std::move(socket));
      me->accept();
    });
  }

  void rest(const boost::system::error_code& ec) {
    logger().warn("cannot accept a link yet", {{"reason", ec.message()}});
    timer.expires_after(pause);
    timer.async_wait([me = shared_from_this()](const boost::system::error_code& stopped) {
      if (!stopped && me->acceptor.is_open())
        me->accept();
    });
  }

  void welcome(asio::io_context& io, tcp::socket socket) {
    boost::system::error_code ec;
    const auto host = socket.remote_endpoint(ec).address().to_string();
    if (ec)
      return;
    const auto c = candidate::accepted(environment, io, std::move(socket));
    gate->enter(c, host);
    c->start([gate = gate, names = names, manager = manager](const std::shared_ptr<candidate>& who,
                                                             candidate::event what) {
      gate->leave(*who);
      if (const auto to = names->lookup(manager))
        caf::anon_send(*to, candidate_event{who, what});
    });
  }

  void close() {
    boost::system::error_code ignored;
    acceptor.close(ignored);
    timer.cancel();
  }

  const link_environment_ptr environment;
  const std::shared_ptr<stranger_gate> gate;
  const std::shared_ptr<otp::name_table> names;
  const std::string manager;
  tcp::acceptor acceptor;
  asio::steady_timer timer;
};

link_listener::link_listener(caf::actor_config& config, link_environment_ptr environment,
                             std::shared_ptr<const net::listener> socket, std::shared_ptr<stranger_gate> gate,
                             std::shared_ptr<otp::name_table> names, std::string manager)
    : base_actor(config),
      environment_(std::move(environment)),
      socket_(std::move(socket)),
      gate_(std::move(gate)),
      names_(std::move(names)),
      manager_(std::move(manager)) {}

caf::behavior link_listener::make_behavior() {
  begin();
  return {[](caf::ping_atom) { return caf::pong_atom_v; }};
}

void link_listener::begin() {
  loop_ = std::make_shared<loop>(*this, home()->io());
  if (loop_->open(*socket_))
    return loop_->accept();
  logger().error("cannot accept links yet", {{"reason", "out of descriptors"}});
  start_timer(std::chrono::milliseconds{500}, [this] { begin(); });
}

void link_listener::terminate(const caf::error&) {
  if (loop_)
    loop_->close();
}

}  // namespace cafmcp::cluster
