#pragma once
// Certificates for tests, right and wrong ones: an authority, what it signs, and a folder for the files.
// Not thread-safe.

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <sys/stat.h>

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include "cluster/runtime/link/certificate.hpp"
#include "cluster/runtime/link/tls.hpp"

namespace cafmcp::cluster::test {

inline void must(bool done) {
  if (!done)
    throw std::runtime_error("test certificates: " + take_openssl_error());
}

/// What is in a certificate. The defaults are a node's, without a name.
struct about {
  std::vector<std::string> dns = {};  ///< subjectAltName, raw: may hold anything
  std::string common_name = "test";
  long from = -3600;  ///< seconds from now
  long until = 24L * 3600;
  bool authority = false;
  std::string usage = "serverAuth,clientAuth";  ///< extendedKeyUsage; empty: none
  bool key_ids = true;                          ///< names its key and the authority's
};

inline std::string to_pem(X509* certificate) {
  const std::unique_ptr<BIO, freed_by<BIO_free>> out{::BIO_new(::BIO_s_mem())};
  must(::PEM_write_bio_X509(out.get(), certificate) == 1);
  char* data = nullptr;
  const auto size = BIO_get_mem_data(out.get(), &data);
  return {data, static_cast<std::size_t>(size)};
}

/// PKCS#8; encrypted with `passphrase` if there is one.
inline std::string to_pem(EVP_PKEY* key, const char* passphrase = nullptr) {
  const std::unique_ptr<BIO, freed_by<BIO_free>> out{::BIO_new(::BIO_s_mem())};
  const auto length = passphrase != nullptr ? static_cast<int>(std::string(passphrase).size()) : 0;
  must(::PEM_write_bio_PKCS8PrivateKey(out.get(), key, passphrase != nullptr ? ::EVP_aes_256_cbc() : nullptr,
                                       passphrase, length, nullptr, nullptr) == 1);
  char* data = nullptr;
  const auto size = BIO_get_mem_data(out.get(), &data);
  return {data, static_cast<std::size_t>(size)};
}

inline key_ptr new_key() {
  key_ptr key{EVP_EC_gen("P-256")};
  must(key != nullptr);
  return key;
}

/// A certificate and its key.
struct identity {
  certificate_ptr certificate;
  key_ptr key;

  std::string cert_pem() const { return to_pem(certificate.get()); }
  std::string key_pem() const { return to_pem(key.get()); }
};

inline void add_extension(X509* certificate, int nid, const std::string& value, X509* issuer = nullptr) {
  X509V3_CTX around{};
  X509V3_set_ctx(&around, issuer, certificate, nullptr, nullptr, 0);
  const std::unique_ptr<X509_EXTENSION, freed_by<X509_EXTENSION_free>> e{
      ::X509V3_EXT_conf_nid(nullptr, &around, nid, value.c_str())};
  must(e != nullptr && ::X509_add_ext(certificate, e.get(), -1) == 1);
}

inline void add_names(X509* certificate, const std::vector<std::string>& names) {
  const std::unique_ptr<GENERAL_NAMES, freed_by<GENERAL_NAMES_free>> all{sk_GENERAL_NAME_new_null()};
  for (const auto& name : names) {
    auto* text = ::ASN1_IA5STRING_new();
    must(::ASN1_STRING_set(text, name.data(), static_cast<int>(name.size())) == 1);
    auto* one = ::GENERAL_NAME_new();
    ::GENERAL_NAME_set0_value(one, GEN_DNS, text);
    must(sk_GENERAL_NAME_push(all.get(), one) > 0);
  }
  must(::X509_add1_ext_i2d(certificate, NID_subject_alt_name, all.get(), 0, X509V3_ADD_APPEND) == 1);
}

/// A certificate for a new key, signed by `issuer`, or by itself.
inline identity make(const about& what, const identity* issuer = nullptr) {
  static long serial = 1;
  identity out{certificate_ptr{::X509_new()}, new_key()};
  auto* x = out.certificate.get();
  must(::X509_set_version(x, X509_VERSION_3) == 1 && ::X509_set_pubkey(x, out.key.get()) == 1);
  ::ASN1_INTEGER_set(::X509_get_serialNumber(x), serial++);
  ::X509_gmtime_adj(X509_getm_notBefore(x), what.from);
  ::X509_gmtime_adj(X509_getm_notAfter(x), what.until);
  auto* subject = ::X509_get_subject_name(x);
  must(::X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_UTF8,
                                    reinterpret_cast<const unsigned char*>(what.common_name.c_str()), -1, -1,
                                    0) == 1);
  ::X509_set_issuer_name(x, issuer != nullptr ? ::X509_get_subject_name(issuer->certificate.get()) : subject);
  add_extension(x, NID_basic_constraints, what.authority ? "critical,CA:TRUE" : "critical,CA:FALSE");
  if (!what.authority && !what.usage.empty())
    add_extension(x, NID_ext_key_usage, what.usage);
  if (what.key_ids)
    add_extension(x, NID_subject_key_identifier, "hash");
  if (what.key_ids && issuer != nullptr)
    add_extension(x, NID_authority_key_identifier, "keyid:always", issuer->certificate.get());
  if (!what.dns.empty())
    add_names(x, what.dns);
  must(::X509_sign(x, issuer != nullptr ? issuer->key.get() : out.key.get(), ::EVP_sha256()) > 0);
  return out;
}

inline identity make_authority(long until = 24L * 3600) {
  return make({.common_name = "test CA", .until = until, .authority = true});
}

/// A folder that goes with the object.
class folder {
 public:
  folder() {
    std::string pattern = "/tmp/cafmcp-tls-XXXXXX";
    path_ = ::mkdtemp(pattern.data());
  }
  folder(const folder&) = delete;
  folder& operator=(const folder&) = delete;
  ~folder() { std::filesystem::remove_all(path_); }

  std::string path(const std::string& name) const { return path_ / name; }

  /// Writes a file, readable by its owner alone; gives its path.
  std::string write(const std::string& name, const std::string& content, unsigned mode = 0600) const {
    const auto where = path(name);
    std::ofstream(where, std::ios::binary) << content;
    ::chmod(where.c_str(), mode);
    return where;
  }

  /// The three files of a node.
  tls_files write(const std::string& name, const identity& who, const identity& authority) const {
    return {write(name + ".ca", authority.cert_pem()), write(name + ".pem", who.cert_pem()),
            write(name + ".key", who.key_pem())};
  }

 private:
  std::filesystem::path path_;
};

}  // namespace cafmcp::cluster::test
