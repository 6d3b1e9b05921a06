#pragma once
// Where each fact is kept, and how many buckets there are. Everything is under one prefix, so that one watch
// sees all of it. Constants and pure functions.

#include <cstdint>
#include <string>
#include <string_view>

namespace cafmcp::cluster {

/// Into so many buckets the sessions are divided, for ever: which one is a hash of the session's id.
inline constexpr std::size_t bucket_count = 256;

inline constexpr std::string_view facts_prefix = "cafmcp/";
inline constexpr std::string_view controller_key = "cafmcp/controller";  ///< who changes the table now
inline constexpr std::string_view members_prefix = "cafmcp/members/";
inline constexpr std::string_view leases_prefix = "cafmcp/leases/";
inline constexpr std::string_view beats_prefix = "cafmcp/beats/";
inline constexpr std::string_view buckets_prefix = "cafmcp/buckets/";
inline constexpr std::string_view caught_up_prefix = "cafmcp/caught_up/";
inline constexpr std::string_view gone_prefix = "cafmcp/gone/";

/// `cafmcp/buckets/007`.
inline std::string bucket_key(std::size_t bucket) {
  auto number = std::to_string(bucket);
  number.insert(0, 3 - number.size(), '0');
  return std::string{buckets_prefix} + number;
}

inline std::string member_key(std::string_view node) {
  return std::string{members_prefix}.append(node);
}

/// A node's lease: which process of it is alive, as far as anybody knows. The revision at which it was put is
/// the lease's id.
inline std::string lease_key(std::string_view node) {
  return std::string{leases_prefix}.append(node);
}

/// The node's beats: changes as long as it is alive.
inline std::string beat_key(std::string_view node) {
  return std::string{beats_prefix}.append(node);
}

/// A learner has all that the owner had when it was asked.
inline std::string caught_up_key(std::size_t bucket, std::string_view node) {
  return std::string{caught_up_prefix} + bucket_key(bucket).substr(buckets_prefix.size()) + '/' +
         std::string{node};
}

/// `reporter` has seen that the process of `node` is gone.
inline std::string gone_key(std::string_view node, std::string_view reporter) {
  return std::string{gone_prefix}.append(node).append("/").append(reporter);
}

}  // namespace cafmcp::cluster
