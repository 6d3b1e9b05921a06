#pragma once
// X.509 certificates as the cluster needs them: parsed from PEM that may be anything, and asked whose they
// are. A certificate is for a node if one of its DNS names (subjectAltName) is the node's name, letter for
// letter but for upper and lower case. OpenSSL's own X509_check_host is not used, since a node's name may
// begin with a dot, which it takes for "any name that ends so". Free functions on the caller's objects:
// thread-compatible. Nothing stays in OpenSSL's error queue.

#include <openssl/evp.h>
#include <openssl/x509.h>

#include <chrono>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"

namespace cafmcp::cluster {

/// Deletes what OpenSSL has made.
template <auto Free>
struct freed_by {
  template <class T>
  void operator()(T* p) const noexcept {
    Free(p);
  }
};

using certificate_ptr = std::unique_ptr<X509, freed_by<X509_free>>;
using key_ptr = std::unique_ptr<EVP_PKEY, freed_by<EVP_PKEY_free>>;

/// All certificates in `pem`, at least one, in their order. Errors are half sentences that follow the file's
/// name.
result<std::vector<certificate_ptr>> parse_certificates(const std::string& pem);

/// The private key in `pem`. Never asks for a passphrase. Errors as above.
result<key_ptr> parse_key(const std::string& pem);

/// Whether `certificate` is for the node `name`. False for a text that can't be a node's name, such as the
/// empty one, one with a null byte, or a wildcard.
bool is_for(const X509* certificate, std::string_view name);

/// Whom `certificate` is for, as messages show it: `"a", "b"`; or that it is for nobody.
std::string shown_names(const X509* certificate);

/// When its validity begins and ends. The epoch for a time that is none.
std::chrono::system_clock::time_point valid_from(const X509* certificate);
std::chrono::system_clock::time_point valid_until(const X509* certificate);

/// `2026-11-26 17:10:00 UTC`.
std::string shown_time(std::chrono::system_clock::time_point t);

/// What OpenSSL says is wrong, and an empty error queue.
std::string take_openssl_error();

}  // namespace cafmcp::cluster
