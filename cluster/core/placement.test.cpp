#define CAF_SUITE placement

#include "cluster/core/placement.hpp"

#include <algorithm>
#include <map>
#include <random>
#include <set>

#include "tests/unit/caf_test.hpp"

using namespace cafmcp::cluster;

namespace {

std::vector<member> nodes(std::size_t n, const std::vector<std::uint32_t>& weights = {100}) {
  std::vector<member> out;
  for (std::size_t i = 0; i < n; ++i) {
    member m;
    m.id = "node-" + std::to_string(i);
    m.name = m.id;
    m.region = "r" + std::to_string(i % 2);
    m.zone = "z" + std::to_string(i % 3);
    m.weight = weights[i % weights.size()];
    out.push_back(m);
  }
  return out;
}

std::map<std::string, std::size_t> count(const std::vector<std::string>& owners) {
  std::map<std::string, std::size_t> out;
  for (const auto& o : owners)
    ++out[o];
  return out;
}

std::size_t moved(const std::vector<std::string>& before, const std::vector<std::string>& after) {
  std::size_t n = 0;
  for (std::size_t b = 0; b < bucket_count; ++b)
    n += before[b] != after[b] ? 1 : 0;
  return n;
}

const std::vector<std::string> nobody(bucket_count);

// The share of each, to one bucket.
bool balanced(const std::vector<member>& members, const std::vector<std::string>& owners) {
  double total = 0;
  for (const auto& m : members)
    total += m.state == member_state::up ? m.weight : 0;
  auto have = count(owners);
  for (const auto& m : members) {
    const double share = m.state == member_state::up ? 256.0 * m.weight / total : 0;
    if (std::abs(static_cast<double>(have[m.id]) - share) >= 1)
      return false;
  }
  return true;
}

}  // namespace

CAF_TEST(everybody owns its share to one bucket) {
  for (const std::size_t n : {1u, 2u, 3u, 5u, 9u, 40u, 100u})
    for (const auto& weights :
         std::vector<std::vector<std::uint32_t>>{{100}, {40, 35, 25}, {1, 10'000}, {7, 1, 3}}) {
      const auto members = nodes(n, weights);
      const auto owners = target_owners(members, nobody);
      CAF_CHECK(balanced(members, owners));
      CAF_CHECK_EQUAL(moved(owners, target_owners(members, owners)), 0u);
    }
}

CAF_TEST(a join moves what the newcomer gets and no more) {
  for (const auto& weights : std::vector<std::vector<std::uint32_t>>{{100}, {40, 35, 25}})
    for (std::size_t n = 1; n < 40; ++n) {
      const auto before = target_owners(nodes(n, weights), nobody);
      const auto members = nodes(n + 1, weights);
      const auto after = target_owners(members, before);
      const auto newcomer = members.back().id;
      auto got = count(after)[newcomer];
      CAF_CHECK(balanced(members, after));
      CAF_CHECK_EQUAL(moved(before, after), got);
    }
}

CAF_TEST(a leave moves what the leaver had and no more) {
  for (std::size_t n = 2; n < 40; ++n) {
    auto members = nodes(n, {40, 35, 25});
    const auto before = target_owners(members, nobody);
    const auto leaver = members[n / 2].id;
    const auto had = count(before)[leaver];
    members.erase(members.begin() + static_cast<std::ptrdiff_t>(n / 2));
    const auto after = target_owners(members, before);
    CAF_CHECK(balanced(members, after));
    CAF_CHECK_EQUAL(moved(before, after), had);
  }
}

CAF_TEST(a thousand joins leaves and weights keep the balance) {
  std::mt19937 random{3};
  auto all = nodes(60, {40, 35, 25, 100, 1});
  std::vector<member> members{all[0], all[1]};
  auto owners = target_owners(members, nobody);
  for (int step = 0; step < 1000; ++step) {
    const auto& one = all[random() % all.size()];
    const auto there =
        std::find_if(members.begin(), members.end(), [&](const member& m) { return m.id == one.id; });
    const bool leaves = there != members.end() && random() % 2 == 0 && members.size() > 1;
    if (there == members.end())
      members.push_back(one);
    else if (leaves)
      members.erase(there);
    else
      there->weight = 1 + random() % 100;
    // No more goes than what is above a quota or belongs to nobody.
    const auto before = count(owners);
    std::vector<std::size_t> have;
    std::size_t at_home = 0;
    for (const auto& m : members) {
      const auto i = before.find(m.id);
      have.push_back(i == before.end() ? 0 : i->second);
      at_home += have.back();
    }
    const auto quota = quotas(members, have);
    std::size_t surplus = bucket_count - at_home;
    for (std::size_t i = 0; i < members.size(); ++i)
      surplus += have[i] > quota[i] ? have[i] - quota[i] : 0;
    const auto next = target_owners(members, owners);
    CAF_REQUIRE(balanced(members, next));
    CAF_REQUIRE_EQUAL(moved(owners, next), surplus);
    owners = next;
  }
}

CAF_TEST(whoever drains gets nothing and gives everything) {
  auto members = nodes(3);
  const auto before = target_owners(members, nobody);
  members[1].state = member_state::draining;
  const auto after = target_owners(members, before);
  CAF_CHECK(count(after)[members[1].id] == 0u);
  CAF_CHECK(balanced(members, after));
  for (std::size_t b = 0; b < bucket_count; ++b)
    for (const auto& h : target_holders(members, after[b], b, 3))
      CAF_CHECK_NOT_EQUAL(h, members[1].id);
  // If all drain, somebody has to.
  for (auto& m : members)
    m.state = member_state::draining;
  CAF_CHECK_EQUAL(moved(before, target_owners(members, before)), 0u);
}

CAF_TEST(holders are in other zones of the region first and then elsewhere) {
  std::vector<member> members;
  const auto add = [&](const char* id, const char* region, const char* zone) {
    member m;
    m.id = m.name = id;
    m.region = region;
    m.zone = zone;
    members.push_back(m);
  };
  add("a", "eu", "1");
  add("b", "eu", "1");
  add("c", "eu", "2");
  add("d", "us", "1");
  add("e", "us", "2");
  std::set<std::string> second;
  for (std::size_t b = 0; b < bucket_count; ++b) {
    CAF_CHECK_EQUAL(target_holders(members, "a", b, 2), std::vector<std::string>{"c"});
    const auto three = target_holders(members, "a", b, 3);
    CAF_REQUIRE_EQUAL(three.size(), 2u);
    CAF_CHECK(three[0] == "c" && (three[1] == "d" || three[1] == "e"));
    second.insert(three[1]);
    const auto all = target_holders(members, "a", b, 9);
    CAF_CHECK_EQUAL(all.size(), 4u);
  }
  CAF_CHECK_EQUAL(second.size(), 2u);  // by rendezvous
}

CAF_TEST(holders are spread evenly enough) {
  const auto members = nodes(9);
  const auto owners = target_owners(members, nobody);
  std::map<std::string, std::size_t> held;
  for (std::size_t b = 0; b < bucket_count; ++b)
    for (const auto& h : target_holders(members, owners[b], b, 3))
      ++held[h];
  for (const auto& [node, n] : held)
    CAF_CHECK(n > 20 && n < 130);
}
