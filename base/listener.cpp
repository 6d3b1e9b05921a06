#include "base/listener.hpp"

#include <netdb.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <memory>
#include <system_error>

namespace cafmcp::net {

namespace {

std::string advice(int code) {
  switch (code) {
    case EADDRINUSE:
      return "; is another node running? Stop it or choose another port (0 picks a free one)";
    case EACCES:
      return "; ports below 1024 need root or CAP_NET_BIND_SERVICE, choose another port";
    case EADDRNOTAVAIL:
      return "; no interface of this machine has this address";
    default:
      return "";
  }
}

// Opens, binds and listens; the error is an errno.
int open_at(const addrinfo& where, int backlog, unique_fd& out) {
  unique_fd fd{::socket(where.ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)};
  const int on = 1;
  const int off = 0;
  if (!fd || ::setsockopt(fd.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) != 0)
    return errno;
  // "::" takes IPv4 clients too.
  if (where.ai_family == AF_INET6)
    ::setsockopt(fd.get(), IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof off);
  if (::bind(fd.get(), where.ai_addr, where.ai_addrlen) != 0 || ::listen(fd.get(), backlog) != 0)
    return errno;
  out = std::move(fd);
  return 0;
}

}  // namespace

void unique_fd::reset() noexcept {
  if (fd_ >= 0)
    ::close(std::exchange(fd_, -1));
}

result<listener> listen(const std::string& host, std::uint16_t port, int backlog) {
  const auto bare = host.starts_with('[') && host.ends_with(']') ? host.substr(1, host.size() - 2) : host;
  const auto shown = bare.find(':') == std::string::npos ? bare : "[" + bare + "]";
  const auto what = "cannot listen on " + shown + ":" + std::to_string(port) + ": ";
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_PASSIVE;
  addrinfo* found = nullptr;
  const auto failed =
      ::getaddrinfo(bare.empty() ? nullptr : bare.c_str(), std::to_string(port).c_str(), &hints, &found);
  if (failed != 0)
    return fail(errc::io, what + ::gai_strerror(failed) + "; check the host part of the address");
  const std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)> owner{found, &::freeaddrinfo};
  int code = EADDRNOTAVAIL;
  for (const auto* where = found; where != nullptr; where = where->ai_next) {
    unique_fd fd;
    code = open_at(*where, backlog, fd);
    if (code != 0)
      continue;
    boost::asio::ip::tcp::endpoint endpoint;
    auto size = static_cast<socklen_t>(endpoint.capacity());
    if (::getsockname(fd.get(), endpoint.data(), &size) != 0)
      return fail(errc::io, what + std::generic_category().message(errno));
    endpoint.resize(size);
    return listener{std::move(fd), endpoint};
  }
  return fail(errc::io, what + std::generic_category().message(code) + advice(code));
}

}  // namespace cafmcp::net
