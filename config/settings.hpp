#pragma once
// The configuration of one node as plain values: what each key means is said once, in the table of
// `schema.cpp`, and in `cafmcpd.yaml` for users. Durations are milliseconds, sizes bytes. A
// default-constructed `settings` is the configuration of a node that was given nothing, except `name`, which
// the loader fills with the host's. Value types: thread-compatible; a reload makes a new object.

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/log.hpp"
#include "config/values.hpp"

namespace cafmcp::config {

/// What a critical operation waits for before it is acknowledged.
enum class durability : unsigned char {
  automatic,         ///< `disk` alone, `replica` in a cluster
  memory,            ///< nothing
  disk,              ///< this node's disk
  replica,           ///< every in-sync replica
  replica_and_disk,  ///< every in-sync replica's disk
};

/// One MCP server behind this node: a child process (`command`) or a remote one (`url`), never both.
struct server {
  /// Who shares an instance.
  enum class scope_type : unsigned char { shared, session };

  std::string name;
  std::vector<std::string> command;
  std::string url;
  scope_type scope = scope_type::shared;
  std::uint64_t instances = 1;
  std::map<std::string, std::string> env;
  struct {
    std::uint64_t intensity = 5;  ///< restarts within `period` before the server is given up
    milliseconds period{60'000};
  } restart;
};

struct settings {
  std::string name;
  std::string region;
  std::string zone;
  std::uint64_t weight = 100;
  std::string data_dir = "./data";
  address listen{"127.0.0.1", 8080};
  std::string public_url;

  struct {
    std::optional<address> listen = address{"127.0.0.1", 8081};
    bool test_hooks = false;
  } admin;

  struct {
    std::optional<address> listen;  ///< empty: no cluster
    std::optional<address> advertise;
    std::uint64_t bootstrap_expect = 1;
    std::vector<address> seeds;
    std::string secret;
    bool insecure = false;
    struct {
      std::string ca, cert, key;
    } tls;
    struct {
      std::vector<std::string> endpoints;  ///< URLs of an etcd; empty: there is none
      std::string user, password;
      struct {
        std::string ca, cert, key;
      } tls;
    } coordinator;
  } cluster;

  struct {
    milliseconds ttl{3'600'000};
    milliseconds idle{300'000};
  } session;

  struct {
    config::durability critical = durability::automatic;
  } durability;

  struct {
    bool demo = true;
    bool conformance = false;
    bool admin = false;
  } builtin;

  std::vector<server> servers;

  struct {
    std::uint64_t threads = 0;  ///< 0: one per core
    std::uint64_t blocking_threads = 16;
  } runtime;

  struct {
    log::level level = log::level::info;
    log::format format = log::format::text;
    std::string file;
  } log;

  struct {
    milliseconds timeout{30'000};
  } shutdown;

  struct {
    std::uint64_t connections = 20'000;
    std::uint64_t connections_per_ip = 0;  ///< 0: no limit of its own
    std::uint64_t header_bytes = 16ULL << 10U;
    std::uint64_t body_bytes = 4ULL << 20U;
    std::uint64_t backlog_bytes = 64ULL << 20U;
    std::uint64_t sessions = 1'000'000;
    std::uint64_t active_sessions = 100'000;
    std::uint64_t session_calls = 1024;
    std::uint64_t outbound_messages = 256;
    std::uint64_t outbound_bytes = 1ULL << 20U;
    milliseconds header_timeout{10'000};
    milliseconds idle_timeout{75'000};
    milliseconds write_timeout{30'000};
    milliseconds request_timeout{60'000};
  } limits;
};

}  // namespace cafmcp::config
