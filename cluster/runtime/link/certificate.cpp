#include "cluster/runtime/link/certificate.hpp"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <array>
#include <ctime>
#include <limits>

#include "base/log.hpp"

namespace cafmcp::cluster {

namespace {

using bio_ptr = std::unique_ptr<BIO, freed_by<BIO_free>>;

bio_ptr reader_of(const std::string& pem) {
  const auto size = std::min<std::size_t>(pem.size(), std::numeric_limits<int>::max());
  return bio_ptr{::BIO_new_mem_buf(pem.data(), static_cast<int>(size))};
}

/// Whether the last error means that there is no further PEM block, rather than a broken one.
bool at_end() {
  const auto e = ::ERR_peek_last_error();
  return ERR_GET_LIB(e) == ERR_LIB_PEM && ERR_GET_REASON(e) == PEM_R_NO_START_LINE;
}

char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

bool may_name_a_node(std::string_view name) {
  return !name.empty() && std::all_of(name.begin(), name.end(), [](char c) {
    return (lower(c) >= 'a' && lower(c) <= 'z') || (c >= '0' && c <= '9') || c == '.' || c == '_' || c == '-';
  });
}

/// As DNS compares names: by ASCII letters, whatever the locale.
bool same_name(std::string_view a, std::string_view b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](char x, char y) { return lower(x) == lower(y); });
}

/// The DNS names, byte for byte; a certificate may have anything in them.
std::vector<std::string> dns_names(const X509* certificate) {
  std::vector<std::string> out;
  auto* found =
      static_cast<GENERAL_NAMES*>(::X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr));
  for (int i = 0; i < sk_GENERAL_NAME_num(found); ++i) {
    int type = 0;
    const auto* value = ::GENERAL_NAME_get0_value(sk_GENERAL_NAME_value(found, i), &type);
    if (type == GEN_DNS) {
      const auto* text = static_cast<const ASN1_STRING*>(value);
      out.emplace_back(reinterpret_cast<const char*>(::ASN1_STRING_get0_data(text)),
                       static_cast<std::size_t>(::ASN1_STRING_length(text)));
    }
  }
  ::GENERAL_NAMES_free(found);
  ::ERR_clear_error();
  return out;
}

std::chrono::system_clock::time_point to_time(const ASN1_TIME* time) {
  std::tm parts{};
  if (::ASN1_TIME_to_tm(time, &parts) != 1) {
    ::ERR_clear_error();
    return {};
  }
  return std::chrono::system_clock::from_time_t(::timegm(&parts));
}

}  // namespace

result<std::vector<certificate_ptr>> parse_certificates(const std::string& pem) {
  const auto reader = reader_of(pem);
  std::vector<certificate_ptr> out;
  ::ERR_clear_error();
  while (certificate_ptr next{::PEM_read_bio_X509(reader.get(), nullptr, nullptr, nullptr)}) {
    out.push_back(std::move(next));
  }
  const bool whole = at_end();
  const auto why = take_openssl_error();
  if (!whole) {
    return fail(errc::invalid, "has a certificate that can't be read (" + why + "); put back a whole copy");
  }
  if (out.empty()) {
    return fail(errc::invalid, "holds no certificate; it must be PEM, with -----BEGIN CERTIFICATE-----");
  }
  return out;
}

result<key_ptr> parse_key(const std::string& pem) {
  const auto reader = reader_of(pem);
  bool asked = false;
  const auto no_passphrase = [](char*, int, int, void* flag) {
    *static_cast<bool*>(flag) = true;
    return -1;
  };
  ::ERR_clear_error();
  key_ptr key{::PEM_read_bio_PrivateKey(reader.get(), nullptr, no_passphrase, &asked)};
  const bool none = pem.find("PRIVATE KEY-----") == std::string::npos;
  const auto why = take_openssl_error();
  if (key) {
    return key;
  }
  if (asked) {
    return fail(errc::invalid, "is encrypted, and a node can't ask for a passphrase; write it without one");
  }
  if (none) {
    return fail(errc::invalid, "holds no private key; it must be PEM, with -----BEGIN PRIVATE KEY-----");
  }
  return fail(errc::invalid, "has a key that can't be read (" + why + "); put back a whole copy");
}

bool is_for(const X509* certificate, std::string_view name) {
  if (certificate == nullptr || !may_name_a_node(name)) {
    return false;
  }
  const auto names = dns_names(certificate);
  return std::any_of(names.begin(), names.end(), [&](const auto& n) { return same_name(n, name); });
}

std::string shown_names(const X509* certificate) {
  constexpr std::size_t most = 5;
  std::string out;
  const auto names = dns_names(certificate);
  for (std::size_t i = 0; i < names.size() && i < most; ++i) {
    out += (i == 0 ? "\"" : ", \"") + log::printable(names[i], 80) + '"';
  }
  if (names.size() > most) {
    out += " and " + std::to_string(names.size() - most) + " more";
  }
  return out.empty() ? "nobody (it has no DNS name in subjectAltName, and a common name does not count)"
                     : out;
}

std::chrono::system_clock::time_point valid_from(const X509* certificate) {
  return to_time(::X509_get0_notBefore(certificate));
}

std::chrono::system_clock::time_point valid_until(const X509* certificate) {
  return to_time(::X509_get0_notAfter(certificate));
}

std::string shown_time(std::chrono::system_clock::time_point t) {
  const auto seconds = std::chrono::system_clock::to_time_t(t);
  std::tm parts{};
  std::array<char, 64> buffer{};
  ::gmtime_r(&seconds, &parts);
  return {buffer.data(), std::strftime(buffer.data(), buffer.size(), "%Y-%m-%d %H:%M:%S UTC", &parts)};
}

std::string take_openssl_error() {
  const auto e = ::ERR_peek_last_error();
  ::ERR_clear_error();
  const auto* reason = ::ERR_reason_error_string(e);
  return reason != nullptr ? reason : "error " + std::to_string(e);
}

}  // namespace cafmcp::cluster
