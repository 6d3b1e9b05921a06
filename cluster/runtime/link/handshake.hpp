#pragma once
// How two nodes get to know each other, after TLS if there is any and before anything else: both say who they
// are, then both prove that they know the cluster's secret, the one that dialled first. Until the proofs are
// there, no more than a few KiB are read, and nothing is believed.
//
//   dialer → hello   acceptor → hello   dialer → proof   acceptor → proof   arbiter → ready
//
// A proof is an HMAC-SHA256 over both hellos with their nonces, so it fits this conversation alone. The last
// word has the arbiter, the one with the lower name: when both have dialled at once, or the one doesn't know
// yet that the last link is gone, it says which connection becomes the link.
//
// This is the conversation without its bytes' way: texts of frames come in and go out. Not thread-safe.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.hpp"

namespace cafmcp::cluster {

/// What a node says of itself.
struct hello {
  std::string magic;            ///< `handshake_magic`
  std::uint32_t protocol{};     ///< of links: frames and handshake
  std::string cluster;          ///< which one the node belongs to; empty: none yet
  std::string node;             ///< its name
  std::string id;               ///< of its data directory: the node's identity
  std::uint64_t incarnation{};  ///< of its process, never 0
  std::uint32_t version{};      ///< of messages: the newest that it understands, and the oldest
  std::uint32_t min_version{};
  std::uint64_t window_bytes{};  ///< what may be sent to it
  std::uint64_t actor_bytes{};
  std::uint64_t message_bytes{};
  std::string address;  ///< where it can be dialled, HOST:PORT
  std::string region;
  std::string zone;
  std::string software;  ///< its version, for people
  std::string nonce;
};
template <class F>
typename F::result_type inspect(F& f, hello& x) {
  return f(x.magic, x.protocol, x.cluster, x.node, x.id, x.incarnation, x.version, x.min_version,
           x.window_bytes, x.actor_bytes, x.message_bytes, x.address, x.region, x.zone, x.software, x.nonce);
}

inline constexpr std::string_view handshake_magic = "cafmcp-link";
inline constexpr std::uint32_t link_protocol = 1;

/// No frame of a handshake is longer.
inline constexpr std::size_t max_handshake_bytes = 4 << 10;

/// Kinds of frames. Neither TLS takes the first frame for a beginning of its own, nor the other way round: in
/// TLS that byte is 1 (a record's version, an old hello).
enum class handshake_frame : std::uint8_t { hello = 17, proof, ready, refusal };

/// One frame as it travels: u16 length of the body, u8 kind, body.
inline constexpr std::size_t handshake_header_bytes = 3;
std::string encode_frame(handshake_frame kind, std::string_view body);

/// Length and kind of a header of `handshake_header_bytes`. Nothing if it can't be.
std::optional<std::pair<std::size_t, handshake_frame>> decode_header(std::string_view header);

/// Whether we stay on the line.
enum class handshake_state : std::uint8_t {
  talking,  ///< waits for a frame
  proven,   ///< both know each other; the arbiter decides
  ready,    ///< the other is the arbiter and has taken this connection
};

/// One side of the conversation.
class handshake {
 public:
  /// `self.nonce` is drawn here. `expected`: whom the dialer wants to reach; empty: anybody.
  handshake(bool dialer, hello self, std::string secret, std::string expected = {});

  /// Frames to send first.
  std::string begin() const;

  /// The next frame of the peer; the frames to answer with, or why this ends: `denied` (what we tell the
  /// peer, too), or what the peer has told us.
  result<std::string> receive(handshake_frame kind, std::string_view body);

  handshake_state state() const noexcept { return state_; }

  /// The peer, once it has said hello; to be believed when proven.
  const hello& peer() const noexcept { return peer_; }

  /// Whether the peer is this very process.
  bool met_self() const noexcept { return met_self_; }

  /// Whether this side decides.
  bool arbiter() const noexcept { return self_.node < peer_.node; }

  /// What both understand.
  std::uint32_t version() const noexcept { return std::min(self_.version, peer_.version); }

 private:
  result<std::string> on_hello(std::string_view body);
  result<std::string> on_proof(std::string_view body);
  std::optional<std::string> objection() const;
  std::string proof(bool of_dialer) const;

  const bool dialer_;
  hello self_;
  const std::string secret_;
  const std::string expected_;
  std::string own_hello_;   // as it was sent
  std::string peer_hello_;  // as it came
  hello peer_;
  bool met_self_ = false;
  handshake_state state_ = handshake_state::talking;
};

}  // namespace cafmcp::cluster
