#include "cluster/runtime/link/channel.hpp"

#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/x509_vfy.h>
#include <openssl/x509v3.h>
#include <sys/socket.h>

#include "cluster/runtime/link/tls.hpp"

namespace cafmcp::cluster {

namespace {

/// The kernel takes little more than it can send now. What is urgent then waits behind so much, and not
/// behind the megabytes of a send buffer.
constexpr int unsent_bytes = 128 * 1024;

std::string remote_of(const channel::tcp::socket& socket) {
  boost::system::error_code failed;
  const auto endpoint = socket.remote_endpoint(failed);
  if (failed)
    return "unknown";
  auto address = endpoint.address();
  // A socket for both kinds of addresses shows IPv4 ones mapped.
  if (address.is_v6() && address.to_v6().is_v4_mapped())
    address = boost::asio::ip::make_address_v4(boost::asio::ip::v4_mapped, address.to_v6());
  const auto host = address.to_string();
  return (address.is_v6() ? '[' + host + ']' : host) + ':' + std::to_string(endpoint.port());
}

}  // namespace

channel::channel(tcp::socket socket) : stream_(std::move(socket)) {
  tune();
}

channel::channel(tcp::socket socket, std::shared_ptr<boost::asio::ssl::context> context)
    : context_(std::move(context)), stream_(std::in_place_type<tls_stream>, std::move(socket), *context_) {
  tune();
}

void channel::tune() {
  // Where an option is refused, the link works all the same.
  boost::system::error_code ignored;
  socket().set_option(tcp::no_delay(true), ignored);
  ::setsockopt(socket().native_handle(), IPPROTO_TCP, TCP_NOTSENT_LOWAT, &unsent_bytes, sizeof unsent_bytes);
  remote_ = remote_of(socket());
}

void channel::expect_host(const std::string& host) {
  auto* secured = std::get_if<tls_stream>(&stream_);
  if (secured == nullptr)
    return;
  auto* ssl = secured->native_handle();
  auto* check = ::SSL_get0_param(ssl);
  // What is no address is a name, and only names are sent along.
  if (::X509_VERIFY_PARAM_set1_ip_asc(check, host.c_str()) == 1)
    return;
  ::ERR_clear_error();
  ::X509_VERIFY_PARAM_set_hostflags(check, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
  ::X509_VERIFY_PARAM_set1_host(check, host.data(), host.size());
  SSL_set_tlsext_host_name(ssl, host.c_str());
}

bool channel::certified_for(std::string_view name) {
  auto* secured = std::get_if<tls_stream>(&stream_);
  return secured == nullptr || cluster::certified_for(secured->native_handle(), name);
}

std::string channel::certified_names() {
  auto* secured = std::get_if<tls_stream>(&stream_);
  return secured == nullptr ? "anybody (there is no TLS)"
                            : cluster::certified_names(secured->native_handle());
}

void channel::close() noexcept {
  closed_ = true;
  boost::system::error_code ignored;
  socket().shutdown(tcp::socket::shutdown_both, ignored);
  socket().close(ignored);
}

channel::tcp::socket& channel::socket() noexcept {
  auto* secured = std::get_if<tls_stream>(&stream_);
  return secured != nullptr ? secured->next_layer() : *std::get_if<tcp::socket>(&stream_);
}

}  // namespace cafmcp::cluster
