#include "cluster/runtime/link/handshake.hpp"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>

#include <algorithm>

#include "base/assert.hpp"
#include "cluster/wire/reader.hpp"
#include "cluster/wire/writer.hpp"

namespace cafmcp::cluster {

namespace {

constexpr std::size_t nonce_bytes = 32;
constexpr std::size_t max_refusal_bytes = 256;

std::string random_bytes(std::size_t n) {
  std::string out(n, '\0');
  const auto drawn = RAND_bytes(reinterpret_cast<unsigned char*>(out.data()), static_cast<int>(n));
  CAFMCP_ASSERT(drawn == 1);
  return out;
}

std::string hmac(const std::string& key, const std::string& text) {
  unsigned char out[EVP_MAX_MD_SIZE];
  unsigned int size = 0;
  const auto* made = HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()),
                          reinterpret_cast<const unsigned char*>(text.data()), text.size(), out, &size);
  CAFMCP_ASSERT(made != nullptr);
  return {reinterpret_cast<const char*>(out), size};
}

// What a stranger says goes into logs: one line, no control characters.
std::string printable(std::string_view text) {
  std::string out{text.substr(0, max_refusal_bytes)};
  std::replace_if(
      out.begin(), out.end(), [](char c) { return c < ' ' || c == 0x7f; }, '?');
  return out;
}

bool is_name(const std::string& s) {
  constexpr std::size_t longest = 63;
  const auto ok = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
           c == '_' || c == '-';
  };
  return !s.empty() && s.size() <= longest && std::all_of(s.begin(), s.end(), ok);
}

bool is_label(const std::string& s) {
  return s.empty() || is_name(s);
}

}  // namespace

std::string encode_frame(handshake_frame kind, std::string_view body) {
  CAFMCP_ASSERT(body.size() <= max_handshake_bytes);
  std::string out;
  out.push_back(static_cast<char>(body.size() & 0xffU));
  out.push_back(static_cast<char>(body.size() >> 8U));
  out.push_back(static_cast<char>(kind));
  return out.append(body);
}

std::optional<std::pair<std::size_t, handshake_frame>> decode_header(std::string_view header) {
  const auto low = static_cast<unsigned char>(header[0]);
  const auto high = static_cast<unsigned char>(header[1]);
  const auto kind = static_cast<handshake_frame>(header[2]);
  const std::size_t length = low + std::size_t{high} * 256;
  if (length > max_handshake_bytes || kind < handshake_frame::hello || kind > handshake_frame::refusal)
    return {};
  return std::pair{length, kind};
}

handshake::handshake(bool dialer, hello self, std::string secret, std::string expected)
    : dialer_(dialer), self_(std::move(self)), secret_(std::move(secret)), expected_(std::move(expected)) {
  self_.magic = handshake_magic;
  self_.protocol = link_protocol;
  self_.nonce = random_bytes(nonce_bytes);
  wire::writer{own_hello_}.message(self_);
}

std::string handshake::begin() const {
  return dialer_ ? encode_frame(handshake_frame::hello, own_hello_) : std::string{};
}

// Why we don't want to talk to this peer.
std::optional<std::string> handshake::objection() const {
  if (!is_name(peer_.node) || !is_label(peer_.region) || !is_label(peer_.zone) || peer_.incarnation == 0)
    return "a hello that says nothing of use";
  if (peer_.protocol != link_protocol)
    return "link protocol " + std::to_string(peer_.protocol) + ", ours is " + std::to_string(link_protocol);
  if (version() < std::max(self_.min_version, peer_.min_version))
    return "messages of versions " + std::to_string(peer_.min_version) + " to " +
           std::to_string(peer_.version) + ", ours are " + std::to_string(self_.min_version) + " to " +
           std::to_string(self_.version) + ": upgrade one release at a time";
  if (!peer_.cluster.empty() && !self_.cluster.empty() && peer_.cluster != self_.cluster)
    return "node " + peer_.node + " belongs to another cluster";
  if (peer_.node == self_.node)
    return "two nodes are called " + self_.node + ": give each a name of its own (--name)";
  if (!expected_.empty() && peer_.node != expected_)
    return "node " + peer_.node + " answers where " + expected_ + " was expected";
  return {};
}

result<std::string> handshake::on_hello(std::string_view body) {
  if (!wire::reader{body}.message(peer_) || peer_.magic != handshake_magic)
    return fail(errc::denied, "this is no node");
  met_self_ = peer_.node == self_.node && peer_.incarnation == self_.incarnation;
  // Whoever has dialled finds out by our hello.
  if (met_self_ && !dialer_)
    return encode_frame(handshake_frame::hello, own_hello_);
  if (met_self_)
    return fail(errc::conflict, "this is the node itself");
  if (peer_.nonce.size() != nonce_bytes || peer_.nonce == self_.nonce)
    return fail(errc::denied, "a hello without a nonce of its own");
  if (auto why = objection())
    return fail(errc::denied, std::move(*why));
  peer_hello_ = body;
  if (!dialer_)
    return encode_frame(handshake_frame::hello, own_hello_);
  return encode_frame(handshake_frame::proof, proof(true));
}

// Role and length before each part, so that no two conversations have the same text.
std::string handshake::proof(bool of_dialer) const {
  std::string text = of_dialer ? "cafmcp link, dialer" : "cafmcp link, acceptor";
  for (const auto* part : {dialer_ ? &own_hello_ : &peer_hello_, dialer_ ? &peer_hello_ : &own_hello_}) {
    wire::put_varint(text, part->size());
    text.append(*part);
  }
  return hmac(secret_, text);
}

result<std::string> handshake::on_proof(std::string_view body) {
  const auto right = proof(!dialer_);
  if (body.size() != right.size() || CRYPTO_memcmp(body.data(), right.data(), right.size()) != 0)
    return fail(errc::denied, "the secrets differ: cluster.secret must be the same on all nodes");
  state_ = handshake_state::proven;
  return dialer_ ? std::string{} : encode_frame(handshake_frame::proof, proof(false));
}

result<std::string> handshake::receive(handshake_frame kind, std::string_view body) {
  if (kind == handshake_frame::refusal)
    return fail(errc::conflict, "refused by the other side: " + printable(body));
  const bool greeted = !peer_hello_.empty();
  if (state_ == handshake_state::talking && kind == handshake_frame::hello && !greeted)
    return on_hello(body);
  if (state_ == handshake_state::talking && kind == handshake_frame::proof && greeted)
    return on_proof(body);
  if (state_ == handshake_state::proven && kind == handshake_frame::ready && !arbiter() && body.empty()) {
    state_ = handshake_state::ready;
    return std::string{};
  }
  return fail(errc::denied, "something else was due");
}

}  // namespace cafmcp::cluster
