#pragma once
// What all links of a node share: who the node is, what it lets others do, and where to find what. Made once,
// before the actors that use it; immutable, and what it points to is thread-safe.

#include <caf/actor.hpp>
#include <memory>
#include <string>

#include "cluster/runtime/link/handshake.hpp"
#include "cluster/runtime/link/node_link.hpp"
#include "cluster/runtime/link/tls.hpp"
#include "cluster/wire/message_table.hpp"
#include "supervisors/io_pool.hpp"

namespace cafmcp::cluster {

class link_directory;

/// Bounds for those who are not known yet, and for dialling.
struct link_manners {
  std::size_t strangers = 64;                  ///< connections that have not proven who they are, at a time
  std::size_t peers = 256;                     ///< other nodes
  std::chrono::milliseconds handshake{5'000};  ///< longest time until a connection is a link
  std::chrono::milliseconds connect{3'000};    ///< longest time to reach an address
  std::chrono::milliseconds first_retry{100};  ///< then twice as long each time
  std::chrono::milliseconds longest_retry{5'000};
  std::chrono::milliseconds forget_after{600'000};  ///< a peer that can't be reached
  std::chrono::hours expiry_notice{14 * 24};        ///< warnings begin so long before the certificate ends
  std::chrono::milliseconds expiry_pause{24 * 3'600'000};  ///< between two of them
};

/// The environment.
struct link_environment {
  otp::io_pool* pool = nullptr;
  caf::actor_system* system = nullptr;
  const wire::message_table* types = nullptr;
  name_resolver resolve;
  link_bounds bounds;
  link_manners manners;
  hello self;  ///< without nonce and sizes, which are filled in from `bounds`
  std::string secret;
  std::shared_ptr<tls_identity> tls;  ///< null: plain TCP
  std::shared_ptr<link_directory> directory;

  /// What we say of ourselves.
  hello greeting() const {
    auto out = self;
    out.window_bytes = bounds.window_bytes;
    out.actor_bytes = bounds.actor_bytes;
    out.message_bytes = bounds.message_bytes;
    return out;
  }
};

using link_environment_ptr = std::shared_ptr<const link_environment>;

}  // namespace cafmcp::cluster
