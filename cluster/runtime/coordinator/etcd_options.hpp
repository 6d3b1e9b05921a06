#pragma once
// Where etcd is, who we are to it, and how much patience we have. Everything that may grow has a bound here.
// Values; thread-compatible.

#include <boost/asio/ssl/context.hpp>
#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/result.hpp"

namespace cafmcp::cluster {

/// One of etcd's members.
struct etcd_endpoint {
  std::string url;  ///< `http://HOST[:PORT]` or `https://…`; an IPv6 address in brackets; port 2379
  std::string certified_for;  ///< the DNS name in its certificate; empty: the host of the URL
};

/// What `etcd_coordinator` wants to know.
struct etcd_options {
  using milliseconds = std::chrono::milliseconds;

  std::vector<etcd_endpoint> endpoints;  ///< tried in this order, and then in turns
  std::string user;                      ///< empty: etcd asks for none
  std::string password;
  std::shared_ptr<boost::asio::ssl::context> tls;  ///< for `https`: `etcd_tls` makes one

  milliseconds connect{1000};          ///< for a connection, TLS and all
  milliseconds attempt{500};           ///< for an answer to what may be asked again, elsewhere
  milliseconds shortest_back_off{20};  ///< when nobody is there, before the next try
  milliseconds longest_back_off{500};
  milliseconds probe{1000};  ///< a watch asks so often whether it still has everything,
  milliseconds lag{2000};    ///< and begins anew if it has not for so long

  std::size_t connections = 4;             ///< to one member, beside two for each watch
  std::size_t waiting = 1024;              ///< calls that wait for one of them
  std::size_t request_bytes = 16U << 20U;  ///< of all calls that run or wait
  std::size_t answer_bytes = 32U << 20U;   ///< of one answer, and of one message of a watch
  std::size_t snapshot_bytes = 128U << 20U;
  std::size_t page_keys = 1000;  ///< a snapshot is read by so many
};

/// An endpoint, taken apart.
struct etcd_target {
  std::string host;
  std::uint16_t port = 2379;
  bool secure = false;
  std::string certified_for;

  std::string shown() const {
    return (host.find(':') == std::string::npos ? host : '[' + host + ']') + ':' + std::to_string(port);
  }
};

/// Takes a URL apart. Errors (`invalid`) name it.
result<etcd_target> parse_endpoint(const etcd_endpoint& endpoint);

/// PEM files for `https`. Without `ca` the system's authorities are believed; `cert` and `key` go together
/// and show who we are, for an etcd that wants to know.
struct etcd_tls_files {
  std::string ca;
  std::string cert;
  std::string key;
};

/// A context for `etcd_options::tls`: TLS 1.2 or newer, certificates are checked.
result<std::shared_ptr<boost::asio::ssl::context>> etcd_tls(const etcd_tls_files& files);

}  // namespace cafmcp::cluster
