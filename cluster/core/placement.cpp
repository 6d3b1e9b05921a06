#include "cluster/core/placement.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <unordered_map>

namespace cafmcp::cluster {

namespace {

// FNV-1a, then a finalizer, because FNV's high bits hardly depend on the last bytes.
std::uint64_t hash(std::string_view node, std::size_t bucket) {
  std::uint64_t h = 14695981039346656037ULL;
  const auto add = [&](unsigned char byte) { h = (h ^ byte) * 1099511628211ULL; };
  for (const char c : node)
    add(static_cast<unsigned char>(c));
  add(static_cast<unsigned char>(bucket & 0xffU));
  add(static_cast<unsigned char>(bucket >> 8U));
  h = (h ^ (h >> 33U)) * 0xff51afd7ed558ccdULL;
  h = (h ^ (h >> 33U)) * 0xc4ceb9fe1a85ec53ULL;
  return h ^ (h >> 33U);
}

// Members that should own something: all that don't drain, or all if none else is left.
bool takes_part(const member& m, bool all_drain) {
  return all_drain || m.state == member_state::up;
}

}  // namespace

double fitness(std::string_view node, std::uint32_t weight, std::size_t bucket) {
  constexpr double two_to_53 = 9007199254740992.0;
  const auto u = (static_cast<double>(hash(node, bucket) >> 11U) + 0.5) / two_to_53;
  return -static_cast<double>(weight) / std::log(u);
}

std::vector<std::size_t> quotas(const std::vector<member>& members, const std::vector<std::size_t>& have) {
  const bool all_drain = std::none_of(members.begin(), members.end(),
                                      [](const member& m) { return m.state == member_state::up; });
  double total = 0;
  for (const auto& m : members)
    total += takes_part(m, all_drain) ? m.weight : 0;
  std::vector<std::size_t> out(members.size());
  std::vector<double> rest(members.size(), -1);
  std::size_t given = 0;
  for (std::size_t i = 0; i < members.size(); ++i) {
    if (!takes_part(members[i], all_drain))
      continue;
    const auto share = static_cast<double>(bucket_count) * members[i].weight / total;
    out[i] = static_cast<std::size_t>(share);
    rest[i] = share - static_cast<double>(out[i]);
    given += out[i];
  }
  // The ones that are left: to those that have more than their share already, then by what rounding took.
  std::vector<std::size_t> order(members.size());
  std::iota(order.begin(), order.end(), 0);
  std::sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
    const bool more_a = rest[a] > 0 && have[a] > out[a];
    const bool more_b = rest[b] > 0 && have[b] > out[b];
    if (more_a != more_b)
      return more_a;
    if (rest[a] != rest[b])
      return rest[a] > rest[b];
    return members[a].id < members[b].id;
  });
  for (std::size_t i = 0; given < bucket_count && i < order.size(); ++i)
    if (rest[order[i]] >= 0) {
      ++out[order[i]];
      ++given;
    }
  return out;
}

std::vector<std::string> target_owners(const std::vector<member>& members,
                                       const std::vector<std::string>& owners) {
  if (members.empty())
    return std::vector<std::string>(bucket_count);
  std::unordered_map<std::string_view, std::size_t> index;
  for (std::size_t i = 0; i < members.size(); ++i)
    index.emplace(members[i].id, i);
  std::vector<std::vector<std::size_t>> has(members.size());
  std::vector<std::size_t> homeless;
  for (std::size_t b = 0; b < bucket_count; ++b) {
    const auto i = index.find(owners[b]);
    i == index.end() ? homeless.push_back(b) : has[i->second].push_back(b);
  }
  std::vector<std::size_t> counts;
  for (const auto& h : has)
    counts.push_back(h.size());
  const auto quota = quotas(members, counts);
  auto out = owners;
  // What is too much goes: first what fits its owner least.
  for (std::size_t i = 0; i < members.size(); ++i) {
    const auto& m = members[i];
    std::sort(has[i].begin(), has[i].end(), [&](std::size_t a, std::size_t b) {
      return fitness(m.id, m.weight, a) > fitness(m.id, m.weight, b);
    });
    for (; has[i].size() > quota[i]; has[i].pop_back())
      homeless.push_back(has[i].back());
  }
  std::sort(homeless.begin(), homeless.end());
  for (const auto b : homeless) {
    std::size_t best = members.size();
    double best_fit = 0;
    for (std::size_t i = 0; i < members.size(); ++i) {
      const auto fit = fitness(members[i].id, members[i].weight, b);
      if (has[i].size() < quota[i] && (best == members.size() || fit > best_fit)) {
        best = i;
        best_fit = fit;
      }
    }
    has[best].push_back(b);
    out[b] = members[best].id;
  }
  return out;
}

std::vector<std::string> target_holders(const std::vector<member>& members, std::string_view owner,
                                        std::size_t bucket, std::size_t replicas) {
  const auto self =
      std::find_if(members.begin(), members.end(), [&](const member& m) { return m.id == owner; });
  const auto region = self == members.end() ? std::string_view{} : std::string_view{self->region};
  std::vector<std::string_view> zones;
  if (self != members.end())
    zones.push_back(self->zone);
  std::vector<const member*> left;
  for (const auto& m : members)
    if (m.id != owner && m.state == member_state::up)
      left.push_back(&m);
  std::vector<std::string> out;
  while (out.size() + 1 < replicas && !left.empty()) {
    // A place apart from those chosen already, as near as that can be.
    const auto rank = [&](const member& m) {
      const bool near = m.region == region;
      const bool apart = std::find(zones.begin(), zones.end(), m.zone) == zones.end() || !near;
      return near && apart ? 0 : !near ? 1 : 2;
    };
    const auto best = std::min_element(left.begin(), left.end(), [&](const member* a, const member* b) {
      if (rank(*a) != rank(*b))
        return rank(*a) < rank(*b);
      return fitness(a->id, a->weight, bucket) > fitness(b->id, b->weight, bucket);
    });
    out.push_back((*best)->id);
    if ((*best)->region == region)
      zones.push_back((*best)->zone);
    left.erase(best);
  }
  std::sort(out.begin(), out.end());
  return out;
}

}  // namespace cafmcp::cluster
