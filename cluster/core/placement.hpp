#pragma once
// Who should own and hold which bucket, from the members' weights and places and from how it is now. Owners:
// everybody its share by weight, to one bucket; of those who have too many, the ones go that fit others best
// (weighted rendezvous hashing), and nothing moves that need not. Holders: the owner, then members of its
// region in other zones, then other regions, then whoever is left, each by rendezvous. Pure functions.
// Source: Schindelhauer and Schomaker, "Weighted Distributed Hash Tables", 2005 (the score)

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "cluster/core/member.hpp"
#include "cluster/core/names.hpp"

namespace cafmcp::cluster {

/// How well a bucket fits a member, compared with others: the largest wins in proportion to the weights.
double fitness(std::string_view node, std::uint32_t weight, std::size_t bucket);

/// How many buckets each member owns at rest, in the order of `members`: its share rounded down or up,
/// `bucket_count` in all. Those that have more already are rounded up first. Members that drain get none,
/// unless all do.
std::vector<std::size_t> quotas(const std::vector<member>& members, const std::vector<std::size_t>& have);

/// The owner of each bucket at rest. `owners` is how it is now (an empty id, or one that isn't among the
/// members: nobody). Nobody's buckets go where they fit best.
std::vector<std::string> target_owners(const std::vector<member>& members,
                                       const std::vector<std::string>& owners);

/// The holders of a bucket besides its owner at rest: at most `replicas` - 1, sorted. Members that drain hold
/// nothing new.
std::vector<std::string> target_holders(const std::vector<member>& members, std::string_view owner,
                                        std::size_t bucket, std::size_t replicas);

}  // namespace cafmcp::cluster
