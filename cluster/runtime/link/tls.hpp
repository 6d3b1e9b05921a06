#pragma once
// Who this node is to other nodes: a certificate with its key, and the authority (CA) whose certificates it
// believes. All nodes of a cluster have certificates of the same authority, each for the node's own name, and
// show them whoever dials; nobody else gets past the handshake. What a handshake does not know is whom it
// should be with: whoever has learnt the peer's name asks `certified_for`. A reload takes the files anew for
// handshakes to come, or leaves everything as it is; links that are up keep what they began with.
// `tls_identity` is thread-safe; loading reads files, so not on a thread that serves.

#include <boost/asio/ssl/context.hpp>
#include <chrono>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"

namespace cafmcp::cluster {

/// PEM files: `cluster.tls.{ca,cert,key}`.
struct tls_files {
  std::string ca;    ///< one or more authorities
  std::string cert;  ///< the node's certificate, then those between it and the authority, if any
  std::string key;
};

/// The certificate, its key, and the authority, ready for handshakes in both directions: TLS 1.3 alone,
/// certificates on both sides, no resumption.
class tls_identity {
 public:
  /// Reads and checks all that can be: that a peer with the same authority will take this node for
  /// `node_name`. Errors are one line: key, file, what is wrong, what to do (`errc::io` for a file that can't
  /// be read, `errc::invalid` for what is in it).
  static result<std::shared_ptr<tls_identity>> load(tls_files files, const std::string& node_name);

  tls_identity(const tls_identity&) = delete;
  tls_identity& operator=(const tls_identity&) = delete;

  /// For the next handshake, dialled or accepted. Never null, never changed once given out.
  std::shared_ptr<boost::asio::ssl::context> context() const;

  /// Reads the files again. After an error, which is as those of `load`, everything is as before.
  result<void> reload();

  /// Until when other nodes accept this one: the end of the certificate, or of its authority, if that is
  /// earlier.
  std::chrono::system_clock::time_point expires() const;

  /// What is wrong, but not so wrong as to stop a node: lines for the log.
  std::vector<std::string> warnings() const;

 private:
  struct state {
    std::shared_ptr<boost::asio::ssl::context> context;
    std::chrono::system_clock::time_point expires;
    std::vector<std::string> warnings;
  };

  tls_identity(tls_files files, std::string node_name, state first);
  static result<state> read(const tls_files& files, const std::string& node_name);

  const tls_files files_;
  const std::string node_name_;
  std::mutex reloading_;  // one at a time, so that the files read last are those that count
  mutable std::mutex mutex_;
  state state_;  // under mutex_
};

/// Whether the peer of a finished handshake showed a verified certificate for the node `name`: a DNS name in
/// its subjectAltName, whole, upper and lower case alike. Wildcards and the common name never count.
bool certified_for(const SSL* ssl, std::string_view name);

/// Whom the peer's certificate is for, for messages.
std::string certified_names(const SSL* ssl);

}  // namespace cafmcp::cluster
