#pragma once
// A node of the cluster, as the facts have it. Values; thread-compatible.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace cafmcp::cluster {

/// Where a member is in its life.
enum class member_state : std::uint8_t {
  up,        ///< takes part
  draining,  ///< owns and holds less and less, until nothing is left
};

/// A member. Its id is a uuid, the data directory's; names may change hands.
struct member {
  std::string id;
  std::string name;
  std::string region;
  std::string zone;
  std::uint32_t weight = 100;  ///< share of the buckets, relative to the others'
  std::string address;         ///< of its links
  member_state state = member_state::up;

  bool operator==(const member&) const = default;
};

/// The name of a state.
const char* to_string(member_state s) noexcept;

/// The value of a member's fact, JSON; `id` is in the key.
std::string encode(const member& m);

/// Nothing if the text is no member.
std::optional<member> decode_member(std::string_view id, std::string_view value);

}  // namespace cafmcp::cluster
