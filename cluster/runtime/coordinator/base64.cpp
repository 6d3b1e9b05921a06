#include "cluster/runtime/coordinator/base64.hpp"

#include <openssl/evp.h>

namespace cafmcp::cluster {

namespace {

const unsigned char* data_of(std::string_view bytes) {
  return reinterpret_cast<const unsigned char*>(bytes.data());
}

unsigned char* data_of(std::string& bytes) {
  return reinterpret_cast<unsigned char*>(bytes.data());
}

}  // namespace

std::string to_base64(std::string_view bytes) {
  std::string out((bytes.size() + 2) / 3 * 4 + 1, '\0');  // OpenSSL ends it with a null byte
  const auto size = ::EVP_EncodeBlock(data_of(out), data_of(bytes), static_cast<int>(bytes.size()));
  out.resize(static_cast<std::size_t>(size));
  return out;
}

std::optional<std::string> from_base64(std::string_view text) {
  std::string out(text.size() / 4 * 3, '\0');
  if (text.empty())
    return out;
  const auto size = ::EVP_DecodeBlock(data_of(out), data_of(text), static_cast<int>(text.size()));
  const auto padding = text.ends_with("==") ? 2U : text.ends_with('=') ? 1U : 0U;
  if (size < 0 || text.size() % 4 != 0 || static_cast<std::size_t>(size) != out.size())
    return {};
  out.resize(out.size() - padding);
  // OpenSSL overlooks spaces and stray bits: what isn't written as we would write it is refused.
  return to_base64(out) == text ? std::optional{std::move(out)} : std::nullopt;
}

}  // namespace cafmcp::cluster
