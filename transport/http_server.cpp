#include "transport/http_server.hpp"

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <boost/asio/basic_socket_acceptor.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <cerrno>
#include <chrono>
#include <system_error>

#include "transport/request_parser.hpp"

namespace cafmcp::transport {

using namespace std::chrono_literals;
using boost::asio::ip::tcp;

namespace {

constexpr auto first_pause = 10ms;
constexpr auto longest_pause = 1000ms;

// Connections taken in one turn, so that a flood of them leaves room for the others on this context.
constexpr int batch = 64;

net::unique_fd open_reserve() {
  return net::unique_fd{::open("/dev/null", O_RDONLY | O_CLOEXEC)};
}

// Errors of the connection that was waiting, not of the socket it waited at; see accept(2).
bool concerns_one_connection(int code) {
  constexpr std::array codes{ECONNABORTED, EPROTO,       EPERM,      ENETDOWN,    ENOPROTOOPT,
                             EHOSTDOWN,    EHOSTUNREACH, EOPNOTSUPP, ENETUNREACH, ENONET};
  return std::find(codes.begin(), codes.end(), code) != codes.end();
}

}  // namespace

/// The loop. Belongs to its context's thread once it runs.
class accept_loop : public std::enable_shared_from_this<accept_loop> {
 public:
  accept_loop(boost::asio::io_context& io, net::unique_fd reserve,
              std::shared_ptr<connection_set> connections)
      : acceptor_(io), timer_(io), reserve_(std::move(reserve)), connections_(std::move(connections)) {}

  bool open(const tcp& protocol, net::unique_fd fd) {
    boost::system::error_code ec;
    acceptor_.assign(protocol, fd.get(), ec);
    if (!ec)
      fd.release();
    return !ec;
  }

  boost::asio::basic_socket_acceptor<tcp, boost::asio::io_context::executor_type>& acceptor() {
    return acceptor_;
  }

  void wait() {
    acceptor_.async_wait(
        tcp::acceptor::wait_read,
        [self = shared_from_this()](const boost::system::error_code& ec) { self->ready(ec); });
  }

  void stop() {
    boost::system::error_code ec;
    acceptor_.close(ec);
    timer_.cancel();
  }

 private:
  void ready(const boost::system::error_code& ec) {
    if (!acceptor_.is_open())
      return;
    if (ec)
      return pause();
    for (int i = 0; i < batch; ++i)
      if (!accept_one())
        return;
    wait();
  }

  // Whether to go on at once; if not, a wait or a pause has begun.
  bool accept_one() {
    tcp::endpoint remote;
    auto size = static_cast<socklen_t>(remote.capacity());
    net::unique_fd fd{
        ::accept4(acceptor_.native_handle(), remote.data(), &size, SOCK_CLOEXEC | SOCK_NONBLOCK)};
    if (fd) {
      pause_ = first_pause;
      remote.resize(std::min<std::size_t>(size, remote.capacity()));
      connections_->adopt(std::move(fd), remote);
      return true;
    }
    const auto code = errno;
    if (code == EINTR)
      return true;
    if (code == EAGAIN) {
      wait();
      return false;
    }
    connections_->counters().accept_errors.add();
    if (concerns_one_connection(code))
      return true;
    connections_->report(event::kind::accept_failed, std::generic_category().message(code));
    if (code == EMFILE || code == ENFILE)
      shed();
    pause();
    return false;
  }

  // Answers waiting clients with the help of the reserve descriptor, instead of leaving them without an
  // answer.
  void shed() {
    for (int i = 0; i < batch && reserve_; ++i) {
      reserve_.reset();
      net::unique_fd fd{::accept4(acceptor_.native_handle(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK)};
      const bool got = static_cast<bool>(fd);
      if (got) {
        connections_->counters().accepted.add();
        connections_->refuse(std::move(fd), refusals::out_of_descriptors,
                             connections_->counters().refused_descriptors);
      }
      reserve_ = open_reserve();
      if (!got)
        return;
    }
  }

  void pause() {
    connections_->counters().accept_backoffs.add();
    timer_.expires_after(pause_);
    pause_ = std::min(pause_ * 2, std::chrono::milliseconds{longest_pause});
    timer_.async_wait([self = shared_from_this()](const boost::system::error_code&) {
      if (!self->acceptor_.is_open())
        return;
      if (!self->reserve_)
        self->reserve_ = open_reserve();
      self->wait();
    });
  }

  boost::asio::basic_socket_acceptor<tcp, boost::asio::io_context::executor_type> acceptor_;
  boost::asio::steady_timer timer_;
  net::unique_fd reserve_;
  std::shared_ptr<connection_set> connections_;
  std::chrono::milliseconds pause_{first_pause};
};

http_server::http_server(otp::io_pool& pool, const net::listener& socket,
                         std::shared_ptr<connection_set> connections, std::size_t context)
    : pool_(pool),
      fd_(socket.fd()),
      endpoint_(socket.endpoint()),
      context_(context),
      connections_(std::move(connections)) {}

http_server::~http_server() {
  stop_accepting();
}

result<void> http_server::start() {
  auto& io = pool_.context(context_);
  net::unique_fd copy{::fcntl(fd_, F_DUPFD_CLOEXEC, 0)};
  auto reserve = open_reserve();
  if (!copy || !reserve)
    return fail(errc::io, "cannot accept connections: " + std::generic_category().message(errno) +
                              "; raise the limit of open files (ulimit -n)");
  auto loop = std::make_shared<accept_loop>(io, std::move(reserve), connections_);
  if (!loop->open(endpoint_.protocol(), std::move(copy)))
    return fail(errc::io, "cannot accept connections: the listening socket cannot be watched");
  loop_ = loop;
  boost::asio::post(io, [loop = std::move(loop)] { loop->wait(); });
  return {};
}

void http_server::stop_accepting() {
  if (const auto loop = loop_.lock())
    boost::asio::post(loop->acceptor().get_executor(), [loop] { loop->stop(); });
  loop_.reset();
}

}  // namespace cafmcp::transport
