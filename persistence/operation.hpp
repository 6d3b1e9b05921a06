#pragma once
// Every change to a session is an operation, and there is no second way to change one. Operations of a bucket
// are numbered; storage, replication, backup and recovery read the same ones. What an operation does is in
// `record.hpp`. Values: thread-compatible.

#include <cstdint>
#include <string>
#include <string_view>

#include "mcp/session_state.hpp"

namespace cafmcp::persistence {

/// How many buckets all sessions fall into; fixed for good, because bucket numbers are on disk.
inline constexpr std::uint32_t bucket_count = 256;

/// The bucket of a session: the same on every node and in every version.
std::uint32_t bucket_of(std::string_view session) noexcept;

/// What an operation does. The numbers are on disk and on the wire: never given to anything else.
enum class op_kind : std::uint8_t {
  create = 1,    ///< the session begins: principal, time
  protocol = 2,  ///< a change of the protocol's state (`mcp::change`)
  put = 3,       ///< a key of the user's state gets a value (raw JSON)
  remove = 4,    ///< a key of the user's state is forgotten
  outbound = 5,  ///< a message for the client joins the outbound log: stream, bytes
  trim = 6,      ///< the outbound log forgets all entries up to a number
  touch = 7,     ///< the client was active: time
  end = 8,       ///< the session is over; a tombstone remains
};

/// Whether the client is told of an operation's success only when it is as safe as configured.
enum class safety : std::uint8_t { ordinary, critical };

/// `critical` for create, put, remove, end, and the protocol's state; `ordinary` for what is only kept for
/// convenience.
safety safety_of(op_kind kind) noexcept;

/// One operation.
struct operation {
  std::uint32_t bucket = 0;
  std::uint64_t epoch = 1;  ///< of the bucket's owner; an older one is refused
  std::uint64_t seq = 0;    ///< of the session: each is one more than the last
  std::string session;
  op_kind kind = op_kind::touch;
  std::string bytes;  ///< by kind; see the makers below

  bool operator==(const operation&) const = default;
};

/// Makers of `bytes`; times are milliseconds since 1970 (UTC).
std::string create_bytes(std::string_view principal, std::int64_t now_ms);
std::string protocol_bytes(const mcp::change& change);
std::string put_bytes(std::string_view key, std::string_view raw_json);
std::string remove_bytes(std::string_view key);
std::string outbound_bytes(std::string_view stream, std::string_view message);
std::string trim_bytes(std::uint64_t up_to);
std::string touch_bytes(std::int64_t now_ms);
std::string end_bytes(std::string_view reason, std::int64_t now_ms);

}  // namespace cafmcp::persistence
