#include "cluster/runtime/coordinator/etcd_options.hpp"

#include <openssl/err.h>
#include <openssl/ssl.h>

#include <boost/asio/ip/address.hpp>
#include <charconv>

#include "base/log.hpp"

namespace cafmcp::cluster {

namespace {

constexpr int max_chain_length = 8;

/// A DNS name, or an address: nothing that could be part of anything else in a request.
bool plausible_host(std::string_view host) {
  constexpr std::string_view allowed = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._";
  return !host.empty() && host.size() <= 253 && host.find_first_not_of(allowed) == std::string_view::npos;
}

}  // namespace

result<etcd_target> parse_endpoint(const etcd_endpoint& endpoint) {
  const auto refuse = [&](const std::string& why) {
    return fail(errc::invalid, "etcd endpoint " + log::printable(endpoint.url, 256) + ": " + why +
                                   "; it should look like http://10.0.0.1:2379");
  };
  etcd_target out;
  out.certified_for = endpoint.certified_for;
  std::string_view rest = endpoint.url;
  if (rest.starts_with("https://"))
    out.secure = true;
  else if (!rest.starts_with("http://"))
    return refuse("neither http:// nor https://");
  rest.remove_prefix(out.secure ? 8 : 7);
  if (rest.ends_with('/'))
    rest.remove_suffix(1);
  const bool bracketed = rest.starts_with('[');
  const auto end = bracketed ? rest.find(']') : rest.find(':');
  if (bracketed && end == std::string_view::npos)
    return refuse("a bracket is missing");
  out.host = rest.substr(bracketed ? 1 : 0, bracketed ? end - 1 : end);
  rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + (bracketed ? 1 : 0));
  boost::system::error_code failed;
  if (bracketed)
    boost::asio::ip::make_address_v6(out.host, failed);
  if (bracketed ? failed.failed() : !plausible_host(out.host))
    return refuse("this is no host");
  if (rest.empty())
    return out;
  const auto* const last = rest.data() + rest.size();
  const auto parsed = std::from_chars(rest.data() + 1, last, out.port);
  if (rest.front() != ':' || parsed.ec != std::errc{} || parsed.ptr != last || out.port == 0)
    return refuse("this is no port");
  return out;
}

result<std::shared_ptr<boost::asio::ssl::context>> etcd_tls(const etcd_tls_files& files) {
  auto out = std::make_shared<boost::asio::ssl::context>(boost::asio::ssl::context::tls_client);
  auto* ctx = out->native_handle();
  ::SSL_CTX_set_min_proto_version(ctx, TLS1_2_VERSION);
  ::SSL_CTX_set_options(ctx, SSL_OP_NO_RENEGOTIATION);
  ::SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
  ::SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER, nullptr);
  ::SSL_CTX_set_verify_depth(ctx, max_chain_length);
  boost::system::error_code failed;
  const auto refuse = [&](const char* what, const std::string& path) {
    ::ERR_clear_error();
    return fail(errc::invalid, std::string(what) + ' ' + log::printable(path) +
                                   " cannot be used: " + failed.message() + "; it should be a PEM file");
  };
  files.ca.empty() ? out->set_default_verify_paths(failed) : out->load_verify_file(files.ca, failed);
  if (failed)
    return refuse("etcd's authority", files.ca);
  if (files.cert.empty() != files.key.empty())
    return fail(errc::invalid, "etcd: a certificate and its key go together; one of them is missing");
  if (files.cert.empty())
    return out;
  if (out->use_certificate_chain_file(files.cert, failed); failed)
    return refuse("the certificate for etcd", files.cert);
  if (out->use_private_key_file(files.key, boost::asio::ssl::context::pem, failed); failed)
    return refuse("the key for etcd", files.key);
  return out;
}

}  // namespace cafmcp::cluster
