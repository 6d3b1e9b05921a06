#include "cluster/runtime/link/tls.hpp"

#include <fcntl.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509_vfy.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <boost/system/system_error.hpp>
#include <cerrno>
#include <system_error>
#include <utility>

#include "base/listener.hpp"
#include "base/log.hpp"
#include "cluster/runtime/link/certificate.hpp"

namespace cafmcp::cluster {

namespace {

constexpr std::size_t max_file_bytes = 256U << 10U;
/// What a peer may show before it is known: some twenty certificates.
constexpr long max_peer_chain_bytes = 32L << 10U;
constexpr int max_chain_length = 4;
/// OpenSSL's: 112 bits, so RSA from 2048 on, no SHA-1.
constexpr int security_level = 2;

/// One of the three files: which key names it, and where it is.
struct source {
  const char* key;
  const std::string& path;

  error wrong(errc code, const std::string& what) const {
    return fail(code, std::string(key) + ' ' + log::printable(path) + ": " + what);
  }
  error wrong(const std::string& what) const { return wrong(errc::invalid, what); }
};

struct content {
  std::string bytes;
  mode_t mode = 0;
};

result<content> read_file(const source& from) {
  const auto failed = [&] {
    const auto* advice = errno == ENOENT   ? "; scripts/certs makes the three files"
                         : errno == EACCES ? "; let the user that runs the node read it"
                                           : "; check the path";
    return from.wrong(errc::io, "cannot be read: " + std::generic_category().message(errno) + advice);
  };
  const net::unique_fd fd{::open(from.path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK)};
  struct stat about {};
  if (!fd || ::fstat(fd.get(), &about) != 0) {
    return failed();
  }
  content out{std::string(max_file_bytes + 1, '\0'), about.st_mode};
  std::size_t size = 0;
  while (size < out.bytes.size()) {
    const auto n = ::read(fd.get(), out.bytes.data() + size, out.bytes.size() - size);
    if (n < 0 && errno != EINTR) {
      return failed();
    }
    if (n == 0) {
      break;
    }
    size += static_cast<std::size_t>(std::max<ssize_t>(n, 0));
  }
  if (size > max_file_bytes) {
    return from.wrong("is larger than 256 KiB, so it is not what it should be; check the path");
  }
  out.bytes.resize(size);
  return out;
}

result<std::vector<certificate_ptr>> read_certificates(const source& from) {
  const auto file = read_file(from);
  if (!file) {
    return file.error();
  }
  auto parsed = parse_certificates(file->bytes);
  if (!parsed) {
    return from.wrong(parsed.error().message);
  }
  return parsed;
}

result<key_ptr> read_key(const source& from, std::vector<std::string>& warnings) {
  auto file = read_file(from);
  if (!file) {
    return file.error();
  }
  auto parsed = parse_key(file->bytes);
  ::OPENSSL_cleanse(file->bytes.data(), file->bytes.size());
  if (!parsed) {
    return from.wrong(parsed.error().message);
  }
  if ((file->mode & 077U) != 0) {
    warnings.push_back(
        from.wrong("other users may read this key; chmod 600 " + log::printable(from.path)).message);
  }
  return parsed;
}

/// What stays in the queue would look like the error of something else that this thread does with OpenSSL.
struct clean_error_queue {
  ~clean_error_queue() { ::ERR_clear_error(); }
};

/// What both directions have in common, still without certificates.
std::shared_ptr<boost::asio::ssl::context> make_context() {
  auto out = std::make_shared<boost::asio::ssl::context>(boost::asio::ssl::context::tlsv13);
  auto* ctx = out->native_handle();
  ::SSL_CTX_set_security_level(ctx, security_level);
  ::SSL_CTX_set_options(ctx, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_TICKET);
  ::SSL_CTX_set_num_tickets(ctx, 0);
  ::SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
  ::SSL_CTX_set_mode(ctx, SSL_MODE_NO_AUTO_CHAIN);
  ::SSL_CTX_set_max_cert_list(ctx, max_peer_chain_bytes);
  ::SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
  ::SSL_CTX_set_verify_depth(ctx, max_chain_length);
  return out;
}

/// The authorities become all that `ctx` believes. One that is signed by another is believed by itself.
result<void> trust(SSL_CTX* ctx, const std::vector<certificate_ptr>& authorities, const source& from) {
  auto* store = ::SSL_CTX_get_cert_store(ctx);
  ::X509_STORE_set_flags(store, X509_V_FLAG_PARTIAL_CHAIN);
  for (const auto& authority : authorities) {
    if (::X509_check_ca(authority.get()) != 1) {
      return from.wrong(
          "holds a certificate that may not sign others (for " + shown_names(authority.get()) +
          "); give the one that signed the nodes' certificates, such as ca.pem of scripts/certs");
    }
    if (::X509_STORE_add_cert(store, authority.get()) != 1) {
      return from.wrong("cannot be used: " + take_openssl_error());
    }
  }
  return {};
}

std::string advice_to_renew(const std::string& node_name) {
  return "make a new one with scripts/certs --renew DIR " + node_name;
}

/// What a failed verification of our own certificate means, and what to do.
std::string explain(X509_STORE_CTX* verification, const tls_files& files, const std::string& node_name) {
  const auto* culprit = ::X509_STORE_CTX_get_current_cert(verification);
  const bool above = ::X509_STORE_CTX_get_error_depth(verification) > 0;
  const auto code = ::X509_STORE_CTX_get_error(verification);
  const std::string who = above ? "is signed by a certificate that " : "";
  switch (code) {
    case X509_V_ERR_CERT_HAS_EXPIRED:
      return who + "expired on " + shown_time(valid_until(culprit)) + "; " +
             (above ? "the cluster needs a new authority, and new certificates of it"
                    : advice_to_renew(node_name));
    case X509_V_ERR_CERT_NOT_YET_VALID:
      return who + "is not valid before " + shown_time(valid_from(culprit)) + "; check this machine's clock";
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
    case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
    case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
    case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
    case X509_V_ERR_CERT_SIGNATURE_FAILURE:
      return "is not signed by the authority in cluster.tls.ca " + log::printable(files.ca) +
             "; give both from the same DIR of scripts/certs";
    case X509_V_ERR_INVALID_PURPOSE:
      return who +
             "may not be used for both ends of a link; extendedKeyUsage must have serverAuth and "
             "clientAuth, as scripts/certs makes it";
    case X509_V_ERR_INVALID_CA:
      return who + "may not sign others; give what an authority has signed, as scripts/certs does";
    default:
      return who + "cannot be used: " + ::X509_verify_cert_error_string(code) + "; " +
             advice_to_renew(node_name);
  }
}

/// Checks our own certificate as peers will, as both ends; gives the end of what it hangs on.
result<std::chrono::system_clock::time_point> verify(SSL_CTX* ctx, const std::vector<certificate_ptr>& chain,
                                                     const source& from, const tls_files& files,
                                                     const std::string& node_name) {
  using stack_ptr = std::unique_ptr<STACK_OF(X509), decltype([](STACK_OF(X509) * s) { sk_X509_free(s); })>;
  const stack_ptr between{sk_X509_new_null()};
  for (std::size_t i = 1; i < chain.size(); ++i) {
    sk_X509_push(between.get(), chain[i].get());
  }
  auto end = std::chrono::system_clock::time_point::max();
  for (const auto* role : {"ssl_server", "ssl_client"}) {
    const std::unique_ptr<X509_STORE_CTX, freed_by<X509_STORE_CTX_free>> v{::X509_STORE_CTX_new()};
    if (!v || !between ||
        ::X509_STORE_CTX_init(v.get(), ::SSL_CTX_get_cert_store(ctx), chain[0].get(), between.get()) != 1 ||
        ::X509_STORE_CTX_set_default(v.get(), role) != 1) {
      return from.wrong(errc::internal, "cannot be checked: " + take_openssl_error());
    }
    auto* rules = ::X509_STORE_CTX_get0_param(v.get());
    ::X509_VERIFY_PARAM_set_auth_level(rules, security_level);
    ::X509_VERIFY_PARAM_set_depth(rules, max_chain_length);
    if (::X509_verify_cert(v.get()) != 1) {
      return from.wrong(explain(v.get(), files, node_name));
    }
    auto* verified = ::X509_STORE_CTX_get0_chain(v.get());
    for (int i = 0; i < sk_X509_num(verified); ++i) {
      end = std::min(end, valid_until(sk_X509_value(verified, i)));
    }
  }
  return end;
}

/// Our side: the certificate, what stands between it and the authority, and the key.
result<void> show(SSL_CTX* ctx, const std::vector<certificate_ptr>& chain, EVP_PKEY* key,
                  const source& from) {
  bool done = ::SSL_CTX_use_certificate(ctx, chain[0].get()) == 1 && ::SSL_CTX_use_PrivateKey(ctx, key) == 1;
  for (std::size_t i = 1; done && i < chain.size(); ++i) {
    done = SSL_CTX_add1_chain_cert(ctx, chain[i].get()) == 1;
  }
  if (!done) {
    return from.wrong("cannot be used: " + take_openssl_error());
  }
  return {};
}

}  // namespace

result<tls_identity::state> tls_identity::read(const tls_files& files, const std::string& node_name) try {
  const source ca{"cluster.tls.ca", files.ca};
  const source cert{"cluster.tls.cert", files.cert};
  const source key{"cluster.tls.key", files.key};
  const clean_error_queue at_end;
  state out;
  const auto authorities = read_certificates(ca);
  if (!authorities) {
    return authorities.error();
  }
  const auto chain = read_certificates(cert);
  if (!chain) {
    return chain.error();
  }
  const auto secret = read_key(key, out.warnings);
  if (!secret) {
    return secret.error();
  }
  const auto* own = chain->front().get();
  if (::X509_check_private_key(own, secret->get()) != 1) {
    return key.wrong("is not the key of the certificate in cluster.tls.cert " + log::printable(files.cert) +
                     "; give the two that were made together");
  }
  out.context = make_context();
  auto* ctx = out.context->native_handle();
  if (const auto trusted = trust(ctx, *authorities, ca); !trusted) {
    return trusted.error();
  }
  const auto end = verify(ctx, *chain, cert, files, node_name);
  if (!end) {
    return end.error();
  }
  if (!is_for(own, node_name)) {
    return cert.wrong("is for " + shown_names(own) + ", but this node's name is \"" +
                      log::printable(node_name, 80) + "\"; make one with scripts/certs DIR " +
                      log::printable(node_name, 80));
  }
  if (const auto shown = show(ctx, *chain, secret->get(), cert); !shown) {
    return shown.error();
  }
  out.expires = *end;
  return out;
} catch (const boost::system::system_error& e) {
  return fail(errc::internal, std::string("cluster.tls: OpenSSL: ") + e.what());
}

tls_identity::tls_identity(tls_files files, std::string node_name, state first)
    : files_(std::move(files)), node_name_(std::move(node_name)), state_(std::move(first)) {}

result<std::shared_ptr<tls_identity>> tls_identity::load(tls_files files, const std::string& node_name) {
  auto first = read(files, node_name);
  if (!first) {
    return first.error();
  }
  return std::shared_ptr<tls_identity>(new tls_identity(std::move(files), node_name, std::move(*first)));
}

std::shared_ptr<boost::asio::ssl::context> tls_identity::context() const {
  const std::lock_guard lock(mutex_);
  return state_.context;
}

result<void> tls_identity::reload() {
  const std::lock_guard one(reloading_);
  auto next = read(files_, node_name_);
  if (!next) {
    return next.error();
  }
  const std::lock_guard lock(mutex_);
  std::swap(state_, *next);
  return {};
}

std::chrono::system_clock::time_point tls_identity::expires() const {
  const std::lock_guard lock(mutex_);
  return state_.expires;
}

std::vector<std::string> tls_identity::warnings() const {
  const std::lock_guard lock(mutex_);
  return state_.warnings;
}

bool certified_for(const SSL* ssl, std::string_view name) {
  // Before the end of the handshake there may be a certificate, but no proof yet that the peer has its key.
  return ::SSL_is_init_finished(ssl) == 1 && ::SSL_get_verify_result(ssl) == X509_V_OK &&
         is_for(::SSL_get0_peer_certificate(ssl), name);
}

std::string certified_names(const SSL* ssl) {
  const auto* certificate = ::SSL_get0_peer_certificate(ssl);
  return certificate == nullptr ? "nobody (there is none)" : shown_names(certificate);
}

}  // namespace cafmcp::cluster
